import type { ConntrackTuple, Direction } from '@patchbay/sdk';
import type { AddressSet, AddressSetName } from './address-sets';
import { contains, type Network, parseNetwork } from './networks';
import { PORT_PROTOCOLS } from './protocols';
import type { Rule } from './rules';

export type AddressesOf = (set: AddressSetName) => AddressSet | undefined;

/** Whether one of the rules lets the first packet of a connection through. What an ICMP rule says of type and code is not asked: conntrack does not tell. */
export function allows(
  rules: readonly Rule[],
  direction: Direction,
  connection: ConntrackTuple,
  addressesOf: AddressesOf,
): boolean {
  const text = direction === 'ingress' ? connection.source : connection.destination;
  const remote = text === undefined ? undefined : parseNetwork(text);
  return rules.some(
    (rule) =>
      rule.direction === direction &&
      rule.ethertype === connection.ethertype &&
      isTraffic(rule, connection) &&
      isRemote(rule, remote, addressesOf),
  );
}

function isTraffic({ traffic }: Rule, { protocol, destinationPort }: ConntrackTuple): boolean {
  if (traffic.kind === 'any') return true;
  if (traffic.protocol !== protocol) return false;
  if (traffic.kind !== 'ports' || !PORT_PROTOCOLS.has(protocol)) return true;
  return destinationPort === undefined || (destinationPort >= traffic.first && destinationPort <= traffic.last);
}

function isRemote({ remote }: Rule, address: Network | undefined, addressesOf: AddressesOf): boolean {
  if (remote.kind === 'anyone') return true;
  if (address === undefined) return false;
  if (remote.kind === 'prefix') {
    const prefix = parseNetwork(remote.prefix);
    return prefix !== undefined && contains(prefix, address);
  }
  const set = addressesOf(remote.set);
  if (set === undefined) return false;
  if (set.has(address.text)) return true;
  for (const { network } of set.values()) {
    if (network.text !== address.text && contains(network, address)) return true;
  }
  return false;
}
