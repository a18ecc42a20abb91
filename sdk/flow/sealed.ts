import type { Flow } from './model';

/** Deeper than any flow goes; a draft that contains itself ends here. */
const DEEPEST = 12;

class NotPlain extends Error {}

class Same {
  constructor(value: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the field below is put on the object that is given, not on a new one.
    return value;
  }
}

/** A mark that nobody else can put on an object, nor see there: a private field. It costs a fifteenth of an entry in a WeakSet. */
class Seal extends Same {
  readonly #sealed = true;

  static isOn(value: object): boolean {
    return #sealed in value;
  }
}

function lock<T extends object>(value: T): T {
  new Seal(value);
  return Object.freeze(value);
}

/**
 * A copy of the flow that nobody can change, its match and actions included; who states it twice states the same flow. Parts of it that
 * nobody can change already are not copied. A draft that is no plain data is left as it is, for whoever takes it to refuse it by name.
 */
export function seal(draft: Flow): Flow {
  try {
    return locked(draft, 0) as Flow;
  } catch (error) {
    if (error instanceof NotPlain) return draft;
    throw error;
  }
}

/** A part of flows that was just made, made fast where it is, and what it was given copied. Flows that it goes into need no copy of it. */
export function fixed<T extends object>(made: T): T {
  try {
    lockParts(made as Record<string, unknown>, 0);
    return lock(made);
  } catch (error) {
    if (error instanceof NotPlain) return made;
    throw error;
  }
}

/** Whether this is a flow that `flow()` made, or a part of one, which nobody can have changed since. What another copy of this package made is not known here. */
export function isSealed(value: object): boolean {
  return Seal.isOn(value);
}

function locked(value: object, depth: number): object {
  if (Seal.isOn(value)) return value;
  if (depth > DEEPEST) throw new NotPlain();
  return Array.isArray(value) ? lockedList(value, depth) : lockedObject(value, depth);
}

function lockedList(list: readonly unknown[], depth: number): readonly unknown[] {
  const copy = list.slice();
  for (let index = 0; index < copy.length; index++) {
    const item = copy[index];
    if (isPart(item)) copy[index] = locked(item, depth + 1);
  }
  return lock(copy);
}

function lockedObject(value: object, depth: number): object {
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new NotPlain();
  const copy = { ...value };
  lockParts(copy, depth);
  // The mark takes room: what is within a flow is seldom met apart from it.
  return depth === 0 ? lock(copy) : Object.freeze(copy);
}

function lockParts(within: Record<string, unknown>, depth: number): void {
  for (const key in within) {
    if (key === '__proto__') throw new NotPlain();
    const part = within[key];
    if (isPart(part)) within[key] = locked(part, depth + 1);
  }
}

/** Something within that is to be locked, too. @throws NotPlain for what no flow has. */
function isPart(value: unknown): value is object {
  if (typeof value === 'function' || typeof value === 'symbol') throw new NotPlain();
  return typeof value === 'object' && value !== null;
}
