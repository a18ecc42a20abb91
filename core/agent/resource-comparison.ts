interface Revised {
  readonly revision_number?: number | null;
}

/** Whether an incoming object is of an older revision than the cached one. Without revisions nothing is older. */
export function isOlder(incoming: Revised, cached: Revised): boolean {
  const [next, present] = [incoming.revision_number, cached.revision_number];
  return typeof next === 'number' && typeof present === 'number' && next < present;
}

/** The strings under which an object is found by a field: the field's value, or each value of its list. */
export function valuesOf(object: object, field: string): readonly string[] {
  const value = (object as Record<string, unknown>)[field];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

/** Deep equality of plain data, but for some fields of the outermost object. */
export function sameBut(ignored: ReadonlySet<string>, a: object, b: object): boolean {
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const name of names) if (!ignored.has(name) && !same(left[name], right[name])) return false;
  return true;
}

const NOTHING: ReadonlySet<string> = new Set();

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return sameBut(NOTHING, a, b);
}

export function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const cut: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += size) cut.push(items.slice(start, start + size));
  return cut;
}
