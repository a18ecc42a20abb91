import { applyDifference, decodeValue, defaultValue } from './codec';
import { OvsdbConnectionError, OvsdbSchemaError } from './errors';
import type { ColumnSchema, DatabaseSchema, TableSchema } from './schema';
import { type AnyRow, type Atom, type Row, sameRow, type Uuid, type Value } from './values';

/** One row's part in a batch. `old` and `new` are whole rows of the columns that are replicated, and never change. */
export type RowChange =
  | { readonly kind: 'insert'; readonly table: string; readonly uuid: Uuid; readonly new: AnyRow }
  | { readonly kind: 'modify'; readonly table: string; readonly uuid: Uuid; readonly old: AnyRow; readonly new: AnyRow }
  | { readonly kind: 'delete'; readonly table: string; readonly uuid: Uuid; readonly old: AnyRow };

/** The rows of one table as the server last described them. */
export interface TableReplica<TableRow extends Row> extends Iterable<TableRow> {
  readonly size: number;
  get(uuid: Uuid): TableRow | undefined;
  /** The first row whose column has this value; immediate where the schema declares the column an index. */
  findBy<Column extends keyof TableRow & string>(column: Column, value: TableRow[Column]): TableRow | undefined;
}

/** A copy of the tables a client asked for, complete and consistent after each batch of changes. */
export interface Replica<Tables> {
  /** @throws OvsdbSchemaError for a table that is not replicated. */
  table<Name extends keyof Tables & string>(name: Name): TableReplica<Tables[Name] & Row>;
}

/** Which columns of which tables to keep; `all` is all that the server has. */
export type ColumnSelection = Readonly<Record<string, 'all' | readonly string[]>>;

/** How the server words its updates: the three generations of `monitor`. */
export type UpdateForm = 'update' | 'update2';

/** The replica with its writing side, which only the session holds. */
export class ReplicaStore implements Replica<Record<string, AnyRow>> {
  private readonly tables = new Map<string, TableStore>();

  constructor(names: Iterable<string>) {
    for (const name of names) this.tables.set(name, new TableStore(name));
  }

  table(name: string): TableStore {
    const table = this.tables.get(name);
    if (table === undefined) {
      throw new OvsdbSchemaError(name, undefined, `table ${name} is not replicated; add it to the client's tables`);
    }
    return table;
  }

  /** Takes over the server's schema. Rows of an earlier schema stay readable until the next snapshot replaces them. */
  adopt(schema: DatabaseSchema, columns: ReadonlyMap<string, readonly string[]>): void {
    for (const [name, table] of this.tables) table.adopt(schema.tables.get(name), columns.get(name) ?? []);
  }

  /** Applies one update notification. @throws OvsdbError where it does not fit what is here; nothing is changed then. */
  applyUpdate(form: UpdateForm, updates: unknown): RowChange[] {
    return apply(entries(updates).flatMap(([name, rows]) => this.table(name).next(form, rows)));
  }

  /** Makes the replica equal to a full description, and tells only what that changed. @throws OvsdbError, and changes nothing then. */
  applySnapshot(form: UpdateForm, updates: unknown): RowChange[] {
    const described = fields(updates);
    const steps: Step[] = [];
    for (const [name, table] of this.tables) {
      const rows = described[name] ?? {};
      steps.push(...table.absent(rows), ...table.next(form, rows));
    }
    return apply(steps);
  }
}

/** What becomes of one row: `next` is undefined where it goes. */
interface Step {
  readonly table: TableStore;
  readonly uuid: string;
  readonly next: AnyRow | undefined;
}

function apply(steps: readonly Step[]): RowChange[] {
  return steps.flatMap(({ table, uuid, next }) => (next === undefined ? table.remove(uuid) : table.put(next)) ?? []);
}

class TableStore implements TableReplica<AnyRow> {
  private readonly rows = new Map<string, AnyRow>();
  private indexes = new Map<string, Map<Value, AnyRow>>();
  private columns: readonly ColumnSchema[] = [];
  private defaults: readonly Value[] = [];

  constructor(readonly name: string) {}

  get size(): number {
    return this.rows.size;
  }

  get(uuid: Uuid): AnyRow | undefined {
    return this.rows.get(uuid);
  }

  [Symbol.iterator](): Iterator<AnyRow> {
    return this.rows.values();
  }

  findBy(column: string, value: Value): AnyRow | undefined {
    const index = this.indexes.get(column);
    if (index !== undefined) return index.get(value);
    for (const row of this.rows.values()) if (row[column] === value) return row;
    return undefined;
  }

  adopt(schema: TableSchema | undefined, names: readonly string[]): void {
    this.columns = names.flatMap((name) => schema?.columns.get(name) ?? []);
    this.defaults = this.columns.map(defaultValue);
    const single = (schema?.indexes ?? []).flatMap((index) => (index.length === 1 ? index : []));
    this.indexes = new Map(single.filter((name) => names.includes(name)).map((name) => [name, new Map()]));
    for (const row of this.rows.values()) this.enterIndexes(row);
  }

  /** What the rows of an update will be, decoded and not yet entered. */
  next(form: UpdateForm, rows: unknown): Step[] {
    return entries(rows).map(([uuid, update]) => {
      const next = form === 'update' ? this.afterUpdate(uuid, update) : this.afterUpdate2(uuid, update);
      return { table: this, uuid, next };
    });
  }

  /** The removal of all rows that a full description does not have. */
  absent(rows: unknown): Step[] {
    const present = fields(rows);
    return [...this.rows.keys()]
      .filter((uuid) => present[uuid] === undefined)
      .map((uuid) => ({ table: this, uuid, next: undefined }));
  }

  private afterUpdate(uuid: string, update: unknown): AnyRow | undefined {
    const { new: next } = fields(update);
    return next === undefined ? undefined : this.decode(uuid, next);
  }

  private afterUpdate2(uuid: string, update: unknown): AnyRow | undefined {
    const { initial, insert, modify } = fields(update);
    const whole = initial ?? insert;
    if (whole !== undefined) return this.decode(uuid, whole);
    if (modify === undefined) return undefined;
    const old = this.rows.get(uuid);
    if (old === undefined) {
      throw new OvsdbConnectionError(
        'protocol',
        `the server modified ${this.name} row ${uuid}, which is not known here`,
      );
    }
    const difference = fields(modify);
    const next: Record<string, Value> = { ...old };
    for (const column of this.columns) {
      const wire = difference[column.name];
      if (wire !== undefined) next[column.name] = applyDifference(column, old[column.name], wire);
    }
    return next as AnyRow;
  }

  private decode(uuid: string, wire: unknown): AnyRow {
    const described = fields(wire);
    const row: Record<string, Value> = { _uuid: uuid };
    this.columns.forEach((column, position) => {
      const value = described[column.name];
      row[column.name] = value === undefined ? this.defaults[position] : decodeValue(column, value);
    });
    return row as AnyRow;
  }

  put(row: AnyRow): RowChange | undefined {
    const old = this.rows.get(row._uuid);
    if (old !== undefined) {
      if (sameRow(old, row)) return undefined;
      this.leaveIndexes(old);
    }
    this.rows.set(row._uuid, row);
    this.enterIndexes(row);
    const at = { table: this.name, uuid: row._uuid };
    return old === undefined ? { kind: 'insert', ...at, new: row } : { kind: 'modify', ...at, old, new: row };
  }

  remove(uuid: string): RowChange | undefined {
    const old = this.rows.get(uuid);
    if (old === undefined) return undefined;
    this.rows.delete(uuid);
    this.leaveIndexes(old);
    return { kind: 'delete', table: this.name, uuid: old._uuid, old };
  }

  private enterIndexes(row: AnyRow): void {
    for (const [column, index] of this.indexes) index.set(row[column] as Atom, row);
  }

  /** Within one update a new row may already have taken the name that an old one gives up: then the index is its. */
  private leaveIndexes(row: AnyRow): void {
    for (const [column, index] of this.indexes) {
      if (index.get(row[column])?._uuid === row._uuid) index.delete(row[column]);
    }
  }
}

function fields(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new OvsdbConnectionError('protocol', 'the server sent an update that is no object');
}

function entries(json: unknown): [string, unknown][] {
  return Object.entries(fields(json));
}
