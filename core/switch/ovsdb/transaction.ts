import { encodeElements, encodeKeys, encodeValue } from './codec';
import { OvsdbOperationError, OvsdbValueError } from './errors';
import { type ColumnSchema, columnOf, type DatabaseSchema, type TableSchema, tableOf } from './schema';
import { type Atom, NamedUuid, type Uuid } from './values';

/** What may be written where a row holds this value: a reference also by the insert that makes its row. */
type Reference<Item> = Item extends Uuid ? Uuid | NamedUuid : Item;
export type Writable<Column> =
  Column extends ReadonlyMap<infer Key, infer Item>
    ? ReadonlyMap<Key, Reference<Item>> | { readonly [key in Key & (string | number)]?: Reference<Item> }
    : Column extends readonly (infer Item)[]
      ? readonly Reference<Item>[]
      : Reference<Column>;

/** The columns to write. Those left out take their default in an insert and keep their value in an update. */
export type WritableRow<TableRow> = {
  readonly [Column in Exclude<keyof TableRow, '_uuid'>]?: Writable<TableRow[Column]>;
};

export type Comparison = '<' | '<=' | '==' | '!=' | '>=' | '>' | 'includes' | 'excludes';

/** One clause (RFC 7047 section 5.1, `<condition>`); `_uuid` may be named as a column. */
export type Condition<TableRow> = {
  readonly [Column in keyof TableRow & string]: readonly [Column, Comparison, Writable<TableRow[Column]>];
}[keyof TableRow & string];

/** The rows an operation is for: one by name, all that meet every clause, or each row of the table. */
export type Where<TableRow> = Uuid | NamedUuid | readonly Condition<TableRow>[] | 'every-row';

export type Arithmetic = '+=' | '-=' | '*=' | '/=' | '%=';

/** Names an operation, to ask the result about it. */
export interface OperationRef {
  readonly index: number;
}

interface WireOperation {
  readonly op: string;
  readonly table?: string;
  readonly [field: string]: unknown;
}

/** What `transact` sends and what it needs to read the answer. */
export interface EncodedTransaction {
  readonly operations: readonly WireOperation[];
  readonly inserts: ReadonlyMap<string, number>;
}

/**
 * Builds one transaction. The server applies its operations in order and keeps all of them or none. Every value is encoded
 * by the server's schema at once, so a mistake is an OvsdbValueError or OvsdbSchemaError thrown where it was made, and
 * nothing is sent.
 */
export class Transaction<Tables> {
  private readonly operations: WireOperation[] = [];
  private readonly inserts = new Map<string, number>();

  constructor(private readonly schema: DatabaseSchema) {}

  /** Adds a row. The answer stands for its uuid, here and in `TransactionResult.uuidOf`. */
  insert<Name extends keyof Tables & string>(table: Name, row: WritableRow<Tables[Name]>): NamedUuid {
    // The server takes identifiers only: letters, digits and underscores.
    const named = new NamedUuid(`row${this.operations.length}_${table}`, table);
    this.inserts.set(named.name, this.operations.length);
    this.add({ op: 'insert', table, 'uuid-name': named.name, row: this.row(table, row) });
    return named;
  }

  update<Name extends keyof Tables & string>(
    table: Name,
    where: Where<Tables[Name]>,
    row: WritableRow<Tables[Name]>,
  ): OperationRef {
    return this.add({ op: 'update', table, where: this.where(table, where), row: this.row(table, row) });
  }

  /** A row that is not a root goes by itself once nothing refers to it; deleting it while something does fails. */
  delete<Name extends keyof Tables & string>(table: Name, where: Where<Tables[Name]>): OperationRef {
    return this.add({ op: 'delete', table, where: this.where(table, where) });
  }

  /** Reads columns inside the transaction: see `TransactionResult.rowsOf` for what comes back. */
  select<Name extends keyof Tables & string>(
    table: Name,
    where: Where<Tables[Name]>,
    columns: readonly (keyof Tables[Name] & string)[],
  ): OperationRef {
    return this.add({ op: 'select', table, where: this.where(table, where), columns });
  }

  /** Adds elements to a set; those already in it stay. */
  addTo<Name extends keyof Tables & string, Column extends keyof Tables[Name] & string>(
    table: Name,
    where: Where<Tables[Name]>,
    column: Column,
    elements: Writable<Tables[Name][Column]>,
  ): OperationRef {
    const schema = columnOf(tableOf(this.schema, table), column);
    return this.mutation(table, where, [[column, 'insert', encodeElements(schema, elements)]]);
  }

  /** Takes elements out of a set, or exactly these pairs out of a map; absent ones are no error. */
  removeFrom<Name extends keyof Tables & string, Column extends keyof Tables[Name] & string>(
    table: Name,
    where: Where<Tables[Name]>,
    column: Column,
    elements: Writable<Tables[Name][Column]>,
  ): OperationRef {
    const schema = columnOf(tableOf(this.schema, table), column);
    return this.mutation(table, where, [[column, 'delete', encodeElements(schema, elements)]]);
  }

  /** Sets keys of a map and leaves its other keys alone. (The server's `insert` alone would not replace a value.) */
  mergeInto<Name extends keyof Tables & string, Column extends keyof Tables[Name] & string>(
    table: Name,
    where: Where<Tables[Name]>,
    column: Column,
    pairs: Writable<Tables[Name][Column]>,
  ): OperationRef {
    const schema = columnOf(tableOf(this.schema, table), column);
    const wire = encodeElements(schema, pairs) as readonly [string, readonly (readonly [unknown, unknown])[]];
    if (schema.shape !== 'map') throw new OvsdbValueError(table, column, 'is no map; use addTo for a set');
    return this.mutation(table, where, [
      [column, 'delete', ['set', wire[1].map(([key]) => key)]],
      [column, 'insert', wire],
    ]);
  }

  /** Takes keys out of a map whatever their values; absent ones are no error. */
  removeKeys<Name extends keyof Tables & string, Column extends keyof Tables[Name] & string>(
    table: Name,
    where: Where<Tables[Name]>,
    column: Column,
    keys: Iterable<Atom>,
  ): OperationRef {
    const schema = columnOf(tableOf(this.schema, table), column);
    return this.mutation(table, where, [[column, 'delete', encodeKeys(schema, keys)]]);
  }

  /** Calculates in place, on a number or on each element of a set of numbers. */
  calculate<Name extends keyof Tables & string>(
    table: Name,
    where: Where<Tables[Name]>,
    column: keyof Tables[Name] & string,
    operator: Arithmetic,
    operand: number,
  ): OperationRef {
    columnOf(tableOf(this.schema, table), column);
    return this.mutation(table, where, [[column, operator, operand]]);
  }

  /**
   * Goes on only where the columns named in `rows` have (`==`) or do not all have (`!=`) these values, compared as a set
   * of rows; otherwise the transaction fails with `timed out`. With a timeout of 0 ms the server does not wait for it.
   */
  wait<Name extends keyof Tables & string>(
    table: Name,
    where: Where<Tables[Name]>,
    until: '==' | '!=',
    rows: readonly WritableRow<Tables[Name]>[],
    timeoutMs: number,
  ): OperationRef {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return this.add({
      op: 'wait',
      table,
      timeout: timeoutMs,
      where: this.where(table, where),
      columns,
      until,
      rows: rows.map((row) => this.row(table, row)),
    });
  }

  /** A remark for the server's log of the database, as `ovsdb-tool show-log` prints it. */
  comment(text: string): OperationRef {
    return this.add({ op: 'comment', comment: text });
  }

  /** Fails the transaction with `not owner` unless this session holds the lock. */
  assertLock(lock: string): OperationRef {
    return this.add({ op: 'assert', lock });
  }

  /** For the client, once the builder has returned. */
  encoded(): EncodedTransaction {
    return { operations: this.operations, inserts: this.inserts };
  }

  private mutation(table: string, where: unknown, mutations: readonly unknown[]): OperationRef {
    return this.add({ op: 'mutate', table, where: this.where(table, where), mutations });
  }

  private add(operation: WireOperation): OperationRef {
    this.operations.push(operation);
    return { index: this.operations.length - 1 };
  }

  private row(table: string, row: object): Record<string, unknown> {
    const schema = tableOf(this.schema, table);
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, encodeValue(columnOf(schema, name), value)]),
    );
  }

  private where(table: string, where: unknown): readonly unknown[] {
    const schema = tableOf(this.schema, table);
    if (where === 'every-row') return [];
    if (where instanceof NamedUuid) return [['_uuid', '==', ['named-uuid', where.name]]];
    if (Array.isArray(where))
      return where.map(([column, comparison, value]) => clause(schema, column, comparison, value));
    return [clause(schema, '_uuid', '==', where)];
  }
}

function clause(table: TableSchema, column: string, comparison: Comparison, value: unknown): readonly unknown[] {
  if (column === '_uuid') return [column, comparison, encodeValue(uuidColumn(table.name), value)];
  const schema = columnOf(table, column);
  const partial = comparison === 'includes' || comparison === 'excludes';
  return [
    column,
    comparison,
    partial && schema.shape !== 'scalar' ? encodeElements(schema, value) : encodeValue(schema, value),
  ];
}

/** The column every table has without declaring it (RFC 7047 section 3.2). */
function uuidColumn(table: string): ColumnSchema {
  const key = { type: 'uuid', enum: undefined, minimum: undefined, maximum: undefined, refTable: undefined } as const;
  return {
    table,
    name: '_uuid',
    shape: 'scalar',
    key: { ...key, refType: 'strong' },
    value: undefined,
    min: 1,
    max: 1,
    mutable: false,
    ephemeral: false,
  };
}

/** The server's answer to a transaction that it committed. */
export class TransactionResult {
  constructor(
    private readonly encoded: EncodedTransaction,
    private readonly results: readonly Readonly<Record<string, unknown>>[],
  ) {}

  /** The uuid the server gave to an inserted row. */
  uuidOf(insert: NamedUuid): Uuid {
    const wire = this.results[this.encoded.inserts.get(insert.name) ?? -1]?.uuid;
    if (Array.isArray(wire) && typeof wire[1] === 'string') return wire[1] as Uuid;
    throw new OvsdbValueError(insert.table, '_uuid', 'this row was inserted by another transaction');
  }

  /** How many rows an update, mutation or delete found. 0 is a success for the server, and often a mistake of the caller. */
  countOf(operation: OperationRef): number {
    const count = this.results[operation.index]?.count;
    return typeof count === 'number' ? count : 0;
  }

  /** What a select read, with values still in the notation of RFC 7047 section 5.1. */
  rowsOf(operation: OperationRef): readonly Readonly<Record<string, unknown>>[] {
    const rows = this.results[operation.index]?.rows;
    return Array.isArray(rows) ? rows : [];
  }
}

/**
 * Reads the reply to `transact`. The array is longer than the operations where the commit itself failed, and ends in
 * nulls for the operations that came after a failed one (RFC 7047 section 4.1.3).
 * @throws OvsdbOperationError
 */
export function readTransactionReply(encoded: EncodedTransaction, reply: unknown): TransactionResult {
  const results = Array.isArray(reply) ? (reply as (Readonly<Record<string, unknown>> | null)[]) : [];
  results.forEach((result, index) => {
    if (typeof result?.error !== 'string') return;
    const operation = encoded.operations[index];
    const details = typeof result.details === 'string' ? result.details : undefined;
    throw new OvsdbOperationError(index, operation?.op ?? 'commit', operation?.table, result.error, details);
  });
  return new TransactionResult(
    encoded,
    results.map((result) => result ?? {}),
  );
}
