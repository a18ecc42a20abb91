/** What a figure counts. Times print in milliseconds or seconds, whichever reads better. */
export type Unit = 'ms' | 'MiB' | '%' | 'count' | 'a second';

/** One line of the table. A figure that an agent has not is left out, with the reason in the note. */
export interface Row {
  readonly what: string;
  readonly unit: Unit;
  readonly patchbay: number;
  readonly reference?: number;
  /** What Patchbay must not exceed; for `a second`, must reach. */
  readonly target?: number;
  readonly note?: string;
}

/** The table as Markdown. The ratio says how many times as much the reference agent needs. */
export function markdown(rows: readonly Row[]): string {
  const cells = rows.map(({ what, unit, patchbay, reference, target, note }) => [
    what,
    `${shown(patchbay, unit)}${verdict(patchbay, target, unit)}`,
    reference === undefined ? '' : shown(reference, unit),
    reference === undefined ? '' : ratio(reference, patchbay),
    target === undefined ? '' : `${unit === 'a second' ? '≥' : '≤'} ${shown(target, unit)}`,
    note ?? '',
  ]);
  const head = ['figure', 'Patchbay', 'reference', 'ratio', 'target', 'note'];
  const lines = [head, head.map(() => '---'), ...cells];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => {
      const filled = line.map((cell, column) =>
        cell === '---' ? '-'.repeat(widths[column] ?? 3) : cell.padEnd(widths[column] ?? 0),
      );
      return `| ${filled.join(' | ')} |`;
    })
    .join('\n');
}

/** Rows that miss their target. */
export function misses(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ patchbay, target, unit }) => verdict(patchbay, target, unit) !== '');
}

function verdict(value: number, target: number | undefined, unit: Unit): string {
  if (target === undefined) return '';
  const met = unit === 'a second' ? value >= target : value <= target;
  return met ? '' : ' ✗';
}

function shown(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return value < 1000 ? `${round(value)} ms` : `${round(value / 1000)} s`;
    case 'count':
      return grouped(value);
    case 'a second':
      return `${grouped(Math.round(value))} /s`;
    case '%':
      return `${value.toFixed(2)} %`;
    case 'MiB':
      return `${value.toFixed(0)} MiB`;
  }
}

const grouped = (value: number): string => value.toLocaleString('en');

const round = (value: number): string =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);

function ratio(reference: number, patchbay: number): string {
  if (patchbay === 0) return reference === 0 ? '1' : '∞';
  const times = reference / patchbay;
  return times >= 10 ? times.toFixed(0) : times.toFixed(1);
}
