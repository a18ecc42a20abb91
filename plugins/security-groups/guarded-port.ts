import type { BoundPort, Ethertype } from '@patchbay/sdk';
import { linkLocalAddress } from '../link-local';
import { parseNetwork } from './networks';

/** An address that the port may use under a MAC address. */
export interface AllowedPair {
  readonly macAddress: string;
  readonly ethertype: Ethertype;
  /** As flows match it; null: any address (a /0 pair). */
  readonly address: string | null;
}

/** What a port's flows are made from. */
export interface GuardedPort {
  readonly bridge: string;
  /** Its name on the bridge. */
  readonly name: string;
  readonly localVlan: number;
  /** Its own first. */
  readonly macAddresses: readonly [string, ...string[]];
  /** Each (MAC address, address) pair once: fixed IPs under the port's own MAC address, allowed pairs, and every MAC address's link-local address. */
  readonly pairs: readonly AllowedPair[];
}

/** How a port's connections are treated: `untracked` where all its groups are stateless, `mixed` where some are. */
export type Tracking = 'tracked' | 'mixed' | 'untracked';

export function guardedPort({ port, vif, localVlan }: BoundPort): GuardedPort {
  const own = (vif.macAddress || port.macAddress).toLowerCase();
  const allowed = port.allowedAddressPairs.map((pair) => ({
    ...pair,
    macAddress: (pair.macAddress || own).toLowerCase(),
  }));
  const macAddresses = new Set(allowed.map((pair) => pair.macAddress));
  macAddresses.delete(own);
  const all = [own, ...macAddresses] as const;
  const pairs = [
    ...port.fixedIps.map(({ ipAddress }) => pairOf(own, ipAddress)),
    ...allowed.map(({ macAddress, ipAddress }) => pairOf(macAddress, ipAddress)),
    ...all.map((macAddress): AllowedPair => ({ macAddress, ethertype: 'IPv6', address: linkLocalAddress(macAddress) })),
  ].filter((pair) => pair !== undefined);
  const unique = new Map(pairs.map((pair) => [`${pair.macAddress} ${pair.ethertype} ${pair.address}`, pair]));
  return { bridge: vif.bridge, name: vif.portName, localVlan, macAddresses: all, pairs: [...unique.values()] };
}

function pairOf(macAddress: string, text: string): AllowedPair | undefined {
  const network = parseNetwork(text);
  if (network === undefined) return undefined;
  return { macAddress, ethertype: network.ethertype, address: network.length === 0 ? null : network.text };
}
