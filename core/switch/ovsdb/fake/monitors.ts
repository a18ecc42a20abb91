import { defaultValue, encodeDifference, encodeValue } from '../codec';
import type { MonitorDialect } from '../monitor';
import type { ColumnSchema, DatabaseSchema } from '../schema';
import { type AnyRow, sameValue } from '../values';
import type { RowDelta } from './contents';
import type { Commit, FakeDatabase } from './database';

/** One monitor of a session: which columns it sees, and in which dialect it is told. */
export interface FakeMonitor {
  readonly id: unknown;
  readonly dialect: MonitorDialect;
  readonly columns: ReadonlyMap<string, readonly ColumnSchema[]>;
}

/** Reads the tables of a monitor request. Conditions are not served: a `where` other than "every row" is an error. */
export function readMonitor(
  schema: DatabaseSchema,
  dialect: MonitorDialect,
  id: unknown,
  requests: unknown,
): FakeMonitor {
  const columns = new Map<string, readonly ColumnSchema[]>();
  for (const [table, request] of Object.entries(requests as Record<string, unknown>)) {
    const definition = schema.tables.get(table);
    if (definition === undefined) throw new Error(`no table named ${table}`);
    const names = (Array.isArray(request) ? request : [request]).flatMap((part: Readonly<Record<string, unknown>>) => {
      if (Array.isArray(part.where) && part.where.length > 0) throw new Error('the fake serves no monitor conditions');
      return (part.columns as string[] | undefined) ?? [...definition.columns.keys()];
    });
    const selected = names.map((name) => {
      const column = definition.columns.get(name);
      if (column === undefined) throw new Error(`no column named ${name} in table ${table}`);
      return column;
    });
    columns.set(table, selected);
  }
  return { id, dialect, columns };
}

/** The tables in full, as the reply to the request. */
export function initialUpdates(database: FakeDatabase, monitor: FakeMonitor): object {
  const deltas = [...monitor.columns.keys()].flatMap((table) =>
    database.rows(table).map((row): RowDelta => ({ table, uuid: row._uuid, old: undefined, new: row })),
  );
  return updatesFor(monitor, deltas, 'initial') ?? {};
}

/** Several commits as if they were one: each row from what it was to what it is. */
export function merged(commits: readonly Commit[]): RowDelta[] {
  const rows = new Map<string, RowDelta>();
  for (const delta of commits.flatMap((commit) => commit.deltas)) {
    const key = `${delta.table} ${delta.uuid}`;
    rows.set(key, { ...delta, old: rows.has(key) ? rows.get(key)?.old : delta.old });
  }
  return [...rows.values()].filter((delta) => delta.old !== undefined || delta.new !== undefined);
}

/** What a monitor is told of these changes, or undefined where they do not concern it. */
export function updatesFor(
  monitor: FakeMonitor,
  deltas: readonly RowDelta[],
  word: 'initial' | 'insert' = 'insert',
): Record<string, Record<string, unknown>> | undefined {
  const updates: Record<string, Record<string, unknown>> = {};
  for (const delta of deltas) {
    const columns = monitor.columns.get(delta.table);
    if (columns === undefined) continue;
    const update = monitor.dialect === 'monitor' ? rowUpdate(columns, delta) : rowUpdate2(columns, delta, word);
    if (update === undefined) continue;
    const rows = updates[delta.table] ?? {};
    updates[delta.table] = rows;
    rows[delta.uuid] = update;
  }
  return Object.keys(updates).length === 0 ? undefined : updates;
}

/** RFC 7047 section 4.1.6. */
function rowUpdate(columns: readonly ColumnSchema[], { old, new: next }: RowDelta): object | undefined {
  if (old === undefined) return next === undefined ? undefined : { new: encoded(columns, next) };
  if (next === undefined) return { old: encoded(columns, old) };
  const changed = changedColumns(columns, old, next);
  return changed.length === 0 ? undefined : { old: encoded(changed, old), new: encoded(columns, next) };
}

/** ovsdb-server(7) section 4.1.14; columns at their default are left out, as the server does. */
function rowUpdate2(columns: readonly ColumnSchema[], delta: RowDelta, word: 'initial' | 'insert'): object | undefined {
  const { old, new: next } = delta;
  if (next === undefined) return { delete: null };
  if (old === undefined) {
    const given = columns.filter((column) => !sameValue(next[column.name], defaultValue(column)));
    return { [word]: encoded(given, next) };
  }
  const changed = changedColumns(columns, old, next);
  if (changed.length === 0) return undefined;
  const differences = changed.map((column) => [
    column.name,
    encodeDifference(column, old[column.name], next[column.name]),
  ]);
  return { modify: Object.fromEntries(differences) };
}

function changedColumns(columns: readonly ColumnSchema[], old: AnyRow, next: AnyRow): ColumnSchema[] {
  return columns.filter((column) => !sameValue(old[column.name], next[column.name]));
}

function encoded(columns: readonly ColumnSchema[], row: AnyRow): object {
  return Object.fromEntries(columns.map((column) => [column.name, encodeValue(column, row[column.name])]));
}
