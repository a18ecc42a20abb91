import type { Flow } from './model';

/** Deeper than any flow goes; a draft that contains itself ends here. */
const DEEPEST = 12;

class NotPlain extends Error {}

const sealed = new WeakSet<object>();

/**
 * A copy of the flow that nobody can change, its match and actions included; who states it twice states the same flow. A draft that is
 * no plain data is left as it is, for whoever takes it to refuse it by name.
 */
export function seal(draft: Flow): Flow {
  try {
    const copy = locked(draft, 0) as Flow;
    sealed.add(copy);
    return copy;
  } catch (error) {
    if (error instanceof NotPlain) return draft;
    throw error;
  }
}

/** Whether this is a flow that `flow()` made, which nobody can have changed since. What another copy of this package made is not known here. */
export function isSealed(value: object): boolean {
  return sealed.has(value);
}

function locked(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'symbol') throw new NotPlain();
    return value;
  }
  if (depth > DEEPEST) throw new NotPlain();
  if (Array.isArray(value)) return Object.freeze(value.map((item: unknown) => locked(item, depth + 1)));
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new NotPlain();
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new NotPlain();
    copy[key] = locked((value as Readonly<Record<string, unknown>>)[key], depth + 1);
  }
  return Object.freeze(copy);
}
