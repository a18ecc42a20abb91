export interface Pace {
  /** Starts in a second at most. */
  readonly perSecond: number;
  /** Agents that may be on their way at once: started, and not known to broker and server yet. */
  readonly atOnce: number;
}

/**
 * Starts agents as a cloud comes up, at the pace of whoever answers them: while so many wait for broker and server, no more
 * are started, and never more in a second than is wished.
 */
export class Pacing {
  private underWay = 0;
  private wake: () => void = () => {};
  private dueAt = 0;

  constructor(private readonly pace: Pace) {}

  /** Resolves when the next may start. */
  async turn(): Promise<void> {
    while (this.underWay >= this.pace.atOnce) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.underWay += 1;
    const now = performance.now();
    const waitMs = Math.max(0, this.dueAt - now);
    this.dueAt = Math.max(now, this.dueAt) + 1000 / this.pace.perSecond;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  /** One that had its turn has arrived. */
  arrived(): void {
    this.underWay -= 1;
    this.wake();
  }
}
