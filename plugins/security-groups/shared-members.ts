import type { DesiredState } from '@patchbay/sdk';
import type { AddressSet, AddressSetName } from './address-sets';
import type { ConjunctionUse } from './conjunctions';
import { memberFlows } from './member-flows';

/** The uses of each set on each local VLAN. */
export type UsesByVlan = ReadonlyMap<number, ReadonlyMap<AddressSetName, readonly ConjunctionUse[]>>;

/** What stands on the switch for one set on one local VLAN. */
interface Stated {
  readonly set: AddressSetName;
  readonly localVlan: number;
  signature: string;
  readonly addresses: Set<string>;
}

/**
 * The address flows of remote groups, one key for each address, set and local VLAN: a member more or less touches its own keys and no
 * others. Of clauses that several sets have for one address the planner makes one flow.
 */
export class SharedMembers {
  private readonly stated = new Map<string, Stated>();

  constructor(
    private readonly bridge: string,
    private readonly desired: Pick<DesiredState, 'set' | 'unset'>,
  ) {}

  /** States what is used. `unused: 'keep'` leaves what is no longer used where it is: it is harmless, for no port refers to it. */
  update(
    uses: UsesByVlan,
    addressesOf: (set: AddressSetName) => AddressSet,
    changed: ReadonlySet<AddressSetName>,
    unused: 'keep' | 'remove',
  ): void {
    const current = new Set<string>();
    for (const [localVlan, sets] of uses) {
      for (const [set, wanted] of sets) {
        current.add(place(localVlan, set));
        this.updateOne(localVlan, set, wanted, addressesOf(set), changed.has(set));
      }
    }
    for (const [key, stated] of this.stated) {
      if (current.has(key)) continue;
      if (unused === 'remove') this.remove(key, stated);
      else if (changed.has(stated.set)) this.dropMissing(stated, addressesOf(stated.set));
    }
  }

  /** Whether something is stated that `uses` does not use. */
  hasUnused(uses: UsesByVlan): boolean {
    return [...this.stated.values()].some(({ localVlan, set }) => uses.get(localVlan)?.has(set) !== true);
  }

  private updateOne(
    localVlan: number,
    set: AddressSetName,
    uses: readonly ConjunctionUse[],
    addresses: AddressSet,
    changed: boolean,
  ): void {
    const signature = uses.map(spell).sort().join(';');
    const key = place(localVlan, set);
    const stated = this.stated.get(key) ?? { set, localVlan, signature: '', addresses: new Set<string>() };
    this.stated.set(key, stated);
    const same = stated.signature === signature;
    if (same && !changed) return;
    stated.signature = signature;
    for (const [name, address] of addresses) {
      if (same && stated.addresses.has(name)) continue;
      this.desired.set(memberKey(localVlan, set, name), {
        flows: memberFlows(this.bridge, localVlan, address, uses),
      });
      stated.addresses.add(name);
    }
    this.dropMissing(stated, addresses);
  }

  private dropMissing({ localVlan, set, addresses: stated }: Stated, addresses: AddressSet): void {
    for (const name of stated) {
      if (addresses.has(name)) continue;
      this.desired.unset(memberKey(localVlan, set, name));
      stated.delete(name);
    }
  }

  private remove(key: string, { localVlan, set, addresses }: Stated): void {
    for (const name of addresses) this.desired.unset(memberKey(localVlan, set, name));
    this.stated.delete(key);
  }
}

function memberKey(localVlan: number, set: AddressSetName, address: string): string {
  return `members/${localVlan}/${set}/${address}`;
}

function place(localVlan: number, set: AddressSetName): string {
  return `${localVlan} ${set}`;
}

function spell({ direction, ethertype, priority, ids }: ConjunctionUse): string {
  return `${direction} ${ethertype} ${priority} ${ids.map(({ state, id }) => `${state}${id}`).join()}`;
}
