import type { Ethertype } from '@patchbay/sdk';
import ipaddr from 'ipaddr.js';

/** An address or prefix with its host bits cleared. */
export interface Network {
  readonly ethertype: Ethertype;
  /** Prefix length. */
  readonly length: number;
  /** In ovs-ofctl's notation; a prefix of one address is written as the address. */
  readonly text: string;
  readonly bytes: readonly number[];
}

/** Undefined for what is neither an address nor a prefix. */
export function parseNetwork(written: string): Network | undefined {
  // The family is known by the colon: trying the other first costs an exception for each address of a large group.
  const family = written.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4;
  const whole = family === ipaddr.IPv6 ? 128 : 32;
  const cidr = written.includes('/') ? written : `${written}/${whole}`;
  if (!family.isValidCIDR(cidr)) return undefined;
  const length = Number(cidr.slice(cidr.indexOf('/') + 1));
  const base = family.networkAddressFromCIDR(cidr);
  return {
    ethertype: family === ipaddr.IPv6 ? 'IPv6' : 'IPv4',
    length,
    text: length === whole ? base.toString() : `${base.toString()}/${length}`,
    bytes: base.toByteArray(),
  };
}

/** Whether an address lies in a network. */
export function contains(network: Network, address: Network): boolean {
  if (network.ethertype !== address.ethertype || address.length < network.length) return false;
  return network.bytes.every((byte, index) => {
    const counted = Math.min(8, Math.max(0, network.length - index * 8));
    const mask = (0xff << (8 - counted)) & 0xff;
    return (byte & mask) === ((address.bytes[index] ?? 0) & mask);
  });
}
