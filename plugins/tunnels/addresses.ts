import { createHash } from 'node:crypto';
import type { NetworkInterfaceInfo } from 'node:os';
import type { TunnelEndpoint, TunnelType } from '@patchbay/sdk';
import ipaddr from 'ipaddr.js';

/** IFNAMSIZ less its terminating zero (Linux). */
const LONGEST_NAME = 15;

/** One text for one address; undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  return ipaddr.isValid(text) ? ipaddr.parse(text).toString() : undefined;
}

export function isIpv6(text: string): boolean {
  return ipaddr.IPv6.isValid(text);
}

/** Addresses on the interfaces of a host, as `os.networkInterfaces()` gives them. */
export function hostAddresses(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): readonly string[] {
  return Object.values(interfaces).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

/**
 * The port's name that Neutron's agent would choose. IPv4: the address in hexadecimal. IPv6: the start of a hash in base 32: SHA-1,
 * as Neutron 21 (Zed) has it; later agents hash otherwise, and their ports are recognised by type and remote address.
 */
export function tunnelPortName({ tunnelType, ipAddress }: TunnelEndpoint): string {
  const address = ipaddr.parse(ipAddress);
  if (address.kind() === 'ipv4') return `${tunnelType}-${hexadecimal(address.toByteArray())}`;
  const hash = base32(createHash('sha1').update(ipAddress, 'utf8').digest());
  return `${tunnelType}-${hash.slice(0, LONGEST_NAME - tunnelType.length - 1)}`;
}

/** Interface:type. GRE over IPv6 is a type of its own in OVS. */
export function interfaceType(tunnelType: TunnelType, remoteAddress: string): string {
  return tunnelType === 'gre' && isIpv6(remoteAddress) ? 'ip6gre' : tunnelType;
}

function hexadecimal(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** RFC 4648, section 6, in lower case and without padding. */
function base32(bytes: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let text = '';
  let rest = 0;
  let bits = 0;
  for (const byte of bytes) {
    rest = (rest << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(rest >> bits) & 31];
      rest &= (1 << bits) - 1;
    }
  }
  return bits === 0 ? text : text + alphabet[(rest << (5 - bits)) & 31];
}
