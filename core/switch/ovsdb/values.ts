declare const uuidBrand: unique symbol;

/** The server's name of a row: 36 characters, lower case (RFC 7047 section 5.1). */
export type Uuid = string & { readonly [uuidBrand]: true };

/** Stands for the row that an earlier or later `insert` of the same transaction makes (RFC 7047 section 5.1). */
export class NamedUuid {
  constructor(
    readonly name: string,
    readonly table: string,
  ) {}
}

/**
 * A single value. An integer is a JavaScript number: OVSDB's are 64 bits wide, and beyond 2^53 (a counter of eight
 * petabytes) the last digits are lost in reading. Writing such a number is refused.
 */
export type Atom = string | number | boolean;

/** A column's value, decoded: exactly one atom, at most one, a set (sorted), or a map. */
export type Value = Atom | undefined | readonly Atom[] | ReadonlyMap<Atom, Atom>;

/** What every row has besides its columns. */
export interface Row {
  readonly _uuid: Uuid;
}

/** A row whose columns are not known at compile time. */
export type AnyRow = Row & { readonly [column: string]: Value };

const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(value: unknown): value is Uuid {
  return typeof value === 'string' && UUID_PATTERN.test(value);
}

/** The order in which the server keeps sets: numbers by size, text and uuids by character, false before true. */
export function compareAtoms(left: Atom, right: Atom): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** True where two decoded values of one column are the same; maps regardless of order. */
export function sameValue(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((atom, position) => atom === right[position]);
  }
  if (left instanceof Map && right instanceof Map) {
    if (left.size !== right.size) return false;
    for (const [key, value] of left) if (!right.has(key) || right.get(key) !== value) return false;
    return true;
  }
  return false;
}

/** True where both rows have the same columns with the same values. */
export function sameRow(left: AnyRow, right: AnyRow): boolean {
  const columns = Object.keys(left);
  return (
    columns.length === Object.keys(right).length &&
    columns.every((column) => column in right && sameValue(left[column], right[column]))
  );
}
