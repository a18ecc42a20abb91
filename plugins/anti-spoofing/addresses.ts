import ipaddr from 'ipaddr.js';

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

/** The address that stateless configuration gives an interface with that MAC address: EUI-64 under fe80::/64. */
export function linkLocalAddress(macAddress: string): string {
  const [first = 0, ...others] = macAddress.split(/[:-]/).map((byte) => Number.parseInt(byte, 16));
  const bytes = [first ^ 2, ...others.slice(0, 2), 0xff, 0xfe, ...others.slice(2)];
  return ipaddr.fromByteArray([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...bytes]).toString();
}
