import { type Canonical, type Item, join, type Union, unionActions } from './items';
import { compareOwners, type Owner } from './owner';

/** One owner's wish for one identity. */
export interface Contribution {
  readonly owner: Owner;
  readonly item: Item;
}

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
 * those who want the same share it, unions are joined, and the rest lose. The order of `contributions` does not count.
 */
export function decide(contributions: readonly Contribution[], canonical: Canonical): Decision | undefined {
  const [only] = contributions;
  if (only === undefined) return undefined;
  if (contributions.length === 1) {
    return {
      item: outputsNothing(only.item) ? undefined : only.item,
      owner: only.owner,
      owners: [only.owner],
      losers: [],
    };
  }
  const sorted = [...contributions].sort(
    (left, right) => compareOwners(left.owner, right.owner) || byBody(left, right),
  );
  const winner = sorted[0] ?? only;
  const owners = new Set<Owner>([winner.owner]);
  const losers = new Set<Owner>();
  let union = unionOf(winner.item);
  for (const { owner, item } of sorted.slice(1)) {
    const other = unionOf(item);
    const joined = union !== undefined && other !== undefined ? join(union, other) : undefined;
    if (joined !== undefined) union = joined;
    else if (item.body !== winner.item.body) {
      losers.add(owner);
      continue;
    }
    owners.add(owner);
  }
  const item = union === undefined ? winner.item : withUnion(winner.item, union, canonical);
  return { item, owner: winner.owner, owners: [...owners], losers: [...losers] };
}

function byBody(left: Contribution, right: Contribution): number {
  return left.item.body < right.item.body ? -1 : left.item.body > right.item.body ? 1 : 0;
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
  const flow = { ...item.flow, actions: unionActions(union) };
  return { ...item, flow, union, body: canonical.flow(flow).body };
}
