import type { DesiredRecords } from '@patchbay/sdk';
import type { Compiled } from './compile';
import { compareOwners, type Owner } from './owner';
import { printReference, referenceTo, type Standing } from './reference-names';

/** A key as far as it counts here. */
interface Key {
  readonly owner: Owner;
  readonly records: DesiredRecords;
  readonly compiled: Pick<Compiled, 'items' | 'heldGroups' | 'references'>;
  readonly quarantine: string | undefined;
}

interface Entry {
  readonly stated: ReadonlyMap<string, Standing>;
  readonly named: ReadonlySet<string>;
}

const NO_ENTRY: Entry = { stated: new Map(), named: new Set() };

/** Which keys state groups and meters, which name them in flows, and whether they come: a flow goes to the switch with what it names or after it. */
export class References<One extends Key> {
  private readonly entries = new Map<One, Entry>();
  private readonly stating = new Map<string, Set<One>>();
  private readonly naming = new Map<string, Set<One>>();

  /** How it stands with one that any key but `except` states; undefined where nobody does. Then it may be another program's. */
  standing(reference: string, except?: One): Standing | undefined {
    let first: One | undefined;
    for (const key of this.stating.get(reference) ?? []) {
      if (key === except) continue;
      if (this.statedBy(key, reference) === 'comes') return 'comes';
      if (first === undefined || compareOwners(key.owner, first.owner) < 0) first = key;
    }
    return first && this.statedBy(first, reference);
  }

  /** The key was compiled. Answers the other keys to which that makes a difference: what they name stands otherwise. */
  update(key: One): ReadonlyMap<One, 'comes' | 'waits'> {
    const before = this.entries.get(key) ?? NO_ENTRY;
    const after = entryOf(key);
    const concerned = new Map<One, 'comes' | 'waits'>();
    if (before === NO_ENTRY && after === NO_ENTRY) return concerned;
    const references = new Set([...before.stated.keys(), ...after.stated.keys()]);
    const stood = new Map([...references].map((reference) => [reference, this.standing(reference)]));
    if (after === NO_ENTRY) this.entries.delete(key);
    else this.entries.set(key, after);
    for (const reference of before.stated.keys()) enter(this.stating, reference, key, 'delete');
    for (const reference of before.named) enter(this.naming, reference, key, 'delete');
    for (const reference of after.stated.keys()) enter(this.stating, reference, key, 'add');
    for (const reference of after.named) enter(this.naming, reference, key, 'add');
    for (const [reference, stand] of stood) {
      const stands = this.standing(reference);
      if (same(stand, stands)) continue;
      for (const other of this.naming.get(reference) ?? []) {
        if (other === key) continue;
        if (stands === 'comes') concerned.set(other, 'comes');
        else if (!concerned.has(other)) concerned.set(other, 'waits');
      }
    }
    return concerned;
  }

  private statedBy(key: One, reference: string): Standing | undefined {
    return this.entries.get(key)?.stated.get(reference);
  }
}

function entryOf({ records, compiled, quarantine }: Key): Entry {
  const { groups = [], meters = [] } = records;
  if (groups.length === 0 && meters.length === 0 && compiled.references.size === 0) return NO_ENTRY;
  const coming = new Set(
    compiled.items.flatMap(({ kind, bridge, identity }) => (kind === 'flow' ? [] : [referenceTo(bridge, identity)])),
  );
  const references = [
    ...groups.map(({ bridge, group }) => referenceTo(bridge, `group=${group}`)),
    ...meters.map(({ bridge, meter }) => referenceTo(bridge, `meter=${meter}`)),
  ];
  const stated = new Map(
    references.map((reference): [string, Standing] => {
      if (coming.has(reference)) return [reference, 'comes'];
      const held = compiled.heldGroups.get(reference);
      const reason = quarantine === undefined ? `waits for ${held}` : `was refused (${quarantine})`;
      return [reference, { waitingFor: `${printReference(reference)}, which ${reason}` }];
    }),
  );
  return { stated, named: compiled.references };
}

function same(left: Standing | undefined, right: Standing | undefined): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') return left === right;
  return left.waitingFor === right.waitingFor;
}

function enter<One>(index: Map<string, Set<One>>, reference: string, key: One, act: 'add' | 'delete'): void {
  const set = index.get(reference);
  if (act === 'add') {
    if (set === undefined) index.set(reference, new Set([key]));
    else set.add(key);
  } else if (set?.delete(key) === true && set.size === 0) index.delete(reference);
}
