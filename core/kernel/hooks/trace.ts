import type { HookName } from '@patchbay/sdk';

/** What a tap came to. `skipped`: its plugin is switched off. */
export type TapOutcome = 'ok' | 'changed' | 'answered' | 'refused' | 'failed' | 'timed-out' | 'skipped';

export interface TapTrace {
  readonly hook: HookName;
  readonly plugin: string;
  readonly outcome: TapOutcome;
  /** Milliseconds from the call to the answer. */
  readonly ms: number;
  readonly cause: string;
  /** Milliseconds since the epoch, when the tap was called. */
  readonly at: number;
  /** The code and sentence of what went wrong, or the reason of a refusal. */
  readonly detail?: string;
}

/** The last taps, oldest first; older ones are overwritten. */
export class TraceRing {
  private readonly entries: TapTrace[] = [];
  private next = 0;

  constructor(private readonly size: number) {}

  add(entry: TapTrace): void {
    this.entries[this.next] = entry;
    this.next = (this.next + 1) % this.size;
  }

  list(): readonly TapTrace[] {
    if (this.entries.length < this.size) return [...this.entries];
    return [...this.entries.slice(this.next), ...this.entries.slice(0, this.next)];
  }
}
