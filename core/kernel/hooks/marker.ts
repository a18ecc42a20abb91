import type { HookName } from '@patchbay/sdk';

export interface RunningTap {
  readonly hook: HookName;
  readonly plugin: string;
}

/** Remembers which taps are at work, for whoever finds the event loop blocked. */
export class TapMarker {
  private readonly running = new Set<RunningTap>();
  private lately: RunningTap[] = [];

  entered(tap: RunningTap): () => void {
    const entry = { ...tap };
    this.running.add(entry);
    return () => {
      this.running.delete(entry);
      this.lately.push(entry);
      if (this.lately.length > 32) this.lately.shift();
    };
  }

  /** Taps that were at work at any time since the last call. */
  sinceLast(): readonly RunningTap[] {
    const seen = [...this.lately, ...this.running];
    this.lately = [];
    return seen;
  }
}
