import type { Canonical, Item } from './items';
import { compareOwners, compareText, type Owner } from './owner';
import { join, type Union } from './union';

/** What is to be there, and who lost. */
export interface Decision {
  /** Undefined: nothing is to be there (a union with no port yet). */
  readonly item: Item | undefined;
  /** Whose cookie it carries: the first of those who agree. */
  readonly owner: Owner;
  readonly owners: readonly Owner[];
  /** Owners who want something else under the same identity. */
  readonly losers: readonly Owner[];
}

/**
 * Decides between all that is wanted for one bridge, table, priority and match. The first owner in the plugins' order wins;
 * those who want the same share it, unions are joined, and the rest lose. The order of `wanted` does not count.
 */
export function decide(wanted: readonly Item[], canonical: Canonical): Decision | undefined {
  const [winner, ...others] = [...wanted].sort(
    (left, right) =>
      compareOwners(left.owner, right.owner) || compareText(left.body, right.body) || compareForms(left, right),
  );
  if (winner === undefined) return undefined;
  const owners = new Set<Owner>([winner.owner]);
  const losers = new Set<Owner>();
  let union = unionOf(winner);
  for (const item of others) {
    const other = unionOf(item);
    const joined = union !== undefined && other !== undefined ? join(union, other) : undefined;
    if (joined !== undefined) union = joined;
    else if (item.body !== winner.body) {
      losers.add(item.owner);
      continue;
    }
    owners.add(item.owner);
  }
  const item = union === undefined ? winner : withUnion(winner, union, canonical);
  return { item, owner: winner.owner, owners: [...owners], losers: [...losers] };
}

/** Of two that come to the same, what is plain stands before a set of ports, which more may join; of two sets, that with less before it. */
function compareForms(left: Item, right: Item): number {
  const [one, other] = [unionOf(left), unionOf(right)];
  if (one?.kind !== 'output_set' || other?.kind !== 'output_set') {
    return Number(one !== undefined) - Number(other !== undefined);
  }
  return one.before.length - other.before.length || one.ports.length - other.ports.length;
}

function unionOf(item: Item): Union | undefined {
  return item.kind === 'flow' ? item.union : undefined;
}

/** A set of ports with no port in it. */
export function outputsNothing(item: Item): boolean {
  return nothingToOutput(unionOf(item));
}

function nothingToOutput(union: Union | undefined): boolean {
  return union?.kind === 'output_set' && union.ports.length === 0;
}

function withUnion(item: Item, union: Union, canonical: Canonical): Item | undefined {
  if (item.kind !== 'flow') return item;
  if (nothingToOutput(union)) return undefined;
  return item.joined(union, canonical);
}
