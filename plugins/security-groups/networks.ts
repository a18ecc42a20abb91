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
  const cidr = written.includes('/') ? written : `${written}/${ipaddr.IPv6.isValid(written) ? 128 : 32}`;
  if (!ipaddr.isValidCIDR(cidr)) return undefined;
  const [address, length] = ipaddr.parseCIDR(cidr);
  const isIpv4 = address.kind() === 'ipv4';
  const base = isIpv4 ? ipaddr.IPv4.networkAddressFromCIDR(cidr) : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  const whole = length === (isIpv4 ? 32 : 128);
  return {
    ethertype: isIpv4 ? 'IPv4' : 'IPv6',
    length,
    text: whole ? base.toString() : `${base.toString()}/${length}`,
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
