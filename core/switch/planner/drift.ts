/** Something on the switch that is not as it was acknowledged, and that no key of ours changed: somebody edited it. */
export interface Drift {
  /** What happened to a flow, group or meter of a bridge; `row`: a row of the database was edited. */
  readonly kind: 'removed' | 'changed' | 'added' | 'row';
  /** The flow or row, for people. */
  readonly place: string;
  /** Who wanted it; of what was added, whose cookie it bears and who claims the place. */
  readonly owners: readonly string[];
}

/** `repair`: what drifted is put right at once. `report`: it is told of and stays until its key is stated anew, or its bridge is read anew. */
export type DriftPolicy = 'repair' | 'report';
