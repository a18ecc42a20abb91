import type { AddressGroup, Ethertype, GroupMember } from '@patchbay/sdk';
import { type Network, parseNetwork } from './networks';

/** Names the members of a security group, or the addresses of an address group. Part of the keys of the desired state. */
export type AddressSetName = `group/${string}` | `address-group/${string}`;

export const securityGroupSet = (id: string): AddressSetName => `group/${id}`;
export const addressGroupSet = (id: string): AddressSetName => `address-group/${id}`;

/** The set's kind and the id of what it is of. */
export function setOf(name: AddressSetName): { readonly kind: 'group' | 'address-group'; readonly id: string } {
  const slash = name.indexOf('/');
  return { kind: name.startsWith('group/') ? 'group' : 'address-group', id: name.slice(slash + 1) };
}

/** One element of an address set. */
export interface RemoteAddress {
  /** What tells it from the others of its set: the address or prefix, and for a /0 the MAC address that stands for it. */
  readonly key: string;
  readonly ethertype: Ethertype;
  /** As flows match it; null where every address is meant. */
  readonly address: string | null;
  /** Only where `address` is null: a member that may use any address is known by its MAC address. */
  readonly macAddress?: string;
  readonly network: Network;
}

export type AddressSet = ReadonlyMap<string, RemoteAddress>;

/** An address as it was written, and what it came to; undefined: it is no address. */
type Read = ReadonlyMap<string, RemoteAddress | undefined>;

/** The addresses of a set. Most stay from one reading to the next: those are not parsed again. */
export class AddressReader {
  private read: Read = new Map();

  /** Of a group's members. */
  members(members: readonly GroupMember[]): AddressSet {
    return this.readAll(members.map(({ ipAddress, macAddress }) => ({ ipAddress, macAddress })));
  }

  /** An address group's own; a /0 among them stands for everyone. */
  group({ addresses }: AddressGroup): AddressSet {
    return this.readAll(addresses.map((ipAddress) => ({ ipAddress, macAddress: undefined })));
  }

  private readAll(
    written: readonly { readonly ipAddress: string; readonly macAddress: string | undefined }[],
  ): AddressSet {
    const read = new Map<string, RemoteAddress | undefined>();
    const addresses = new Map<string, RemoteAddress>();
    for (const { ipAddress, macAddress } of written) {
      const text = `${ipAddress} ${macAddress ?? ''}`;
      const address = this.read.has(text) ? this.read.get(text) : remoteAddress(ipAddress, macAddress);
      read.set(text, address);
      if (address !== undefined) addresses.set(address.key, address);
    }
    this.read = read;
    return addresses;
  }
}

function remoteAddress(text: string, macAddress: string | undefined): RemoteAddress | undefined {
  const network = parseNetwork(text);
  if (network === undefined) return undefined;
  const { ethertype, length } = network;
  if (length > 0) return { key: network.text, ethertype, address: network.text, network };
  if (macAddress === undefined || macAddress === '') return { key: network.text, ethertype, address: null, network };
  const mac = macAddress.toLowerCase();
  return { key: `${network.text} of ${mac}`, ethertype, address: null, macAddress: mac, network };
}
