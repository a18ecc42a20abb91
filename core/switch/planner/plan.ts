import type { Step } from './board';
import type { PhasedChange } from './row-changes';

/** What to do: closing rows, structure rows, each bridge's steps, then opening and removing rows. */
export interface Plan {
  readonly rows: readonly PhasedChange[];
  /** By bridge. Meters and groups are among them. */
  readonly steps: ReadonlyMap<string, readonly Step[]>;
}
