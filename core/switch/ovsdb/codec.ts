import { OvsdbValueError } from './errors';
import type { BaseType, ColumnSchema } from './schema';
import { type Atom, compareAtoms, isUuid, NamedUuid, type Value } from './values';

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** The value a column has where a row was inserted without it (RFC 7047 section 5.2.1); `update2` leaves such columns out. */
export function defaultValue(column: ColumnSchema): Value {
  if (column.shape === 'map') return new Map();
  if (column.min === 0) return column.shape === 'set' ? [] : undefined;
  const atom = defaultAtom(column.key);
  return column.shape === 'set' ? [atom] : atom;
}

function defaultAtom(base: BaseType): Atom {
  switch (base.type) {
    case 'integer':
    case 'real':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return NIL_UUID;
  }
}

/**
 * Decodes a `<value>` of RFC 7047 section 5.1 by the column's type.
 * @throws OvsdbValueError where the server's value does not fit its own schema.
 */
export function decodeValue(column: ColumnSchema, wire: unknown): Value {
  switch (column.shape) {
    case 'scalar':
      return decodeAtom(column, column.key, wire);
    case 'optional': {
      const atoms = decodeAtoms(column, wire);
      if (atoms.length > 1) throw unfit(column, wire);
      return atoms[0];
    }
    case 'set':
      return decodeAtoms(column, wire).sort(compareAtoms);
    case 'map':
      return decodeMap(column, wire);
  }
}

function decodeAtoms(column: ColumnSchema, wire: unknown): Atom[] {
  if (!Array.isArray(wire) || wire[0] !== 'set') return [decodeAtom(column, column.key, wire)];
  if (!Array.isArray(wire[1])) throw unfit(column, wire);
  return wire[1].map((atom) => decodeAtom(column, column.key, atom));
}

function decodeMap(column: ColumnSchema, wire: unknown): Map<Atom, Atom> {
  if (column.value === undefined || !Array.isArray(wire) || wire[0] !== 'map' || !Array.isArray(wire[1])) {
    throw unfit(column, wire);
  }
  const map = new Map<Atom, Atom>();
  for (const pair of wire[1]) {
    if (!Array.isArray(pair)) throw unfit(column, wire);
    map.set(decodeAtom(column, column.key, pair[0]), decodeAtom(column, column.value, pair[1]));
  }
  return map;
}

function decodeAtom(column: ColumnSchema, base: BaseType, wire: unknown): Atom {
  switch (base.type) {
    case 'string':
      if (typeof wire === 'string') return wire;
      break;
    case 'integer':
    case 'real':
      if (typeof wire === 'number') return wire;
      break;
    case 'boolean':
      if (typeof wire === 'boolean') return wire;
      break;
    case 'uuid':
      if (Array.isArray(wire) && wire[0] === 'uuid' && typeof wire[1] === 'string') return wire[1];
      break;
  }
  throw unfit(column, wire);
}

function unfit(column: ColumnSchema, wire: unknown): OvsdbValueError {
  const seen = JSON.stringify(wire)?.slice(0, 80);
  return new OvsdbValueError(column.table, column.name, `the server sent ${seen}, which is no ${describe(column)}`);
}

/**
 * Applies the difference that a `modify` of `update2` carries (ovsdb-server(7), section 4.1.15): the new value for a column
 * that holds at most one element; for a set the elements that enter or leave it; for a map the pairs that enter or leave
 * it, and the new value of those that change.
 */
export function applyDifference(column: ColumnSchema, old: Value, wire: unknown): Value {
  if (column.max === 1) return decodeValue(column, wire);
  if (column.shape === 'map') {
    const map = new Map(old as ReadonlyMap<Atom, Atom>);
    for (const [key, value] of decodeMap(column, wire)) {
      if (map.get(key) === value) map.delete(key);
      else map.set(key, value);
    }
    return map;
  }
  const set = new Set(old as readonly Atom[]);
  for (const atom of decodeAtoms(column, wire)) if (!set.delete(atom)) set.add(atom);
  return [...set].sort(compareAtoms);
}

/** The difference that `applyDifference` turns `old` into `next` with, on the wire. */
export function encodeDifference(column: ColumnSchema, old: Value, next: Value): unknown {
  if (column.max === 1) return encodeValue(column, next);
  if (column.shape === 'map') {
    const before = old as ReadonlyMap<Atom, Atom>;
    const after = next as ReadonlyMap<Atom, Atom>;
    const gone = [...before].filter(([key]) => !after.has(key));
    const entered = [...after].filter(([key, value]) => before.get(key) !== value);
    return encodePairs(column, [...gone, ...entered]);
  }
  const before = new Set(old as readonly Atom[]);
  const after = new Set(next as readonly Atom[]);
  const changed = [
    ...[...before].filter((atom) => !after.has(atom)),
    ...[...after].filter((atom) => !before.has(atom)),
  ];
  return ['set', changed.map((atom) => encodeAtom(column, column.key, atom))];
}

/**
 * Encodes what a caller wants in a column: an atom, undefined for "none" in an optional column, an array or a Set, a Map
 * or a plain object. A row may be named by its uuid or by the `NamedUuid` of an insert.
 * @throws OvsdbValueError where the column's type does not admit it.
 */
export function encodeValue(column: ColumnSchema, value: unknown): unknown {
  if (column.shape === 'map') {
    const pairs = pairsOf(column, value);
    bounded(column, pairs.length);
    return encodePairs(column, pairs);
  }
  if (column.shape === 'scalar') return encodeAtom(column, column.key, value);
  const atoms = elementsOf(value);
  bounded(column, atoms.length);
  return encodeSet(column, atoms);
}

/** Encodes elements to add to, or take from, a set, without regard to how many the column may hold. */
export function encodeElements(column: ColumnSchema, value: unknown): unknown {
  return column.shape === 'map' ? encodePairs(column, pairsOf(column, value)) : encodeSet(column, elementsOf(value));
}

/** Encodes the keys that a `delete` mutation takes out of a map whatever their values. */
export function encodeKeys(column: ColumnSchema, keys: Iterable<unknown>): unknown {
  return encodeSet(column, [...keys]);
}

function encodeSet(column: ColumnSchema, atoms: readonly unknown[]): unknown {
  return ['set', atoms.map((atom) => encodeAtom(column, column.key, atom))];
}

function encodePairs(column: ColumnSchema, pairs: readonly (readonly [unknown, unknown])[]): unknown {
  const { value } = column;
  if (value === undefined) throw new OvsdbValueError(column.table, column.name, 'is no map');
  return ['map', pairs.map(([key, item]) => [encodeAtom(column, column.key, key), encodeAtom(column, value, item)])];
}

function elementsOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  return value instanceof Set ? [...value] : [value];
}

function pairsOf(column: ColumnSchema, value: unknown): (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...value];
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof NamedUuid) {
    throw wrong(column, value, describe(column));
  }
  const numeric = column.key.type === 'integer' || column.key.type === 'real';
  return Object.entries(value).map(([key, item]) => [numeric ? Number(key) : key, item]);
}

function bounded(column: ColumnSchema, count: number): void {
  if (count >= column.min && count <= column.max) return;
  throw new OvsdbValueError(column.table, column.name, `${count} elements; it holds ${column.min} to ${column.max}`);
}

function encodeAtom(column: ColumnSchema, base: BaseType, atom: unknown): unknown {
  switch (base.type) {
    case 'uuid':
      if (atom instanceof NamedUuid) return ['named-uuid', atom.name];
      if (isUuid(atom)) return ['uuid', atom];
      throw wrong(column, atom, 'uuid or NamedUuid');
    case 'integer':
      if (typeof atom !== 'number' || !Number.isSafeInteger(atom)) throw wrong(column, atom, 'integer');
      break;
    case 'real':
      if (typeof atom !== 'number' || !Number.isFinite(atom)) throw wrong(column, atom, 'number');
      break;
    case 'boolean':
      if (typeof atom !== 'boolean') throw wrong(column, atom, 'boolean');
      break;
    case 'string':
      if (typeof atom !== 'string') throw wrong(column, atom, 'string');
      // The server holds strings as C does, and refuses what does not fit.
      if (atom.includes('\u0000')) throw wrong(column, atom, 'string without a NUL character');
      break;
  }
  if (base.enum !== undefined && !base.enum.has(atom)) {
    throw wrong(column, atom, `one of ${[...base.enum].join(', ')}`);
  }
  if (typeof atom === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = base;
    if (atom < minimum || atom > maximum) throw wrong(column, atom, `number in ${minimum}..${maximum}`);
  }
  return atom;
}

function wrong(column: ColumnSchema, value: unknown, wanted: string): OvsdbValueError {
  const seen =
    value instanceof NamedUuid ? `the inserted ${value.table} row` : (JSON.stringify(value) ?? String(value));
  return new OvsdbValueError(column.table, column.name, `${seen.slice(0, 80)} is no ${wanted}`);
}

function describe(column: ColumnSchema): string {
  switch (column.shape) {
    case 'scalar':
      return column.key.type;
    case 'optional':
      return `${column.key.type} or nothing`;
    case 'set':
      return `set of ${column.key.type}`;
    case 'map':
      return `map of ${column.key.type} to ${column.value?.type}`;
  }
}
