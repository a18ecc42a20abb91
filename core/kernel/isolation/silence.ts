/**
 * How long a worker has said nothing, in milliseconds. Only time in which this thread looked counts: with a machine that is paused, or a thread that
 * is held up, both stand still, and the worker's answer waits to be read.
 */
export class Silence {
  private silentMs = 0;
  private lookedAt: number;

  /** `lookEveryMs`: how often {@link look} is called. */
  constructor(
    private readonly lookEveryMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.lookedAt = now();
  }

  heard(): void {
    this.silentMs = 0;
  }

  look(): number {
    const now = this.now();
    this.silentMs += Math.min(now - this.lookedAt, 2 * this.lookEveryMs);
    this.lookedAt = now;
    return this.silentMs;
  }
}
