import { encodeValue } from '../codec';
import type { BaseType, ColumnSchema, TableSchema } from '../schema';
import { type AnyRow, type Atom, sameValue, type Uuid, type Value } from '../values';
import { type Draft, Refusal, type RowDelta } from './contents';

/**
 * What the server does at commit (RFC 7047 sections 3.2 and 4.1.3): weak references to rows that are gone are dropped, rows
 * that nothing refers to are removed from tables that are no roots, strong references must lead somewhere, the size of
 * tables and the columns' own bounds hold, and indexes are unique.
 */
export function commitChecks(draft: Draft): void {
  if (draft.deltas().some((delta) => touchesReferences(draft, delta))) {
    collectGarbage(draft);
    for (const { table, new: row } of draft.deltas()) if (row !== undefined) dropWeakReferences(draft, table, row);
    dropWeakReferencesToRemoved(draft);
    for (const table of draft.schema.tables.values()) checkStrongReferences(draft, table);
  }
  for (const name of new Set(draft.deltas().map((delta) => delta.table))) {
    const table = draft.table(name);
    checkSize(draft, name, table);
    checkIndexes(draft, table);
  }
}

/** Only rows that come or go, and references that change, can break or orphan anything. */
function touchesReferences(draft: Draft, { table, old, new: next }: RowDelta): boolean {
  if (old === undefined || next === undefined) return true;
  const columns = [...referring(draft.table(table), 'strong'), ...referring(draft.table(table), 'weak')];
  return columns.some(({ name }) => !sameValue(old[name], next[name]));
}

function collectGarbage(draft: Draft): void {
  for (;;) {
    const referred = new Set<Atom>();
    for (const table of draft.schema.tables.values()) {
      const columns = referring(table, 'strong');
      if (columns.length === 0) continue;
      for (const row of draft.rows(table.name)) {
        for (const column of columns) for (const [uuid] of references(column, row)) referred.add(uuid);
      }
    }
    const orphans = [...draft.schema.tables.values()]
      .filter((table) => !table.isRoot)
      .flatMap((table) =>
        [...draft.rows(table.name)].filter((row) => !referred.has(row._uuid)).map((row) => ({ table, row })),
      );
    if (orphans.length === 0) return;
    for (const { table, row } of orphans) draft.remove(table.name, row._uuid);
  }
}

function dropWeakReferencesToRemoved(draft: Draft): void {
  if (!draft.deltas().some((delta) => delta.new === undefined)) return;
  for (const table of draft.schema.tables.values()) {
    if (referring(table, 'weak').length === 0) continue;
    for (const row of [...draft.rows(table.name)]) dropWeakReferences(draft, table.name, row);
  }
}

function dropWeakReferences(draft: Draft, tableName: string, row: AnyRow): void {
  const table = draft.table(tableName);
  const kept: Record<string, Value> = {};
  for (const column of referring(table, 'weak')) {
    const dangling = new Set<Atom>();
    for (const [uuid, target] of references(column, row)) {
      if (draft.get(target, uuid as Uuid) === undefined) dangling.add(uuid);
    }
    if (dangling.size === 0) continue;
    const value = row[column.name];
    if (column.shape === 'set') kept[column.name] = (value as readonly Atom[]).filter((uuid) => !dangling.has(uuid));
    else if (column.shape === 'optional') kept[column.name] = undefined;
    else if (value instanceof Map) {
      kept[column.name] = new Map([...value].filter(([key, item]) => !dangling.has(key) && !dangling.has(item)));
    }
  }
  if (Object.keys(kept).length > 0) draft.put(tableName, { ...row, ...kept });
}

function checkStrongReferences(draft: Draft, table: TableSchema): void {
  const columns = referring(table, 'strong');
  if (columns.length === 0) return;
  for (const row of draft.rows(table.name)) {
    for (const column of columns) {
      for (const [uuid, target] of references(column, row)) {
        if (draft.get(target, uuid as Uuid) !== undefined) continue;
        throw new Refusal(
          'referential integrity violation',
          `Table ${table.name} column ${column.name} row ${row._uuid} references nonexistent row ${uuid} in table ${target}.`,
        );
      }
    }
  }
}

function checkSize(draft: Draft, name: string, table: TableSchema): void {
  if (table.maxRows === Number.POSITIVE_INFINITY) return;
  const count = [...draft.rows(name)].length;
  if (count > table.maxRows) {
    throw new Refusal(
      'constraint violation',
      `table ${name} would hold ${count} rows where it may hold ${table.maxRows}`,
    );
  }
}

function checkIndexes(draft: Draft, table: TableSchema): void {
  for (const index of table.indexes) {
    const seen = new Map<string, Uuid>();
    const columns = index.flatMap((name) => table.columns.get(name) ?? []);
    for (const row of draft.rows(table.name)) {
      const key = columns.map((column) => JSON.stringify(encodeValue(column, row[column.name]))).join(' ');
      const other = seen.get(key);
      if (other !== undefined) {
        throw new Refusal(
          'constraint violation',
          `rows ${other} and ${row._uuid} of table ${table.name} have the same ${index.join(', ')}: ${key}`,
        );
      }
      seen.set(key, row._uuid);
    }
  }
}

function referring(table: TableSchema, strength: BaseType['refType']): ColumnSchema[] {
  const refers = (base: BaseType | undefined): boolean => base?.refTable !== undefined && base.refType === strength;
  return [...table.columns.values()].filter((column) => refers(column.key) || refers(column.value));
}

/** Each uuid in a column with the table it must be in. */
function* references(column: ColumnSchema, row: AnyRow): IterableIterator<readonly [Atom, string]> {
  const value = row[column.name];
  const keyTable = column.key.refTable;
  if (value instanceof Map) {
    const valueTable = column.value?.refTable;
    for (const [key, item] of value) {
      if (keyTable !== undefined) yield [key, keyTable];
      if (valueTable !== undefined) yield [item, valueTable];
    }
  } else if (keyTable !== undefined && value !== undefined) {
    for (const uuid of Array.isArray(value) ? value : [value]) yield [uuid, keyTable];
  }
}
