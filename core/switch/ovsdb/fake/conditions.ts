import { decodeValue } from '../codec';
import type { ColumnSchema, TableSchema } from '../schema';
import { type AnyRow, type Atom, sameValue, type Value } from '../values';
import { Refusal } from './contents';

/** A test of one row, from the `where` of an operation. */
export function readConditions(table: TableSchema, where: unknown): (row: AnyRow) => boolean {
  if (!Array.isArray(where)) throw new Refusal('syntax error', 'Required "where" member is missing.');
  const clauses = where.map((clause) => readClause(table, clause));
  return (row) => clauses.every((holds) => holds(row));
}

function readClause(table: TableSchema, clause: unknown): (row: AnyRow) => boolean {
  if (!Array.isArray(clause) || clause.length !== 3) {
    throw new Refusal('syntax error', `Parse error in condition: ${JSON.stringify(clause)}`);
  }
  const [name, comparison, wire] = clause as [string, string, unknown];
  if (name === '_uuid') {
    const wanted = Array.isArray(wire) ? wire[1] : undefined;
    return comparison === '!=' || comparison === 'excludes'
      ? (row) => row._uuid !== wanted
      : (row) => row._uuid === wanted;
  }
  const column = columnNamed(table, name);
  const wanted = decodeValue(column.max === 1 ? column : { ...column, min: 0 }, wire);
  return (row) => compare(comparison, row[name], wanted);
}

function compare(comparison: string, present: Value, wanted: Value): boolean {
  switch (comparison) {
    case '==':
      return sameValue(present, wanted);
    case '!=':
      return !sameValue(present, wanted);
    case 'includes':
      return elements(wanted).every((element) => elements(present).includes(element));
    case 'excludes':
      return !elements(wanted).some((element) => elements(present).includes(element));
  }
  if (typeof present !== 'number' || typeof wanted !== 'number') return false;
  switch (comparison) {
    case '<':
      return present < wanted;
    case '<=':
      return present <= wanted;
    case '>':
      return present > wanted;
    case '>=':
      return present >= wanted;
    default:
      throw new Refusal('unknown function', `No function named ${comparison}.`);
  }
}

/** A value's elements as text, a map's pairs each as one, for membership. */
function elements(value: Value): readonly string[] {
  if (value === undefined) return [];
  if (value instanceof Map) return [...value].map((pair) => JSON.stringify(pair));
  return (Array.isArray(value) ? value : [value]).map((atom) => JSON.stringify(atom));
}

/** A column by name. @throws Refusal */
export function columnNamed(table: TableSchema, name: string): ColumnSchema {
  const column = table.columns.get(name);
  if (column !== undefined) return column;
  throw new Refusal('unknown column', `No column ${name} in table ${table.name}.`);
}

/** Applies one mutation of RFC 7047 section 5.1. @throws Refusal */
export function mutated(column: ColumnSchema, value: Value, mutator: string, wire: unknown): Value {
  if (mutator === 'insert' || mutator === 'delete') {
    return column.shape === 'map' ? mutatedMap(column, value, mutator, wire) : mutatedSet(column, value, mutator, wire);
  }
  if (typeof wire !== 'number') throw new Refusal('syntax error', `${mutator} needs a number`);
  const calculate = (atom: Atom): number => calculated(Number(atom), mutator, wire);
  if (Array.isArray(value)) return value.map(calculate);
  return value === undefined ? undefined : calculate(value as Atom);
}

function mutatedSet(column: ColumnSchema, value: Value, mutator: 'insert' | 'delete', wire: unknown): Value {
  const unbounded = { ...column, shape: 'set', min: 0, max: Number.POSITIVE_INFINITY } as const;
  const operand = decodeValue(unbounded, wire) as readonly Atom[];
  const present = value === undefined ? [] : Array.isArray(value) ? value : [value as Atom];
  const wanted =
    mutator === 'insert' ? new Set([...present, ...operand]) : present.filter((atom) => !operand.includes(atom));
  const next = decodeSorted([...wanted]);
  if (next.length > column.max || next.length < column.min) {
    throw new Refusal('constraint violation', `column ${column.name} may hold ${column.min} to ${column.max} elements`);
  }
  return column.shape === 'set' ? next : next[0];
}

function mutatedMap(column: ColumnSchema, value: Value, mutator: 'insert' | 'delete', wire: unknown): Value {
  const map = new Map(value as ReadonlyMap<Atom, Atom>);
  const isMap = Array.isArray(wire) && wire[0] === 'map';
  if (mutator === 'delete' && !isMap) {
    const keys = decodeValue(
      { ...column, shape: 'set', value: undefined, min: 0, max: Number.POSITIVE_INFINITY },
      wire,
    );
    for (const key of keys as readonly Atom[]) map.delete(key);
    return map;
  }
  for (const [key, item] of decodeValue(column, wire) as ReadonlyMap<Atom, Atom>) {
    if (mutator === 'insert') {
      if (!map.has(key)) map.set(key, item);
    } else if (map.get(key) === item) map.delete(key);
  }
  return map;
}

function decodeSorted(atoms: Atom[]): Atom[] {
  return atoms.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
}

function calculated(atom: number, mutator: string, operand: number): number {
  switch (mutator) {
    case '+=':
      return atom + operand;
    case '-=':
      return atom - operand;
    case '*=':
      return atom * operand;
    case '/=':
      if (operand === 0) throw new Refusal('domain error', 'Division by zero.');
      return Math.trunc(atom / operand);
    case '%=':
      if (operand === 0) throw new Refusal('domain error', 'Division by zero.');
      return atom % operand;
    default:
      throw new Refusal('unknown mutator', `No mutator named ${mutator}.`);
  }
}
