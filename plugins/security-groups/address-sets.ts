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

/** Addresses of a group's members; what is no address is left out. */
export function addressesOfMembers(members: readonly GroupMember[]): AddressSet {
  return setFrom(members.map(({ ipAddress, macAddress }) => remoteAddress(ipAddress, macAddress)));
}

/** An address group's own; a /0 among them stands for everyone. */
export function addressesOfGroup(group: AddressGroup): AddressSet {
  return setFrom(group.addresses.map((address) => remoteAddress(address, undefined)));
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

function setFrom(addresses: readonly (RemoteAddress | undefined)[]): AddressSet {
  return new Map(addresses.flatMap((address) => (address === undefined ? [] : [[address.key, address] as const])));
}
