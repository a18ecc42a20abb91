import type { RowChange } from '../planner/row-changes';

/** The switch refused one change of a transaction; nothing of the transaction was done. */
export class RowChangeRefused extends Error {
  constructor(
    /** Place of the change in the list, or undefined where the whole was refused. */
    readonly index: number | undefined,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
    this.name = 'RowChangeRefused';
  }
}

/** A row that was planned for has vanished meanwhile: what is {@link RowChangeRefused.cause} then. Nobody is to blame. */
export class RowGone extends Error {
  override readonly name = 'RowGone';
}

/** The writing side of the switch's database. */
export interface Database {
  /**
   * Makes all of the changes, or none, in one transaction, and resolves with the number of the configuration they are part
   * of. The rows then show them.
   * @throws RowChangeRefused, or an error of the connection.
   */
  commit(changes: readonly RowChange[]): Promise<number>;
  /** Resolves once ovs-vswitchd acts by the configuration of that number. */
  applied(configuration: number): Promise<void>;
}
