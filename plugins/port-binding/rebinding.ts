import type { Jobs, PortDescription } from '@patchbay/sdk';

/** How long the server may take to bind a port anew. */
const PATIENCE_MS = 5_000;

/**
 * The server takes a binding apart and makes it again when its profile changes, as live migration's does. Meanwhile the port has no
 * segment, which is no reason to cut off a guest at work.
 */
export class Rebinding {
  private state: 'not seen' | 'waited for' | 'over' = 'not seen';

  constructor(
    private readonly name: string,
    private readonly jobs: Pick<Jobs, 'after'>,
    private readonly again: (cause: string) => void,
  ) {}

  /** True while a port without a segment, bound before, stays as it is. */
  waits(): boolean {
    if (this.state === 'over') return false;
    if (this.state === 'not seen') {
      this.jobs.after(this.name, PATIENCE_MS, () => {
        if (this.state !== 'waited for') return;
        this.state = 'over';
        this.again('still bound to no segment');
      });
    }
    this.state = 'waited for';
    return true;
  }

  done(): void {
    this.state = 'not seen';
  }
}

/** The server forgets that a port is up when its binding changes, and has it down until told again. */
export function reportIsLost(before: PortDescription | undefined, now: PortDescription): boolean {
  if (now.binding === 'migrating-in') return false;
  return before?.binding === 'migrating-in' || now.status !== 'ACTIVE';
}
