/**
 * Every way in which talking to an OVSDB server can fail. All of them are `OvsdbError`s with a stable `code`, so a caller
 * decides with a comparison and never by reading a message.
 */
export abstract class OvsdbError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A target string that names no place to connect to. */
export class OvsdbTargetError extends OvsdbError {
  readonly code = 'OVSDB_TARGET';

  constructor(
    readonly target: string,
    problem: string,
  ) {
    super(`OVSDB target "${target}": ${problem}`);
  }
}

/** Why there is no session: refused by the far end, lost, never there, not speaking OVSDB, silent, or stopped by us. */
export type ConnectionReason = 'refused' | 'closed' | 'not-connected' | 'protocol' | 'inactive' | 'stopped';

/**
 * What became of a request that a lost session left without a reply: `not-sent` may be tried again at once; for `unknown`
 * read the database before deciding, for the server may have committed it.
 */
export type RequestOutcome = 'not-sent' | 'unknown';

/** There is no usable session with the server, or it ended before an answer came. */
export class OvsdbConnectionError extends OvsdbError {
  readonly code = 'OVSDB_CONNECTION';

  constructor(
    readonly reason: ConnectionReason,
    message: string,
    readonly outcome: RequestOutcome = 'not-sent',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An answer, or an awaited state of the database, did not come in time. For a request the outcome is unknown. */
export class OvsdbTimeout extends OvsdbError {
  readonly code = 'OVSDB_TIMEOUT';

  constructor(
    readonly operation: string,
    readonly milliseconds: number,
    options?: ErrorOptions,
  ) {
    super(`OVSDB ${operation}: no answer within ${milliseconds} ms`, options);
  }
}

/** The server answered a request other than `transact`, or a `transact` as a whole, with an error (RFC 7047 section 3.1). */
export class OvsdbRpcError extends OvsdbError {
  readonly code = 'OVSDB_RPC';

  constructor(
    readonly method: string,
    readonly error: string,
    readonly details: string | undefined,
  ) {
    super(`OVSDB ${method} was refused: ${error}${details === undefined ? '' : ` (${details})`}`);
  }
}

/**
 * One operation of a transaction failed, and with it the whole transaction (RFC 7047 section 4.1.3).
 * `operation` is `commit` where each operation passed and the database then refused their sum, for instance because
 * of an index or a reference that points nowhere; `index` is then the number of operations.
 */
export class OvsdbOperationError extends OvsdbError {
  readonly code = 'OVSDB_OPERATION';

  constructor(
    readonly index: number,
    readonly operation: string,
    readonly table: string | undefined,
    readonly error: string,
    readonly details: string | undefined,
  ) {
    const where = table === undefined ? operation : `${operation} of ${table}`;
    super(`OVSDB operation ${index} (${where}) failed: ${error}${details === undefined ? '' : `: ${details}`}`);
  }
}

/** A table or column that the server's schema does not have. */
export class OvsdbSchemaError extends OvsdbError {
  readonly code = 'OVSDB_SCHEMA';

  constructor(
    readonly table: string,
    readonly column: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** A value that a column's type does not admit: found before anything is sent, or in what the server sent. */
export class OvsdbValueError extends OvsdbError {
  readonly code = 'OVSDB_VALUE';

  constructor(
    readonly table: string,
    readonly column: string,
    readonly problem: string,
  ) {
    super(`OVSDB column ${table}.${column}: ${problem}`);
  }
}
