import { defaultValue } from '../codec';
import { type DatabaseSchema, type TableSchema, tableOf } from '../schema';
import { type AnyRow, sameRow, type Uuid, type Value } from '../values';

/** A row before and after a commit; one of them is undefined for an insert or a delete. */
export interface RowDelta {
  readonly table: string;
  readonly uuid: Uuid;
  readonly old: AnyRow | undefined;
  readonly new: AnyRow | undefined;
}

/** The refusal of an operation, or of the commit, in the form that goes on the wire. */
export class Refusal extends Error {
  constructor(
    readonly error: string,
    readonly details: string,
  ) {
    super(`${error}: ${details}`);
  }

  toWire(): { readonly error: string; readonly details: string } {
    return { error: this.error, details: this.details };
  }
}

/** The committed rows of a database. */
export class Contents {
  readonly tables = new Map<string, Map<Uuid, AnyRow>>();

  constructor(readonly schema: DatabaseSchema) {
    for (const name of schema.tables.keys()) this.tables.set(name, new Map());
  }

  rows(table: string): Map<Uuid, AnyRow> {
    tableOf(this.schema, table);
    return this.tables.get(table) ?? new Map();
  }

  enter(deltas: readonly RowDelta[]): void {
    for (const delta of deltas) {
      if (delta.new === undefined) this.rows(delta.table).delete(delta.uuid);
      else this.rows(delta.table).set(delta.uuid, delta.new);
    }
  }
}

/** A transaction's view: the committed rows with what it has changed so far. */
export class Draft {
  private readonly changed = new Map<string, Map<Uuid, AnyRow | undefined>>();

  constructor(private readonly contents: Contents) {}

  get schema(): DatabaseSchema {
    return this.contents.schema;
  }

  table(name: string): TableSchema {
    const table = this.schema.tables.get(name);
    if (table === undefined) throw new Refusal('syntax error', `No table named ${name}.`);
    return table;
  }

  get(table: string, uuid: Uuid): AnyRow | undefined {
    const changes = this.changed.get(table);
    return changes?.has(uuid) === true ? changes.get(uuid) : this.contents.rows(table).get(uuid);
  }

  *rows(table: string): IterableIterator<AnyRow> {
    const changes = this.changed.get(table);
    for (const row of this.contents.rows(table).values()) if (changes?.has(row._uuid) !== true) yield row;
    for (const row of changes?.values() ?? []) if (row !== undefined) yield row;
  }

  insert(table: string, uuid: Uuid, columns: Readonly<Record<string, Value>>): void {
    const row: Record<string, Value> = { _uuid: uuid };
    for (const column of this.table(table).columns.values()) row[column.name] = defaultValue(column);
    this.put(table, { ...row, ...columns, _uuid: uuid });
  }

  put(table: string, row: AnyRow): void {
    this.of(table).set(row._uuid, row);
  }

  remove(table: string, uuid: Uuid): void {
    this.of(table).set(uuid, undefined);
  }

  /** What differs from the committed rows; a row that was inserted and removed again does not. */
  deltas(): RowDelta[] {
    const deltas: RowDelta[] = [];
    for (const [table, rows] of this.changed) {
      for (const [uuid, row] of rows) {
        const old = this.contents.rows(table).get(uuid);
        const same = old === undefined || row === undefined ? old === row : sameRow(old, row);
        if (!same) deltas.push({ table, uuid, old, new: row });
      }
    }
    return deltas;
  }

  private of(table: string): Map<Uuid, AnyRow | undefined> {
    const present = this.changed.get(table);
    if (present !== undefined) return present;
    const created = new Map<Uuid, AnyRow | undefined>();
    this.changed.set(table, created);
    return created;
  }
}
