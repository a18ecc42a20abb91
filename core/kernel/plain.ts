import { isSealed } from '@patchbay/sdk/flow';
import { KernelError } from './errors';

/**
 * A deeply frozen copy of plain data: what a structured clone would give, with its contents locked. Flows that the SDK sealed are in it
 * as they are: nobody can change them, and who keeps them is known to have stated the same again.
 * Refuses functions, symbols, instances of classes and loops, naming where they are.
 */
export function frozenCopy<T>(value: T, what: string): T {
  return copy(value, [], what) as T;
}

/** `above` are the objects that the value is in. Its path is worked out only where it is refused: nearly everything is not. */
function copy(value: unknown, above: object[], what: string): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'symbol')
      throw refused(what, above, value, `it is a ${typeof value}`);
    return value;
  }
  if (isSealed(value)) return value;
  if (above.includes(value)) throw refused(what, above, value, 'it contains itself');
  above.push(value);
  const copied = Array.isArray(value) ? copyList(value, above, what) : copyObject(value, above, what);
  above.pop();
  return Object.freeze(copied);
}

function copyList(list: readonly unknown[], above: object[], what: string): unknown[] {
  return list.map((item) => copy(item, above, what));
}

function copyObject(value: object, above: object[], what: string): Record<string, unknown> {
  if (!isPlainObject(value)) {
    throw refused(what, above.slice(0, -1), value, `it is a ${value.constructor?.name ?? 'class instance'}`);
  }
  const target: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw refused(what, above.slice(0, -1), value, 'it has a key __proto__');
    target[key] = copy(value[key], above, what);
  }
  return target;
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

function refused(what: string, above: readonly object[], value: unknown, problem: string): Error {
  return KernelError.notPlainData({ what, field: above.length === 0 ? 'its top' : pathOf([...above, value]), problem });
}

/** `gates[0].tag`: the way through a chain of objects, each in the one before. */
function pathOf(chain: readonly unknown[]): string {
  let path = '';
  for (let index = 1; index < chain.length; index++) {
    const [outer, inner] = [chain[index - 1], chain[index]];
    if (Array.isArray(outer)) path += `[${outer.indexOf(inner)}]`;
    else {
      const key = Object.entries(outer as object).find(([, one]) => one === inner)?.[0] ?? '?';
      path += path === '' ? key : `.${key}`;
    }
  }
  return path;
}
