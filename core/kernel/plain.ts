import { KernelError } from './errors';

/**
 * A deeply frozen copy of plain data: what a structured clone would give, with its contents locked.
 * Refuses functions, symbols, instances of classes and loops, naming where they are.
 */
export function frozenCopy<T>(value: T, what: string): T {
  return copy(value, '', what, []) as T;
}

function copy(value: unknown, path: string, what: string, above: readonly object[]): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'symbol') throw refused(what, path, `it is a ${typeof value}`);
    return value;
  }
  if (above.includes(value)) throw refused(what, path, 'it contains itself');
  const within = [...above, value];
  if (Array.isArray(value)) {
    return Object.freeze(value.map((item, index) => copy(item, `${path}[${index}]`, what, within)));
  }
  if (!isPlainObject(value)) throw refused(what, path, `it is a ${value.constructor?.name ?? 'class instance'}`);
  const target: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const copied = copy(inner, path === '' ? key : `${path}.${key}`, what, within);
    if (key === '__proto__') throw refused(what, path, 'it has a key __proto__');
    target[key] = copied;
  }
  return Object.freeze(target);
}

/** True of objects made by braces, in this realm or another. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Equal as plain data. */
export function samePlain(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => samePlain(item, right[index]));
  }
  if (!isPlainObject(left) || !isPlainObject(right)) return false;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => samePlain(left[key], right[key]));
}

function refused(what: string, path: string, problem: string): Error {
  return KernelError.notPlainData({ what, field: path === '' ? 'its top' : path, problem });
}
