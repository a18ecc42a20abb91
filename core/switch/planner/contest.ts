import type { Owner } from './owner';

/** A flow of ours stands where somebody else's was, that the operator reserved. */
export type Displacement = Pick<Contest, 'place' | 'reason'>;

/** Two owners want different things in one place. The winner is the same every time: the first in the plugins' order. */
export interface Contest {
  /** The flow's or the cell's place, for people. */
  readonly place: string;
  readonly winner: Owner;
  readonly loser: Owner;
  readonly reason: string;
}
