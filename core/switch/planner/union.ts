import type { Action } from '@patchbay/sdk';

/** What makes the action lists of several owners into one: clauses of conjunctions, or ports to output to between the same other actions. */
export type Union =
  | { readonly kind: 'conjunction'; readonly clauses: readonly Action[] }
  | {
      readonly kind: 'output_set';
      readonly before: readonly Action[];
      readonly ports: readonly number[];
      readonly after: readonly Action[];
    };

/** The actions that a union comes to. */
export function unionActions(union: Union): readonly Action[] {
  if (union.kind === 'conjunction') return union.clauses;
  return [...union.before, ...union.ports.map((port): Action => ({ type: 'output', port })), ...union.after];
}

/** The union of two, or undefined where they are of different kinds or stand between different actions. */
export function join(left: Union, right: Union): Union | undefined {
  if (left.kind === 'conjunction' && right.kind === 'conjunction') {
    return { kind: 'conjunction', clauses: sortClauses([...left.clauses, ...right.clauses]) };
  }
  if (left.kind !== 'output_set' || right.kind !== 'output_set') return undefined;
  if (!sameActions(left.before, right.before) || !sameActions(left.after, right.after)) return undefined;
  return { ...left, ports: sortPorts([...left.ports, ...right.ports]) };
}

export function sortPorts(ports: readonly number[]): readonly number[] {
  return [...new Set(ports)].sort((left, right) => left - right);
}

/** By conjunction id, then clause; equal ones once. */
export function sortClauses(clauses: readonly Action[]): readonly Action[] {
  const unique = new Map<string, Action & { type: 'conjunction' }>();
  for (const clause of clauses) {
    if (clause.type === 'conjunction') unique.set(`${clause.id}/${clause.clause}/${clause.clauses}`, clause);
  }
  return [...unique.values()].sort((left, right) => left.id - right.id || left.clause - right.clause);
}

function sameActions(left: readonly Action[], right: readonly Action[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((action, index) => spell(action) === spell(right[index]));
}

function spell(action: Action | undefined): string {
  return JSON.stringify(action, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)) ?? '';
}
