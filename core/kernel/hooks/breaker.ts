/** When an advisory plugin's before-taps are switched off, and when one is let through again to see. */
export interface BreakerSettings {
  /** Failures in a row that switch them off. */
  readonly failures: number;
  /** Milliseconds until one call is let through. */
  readonly probeAfterMs: number;
}

/** Switches a plugin's before-taps off after repeated failures. One call is let through after a while; if it succeeds, all are. */
export class Breaker {
  private failuresInRow = 0;
  private probeAt = 0;
  private probing = false;

  constructor(
    private readonly settings: BreakerSettings,
    private readonly now: () => number,
  ) {}

  get open(): boolean {
    return this.failuresInRow >= this.settings.failures;
  }

  /** Whether a call may go through now. */
  admits(): boolean {
    if (!this.open) return true;
    if (this.probing || this.now() < this.probeAt) return false;
    this.probing = true;
    return true;
  }

  succeeded(): void {
    this.failuresInRow = 0;
    this.probing = false;
  }

  failed(): void {
    this.failuresInRow += 1;
    this.probing = false;
    this.probeAt = this.now() + this.settings.probeAfterMs;
  }
}
