import { randomUUID } from 'node:crypto';
import { decodeValue, encodeValue } from '../codec';
import { OvsdbValueError } from '../errors';
import type { TableSchema } from '../schema';
import { type AnyRow, sameValue, type Uuid, type Value } from '../values';
import { columnNamed, mutated, readConditions } from './conditions';
import { type Draft, Refusal } from './contents';

/** An operation as it came in, with the names of inserted rows already replaced by uuids. */
export type WireOperation = Readonly<Record<string, unknown>>;

/** A `wait` whose condition does not hold yet. */
export class Unmet extends Error {
  constructor(readonly timeoutMs: number | undefined) {
    super('a wait does not hold');
  }
}

/** Gives every named insert its uuid, and puts it wherever the name is used: also in operations before it. */
export function resolveNames(operations: readonly WireOperation[]): WireOperation[] {
  const names = new Map<string, string>();
  const withUuids = operations.map((operation) => {
    if (operation.op !== 'insert') return operation;
    const uuid = randomUUID();
    const name = operation['uuid-name'];
    if (typeof name === 'string') {
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new Refusal('syntax error', `"${name}" is no identifier`);
      if (names.has(name))
        throw new Refusal('duplicate uuid-name', `This "uuid-name" appeared on an earlier "insert": ${name}`);
      names.set(name, uuid);
    }
    return { ...operation, 'new-uuid': uuid };
  });
  return withUuids.map((operation) => substitute(operation, names) as WireOperation);
}

function substitute(json: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(json)) {
    if (json.length === 2 && json[0] === 'named-uuid') {
      const uuid = names.get(String(json[1]));
      if (uuid === undefined)
        throw new Refusal('syntax error', `No "uuid-name" ${String(json[1])} in this transaction.`);
      return ['uuid', uuid];
    }
    return json.map((item) => substitute(item, names));
  }
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, substitute(item, names)]));
}

/** Runs one operation on the draft and gives its result. @throws Refusal, Unmet */
export function runOperation(draft: Draft, operation: WireOperation, holdsLock: (name: string) => boolean): object {
  try {
    return run(draft, operation, holdsLock);
  } catch (error) {
    if (error instanceof OvsdbValueError) throw new Refusal('syntax error', error.message);
    throw error;
  }
}

function run(draft: Draft, operation: WireOperation, holdsLock: (name: string) => boolean): object {
  switch (operation.op) {
    case 'comment':
    case 'commit':
      return {};
    case 'abort':
      throw new Refusal('aborted', 'aborted by request');
    case 'assert':
      if (holdsLock(String(operation.lock))) return {};
      throw new Refusal('not owner', 'Asserted lock not held.');
    case 'insert':
    case 'select':
    case 'update':
    case 'mutate':
    case 'delete':
    case 'wait':
      return runOnTable(draft, draft.table(String(operation.table)), operation);
    default:
      throw new Refusal('unknown operation', `No operation named ${String(operation.op)}.`);
  }
}

function runOnTable(draft: Draft, table: TableSchema, operation: WireOperation): object {
  if (operation.op === 'insert') {
    const uuid = operation['new-uuid'] as Uuid;
    draft.insert(table.name, uuid, readRow(table, operation.row ?? {}));
    return { uuid: ['uuid', uuid] };
  }
  const matches = readConditions(table, operation.where);
  const rows = [...draft.rows(table.name)].filter(matches);
  switch (operation.op) {
    case 'select':
      return { rows: rows.map((row) => project(table, row, operation.columns)) };
    case 'update': {
      const columns = readRow(table, operation.row);
      for (const row of rows) draft.put(table.name, { ...row, ...columns });
      return { count: rows.length };
    }
    case 'mutate':
      for (const row of rows) draft.put(table.name, mutateRow(table, row, operation.mutations));
      return { count: rows.length };
    case 'delete':
      for (const row of rows) draft.remove(table.name, row._uuid);
      return { count: rows.length };
    default:
      return waitFor(table, rows, operation);
  }
}

function readRow(table: TableSchema, json: unknown): Record<string, Value> {
  if (typeof json !== 'object' || json === null) throw new Refusal('syntax error', 'Required "row" member is missing.');
  const row: Record<string, Value> = {};
  for (const [name, wire] of Object.entries(json)) {
    const column = columnNamed(table, name);
    const value = decodeValue(column, wire);
    try {
      encodeValue(column, value);
    } catch (error) {
      throw new Refusal('constraint violation', error instanceof Error ? error.message : String(error));
    }
    row[name] = value;
  }
  return row;
}

function mutateRow(table: TableSchema, row: AnyRow, mutations: unknown): AnyRow {
  const changed: Record<string, Value> = {};
  for (const [name, mutator, wire] of mutations as readonly [string, string, unknown][]) {
    const column = columnNamed(table, name);
    changed[name] = mutated(column, name in changed ? changed[name] : row[name], mutator, wire);
  }
  return { ...row, ...changed };
}

function project(table: TableSchema, row: AnyRow, columns: unknown): Record<string, unknown> {
  const names = Array.isArray(columns) ? (columns as string[]) : ['_uuid', ...table.columns.keys()];
  return Object.fromEntries(
    names.map((name) => [
      name,
      name === '_uuid' ? ['uuid', row._uuid] : encodeValue(columnNamed(table, name), row[name]),
    ]),
  );
}

function waitFor(table: TableSchema, rows: readonly AnyRow[], operation: WireOperation): object {
  const wanted = (operation.rows as unknown[]).map((row) => readRow(table, row));
  const names = Array.isArray(operation.columns) ? (operation.columns as string[]) : [...table.columns.keys()];
  const same = (left: Readonly<Record<string, Value>>, right: Readonly<Record<string, Value>>): boolean =>
    names.every((name) => sameValue(left[name], right[name]));
  const equal =
    wanted.every((row) => rows.some((present) => same(row, present))) &&
    rows.every((present) => wanted.some((row) => same(row, present)));
  if (equal === (operation.until === '==')) return {};
  throw new Unmet(typeof operation.timeout === 'number' ? operation.timeout : undefined);
}
