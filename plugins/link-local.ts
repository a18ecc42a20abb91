import ipaddr from 'ipaddr.js';

/** The address that stateless configuration gives an interface with that MAC address: EUI-64 under fe80::/64. */
export function linkLocalAddress(macAddress: string): string {
  const [first = 0, ...others] = macAddress.split(/[:-]/).map((byte) => Number.parseInt(byte, 16));
  const bytes = [first ^ 2, ...others.slice(0, 2), 0xff, 0xfe, ...others.slice(2)];
  return ipaddr.fromByteArray([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...bytes]).toString();
}
