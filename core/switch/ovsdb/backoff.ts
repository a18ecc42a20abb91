/** How long to wait between attempts to connect. */
export interface BackoffOptions {
  /** Milliseconds before the second attempt. */
  readonly initialMs: number;
  /** Upper bound of the wait in milliseconds; ovsdb clients in OVS use 8 s. */
  readonly maximumMs: number;
  /** Share of the wait that is left to chance, 0 to 1, so that the agents of a site do not return all at once. */
  readonly jitter: number;
}

export const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 100, maximumMs: 8000, jitter: 0.5 };

/** Doubles the wait with each failure, up to a maximum, and takes a random share off. */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly options: BackoffOptions = DEFAULT_BACKOFF,
    private readonly random: () => number = Math.random,
  ) {}

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const full = Math.min(this.options.maximumMs, this.options.initialMs * 2 ** this.failures);
    this.failures += 1;
    return full * (1 - this.options.jitter * this.random());
  }

  /** A session came about: the next wait is the shortest again. */
  reset(): void {
    this.failures = 0;
  }
}
