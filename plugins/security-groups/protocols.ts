import type { Ethertype } from '@patchbay/sdk';

export const ICMP = 1;
export const ICMP6 = 58;
export const TCP = 6;
export const UDP = 17;
export const SCTP = 132;

/** Protocols whose ports Open vSwitch can match (ovs-fields(7)). */
export const PORT_PROTOCOLS: ReadonlySet<number> = new Set([TCP, UDP, SCTP]);

/** Names that Neutron's API takes, with IANA's numbers. */
const NUMBERS: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  icmp: ICMP,
  icmpv6: ICMP6,
  igmp: 2,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': ICMP6,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: SCTP,
  tcp: TCP,
  udp: UDP,
  udplite: 136,
  vrrp: 112,
};

/** Neutron's ways to say any protocol. */
const ANY: ReadonlySet<string> = new Set(['any', 'ip', '0']);

/** The number of a protocol by name or number; null: any; undefined: there is none. ICMP of an IPv6 rule is ICMPv6. */
export function protocolNumber(written: string | null, ethertype: Ethertype): number | null | undefined {
  const text = written?.trim().toLowerCase() ?? 'any';
  if (ANY.has(text)) return null;
  const number = /^\d+$/.test(text) ? Number(text) : NUMBERS[text];
  if (number === undefined || number > 255) return undefined;
  return number === ICMP && ethertype === 'IPv6' ? ICMP6 : number;
}
