import ipaddr from 'ipaddr.js';
import { linkLocalAddress } from '../link-local';

/** Addresses that a port may answer for, as matches want them. */
export interface AllowedAddresses {
  /** `any`: a /0 prefix is among them, which no match can express and which allows everything anyway. */
  readonly ipv4: readonly string[] | 'any';
  readonly ipv6: readonly string[] | 'any';
}

/** Sorts addresses and prefixes by family, without duplicates. Each MAC address brings its link-local address (RFC 4291, appendix A). */
export function allowedAddresses(addresses: readonly string[], macAddresses: readonly string[]): AllowedAddresses {
  const networks = [...addresses, ...macAddresses.map(linkLocalAddress)].map(network);
  const family = (kind: 'ipv4' | 'ipv6') => {
    const ofKind = networks.filter((each) => each.kind === kind);
    return ofKind.some((each) => each.length === 0) ? 'any' : [...new Set(ofKind.map((each) => each.text))].sort();
  };
  return { ipv4: family('ipv4'), ipv6: family('ipv6') };
}

/** Host bits of a prefix are cleared; a prefix of one address is written as the address. */
function network(text: string): { readonly kind: 'ipv4' | 'ipv6'; readonly length: number; readonly text: string } {
  const cidr = text.includes('/') ? text : `${text}/${ipaddr.IPv6.isValid(text) ? 128 : 32}`;
  const [address, length] = ipaddr.parseCIDR(cidr);
  const kind = address.kind();
  const base = kind === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(cidr) : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  const whole = length === (kind === 'ipv4' ? 32 : 128);
  return { kind, length, text: whole ? base.toString() : `${base.toString()}/${length}` };
}
