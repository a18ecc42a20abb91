/** The value below which the given share (0 to 1) of the samples lies: the nearest rank, so always one that was measured. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('no samples: nothing was measured');
  return value;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);
