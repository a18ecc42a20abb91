/**
 * The table of match fields: names, widths and wire identities, from ovs-fields(7) (Open vSwitch 3.1) and OpenFlow 1.3.5, 7.2.3.
 *
 * The order of the rows is the order in which fields are encoded: OpenFlow wants a field after the fields it depends on (OFPBMC_BAD_PREREQ).
 */

import type { FieldName, Register, WideRegister } from './field-names';

/** How ovs-ofctl writes a field's value. */
export type Notation =
  | 'decimal'
  | 'hexadecimal'
  | 'ethernet'
  | 'ipv4'
  | 'ipv6'
  | 'port'
  | 'ct_state'
  | 'tcp_flags'
  | 'frag';

/** Wire identity of a field: OXM class and field number, and the name under which ovs-ofctl writes it in a subfield. */
export interface WireIdentity {
  readonly name: string;
  readonly oxmClass: number;
  readonly oxmField: number;
}

/** What a field needs beside it in the match: one of the ethertypes, and one of the IP protocols. */
export interface Prerequisite {
  readonly ethTypes?: readonly number[];
  readonly ipProtocols?: readonly number[];
  readonly icmpTypes?: readonly number[];
}

export interface Field {
  /** Name of ovs-fields(7). */
  readonly name: FieldName;
  readonly aliases: readonly FieldName[];
  /** Significant bits. */
  readonly bits: number;
  /** Width on the wire. */
  readonly bytes: number;
  readonly notation: Notation;
  /** Identity used to encode. */
  readonly wire: WireIdentity;
  /** Other identities a switch may use for the same field. */
  readonly otherWire: readonly WireIdentity[];
  readonly maskable: boolean;
  readonly prerequisite?: Prerequisite;
  /** Position in an encoded match. */
  readonly order: number;
}

const NXM_0 = 0x0000;
const NXM_1 = 0x0001;
const OXM_BASIC = 0x8000;
const OXM_PACKET_REGISTERS = 0x8001;
/** Ericsson's class, in which Open vSwitch has had two fields of neighbour discovery since 2.11 (ovs-fields(7)). */
const ERICOXM = 0x1000;

const identity = (name: string, oxmClass: number, oxmField: number): WireIdentity => ({ name, oxmClass, oxmField });
const nxmOf = (name: string, number: number) => identity(`NXM_OF_${name}`, NXM_0, number);
const nxmNx = (name: string, number: number) => identity(`NXM_NX_${name}`, NXM_1, number);
const oxmOf = (name: string, number: number) => identity(`OXM_OF_${name}`, OXM_BASIC, number);

const IPV4: Prerequisite = { ethTypes: [0x0800] };
const IPV6: Prerequisite = { ethTypes: [0x86dd] };
const IP: Prerequisite = { ethTypes: [0x0800, 0x86dd] };
const ARP: Prerequisite = { ethTypes: [0x0806, 0x8035] };
const MPLS: Prerequisite = { ethTypes: [0x8847, 0x8848] };
const TCP: Prerequisite = { ...IP, ipProtocols: [6] };
const UDP: Prerequisite = { ...IP, ipProtocols: [17] };
const SCTP: Prerequisite = { ...IP, ipProtocols: [132] };
const ICMP: Prerequisite = { ...IPV4, ipProtocols: [1] };
const ICMPV6: Prerequisite = { ...IPV6, ipProtocols: [58] };
const NEIGHBOUR: Prerequisite = { ...ICMPV6, icmpTypes: [135, 136] };
const SOLICITATION: Prerequisite = { ...ICMPV6, icmpTypes: [135] };
const ADVERTISEMENT: Prerequisite = { ...ICMPV6, icmpTypes: [136] };

type Row = Omit<Field, 'order' | 'bytes' | 'aliases' | 'maskable' | 'otherWire' | 'wire'> & {
  readonly aliases?: readonly FieldName[];
  readonly bytes?: number;
  readonly exact?: true;
  /** First the identity that is sent, then those also understood. */
  readonly wires: readonly [WireIdentity, ...WireIdentity[]];
};

/** Registers of one width, from number 0 on. The names are held against those that types know by a test. */
const registers = (prefix: string, count: number, bits: number, wire: (index: number) => WireIdentity): Row[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `${prefix}${index}` as Register | WideRegister,
    bits,
    notation: 'hexadecimal',
    wires: [wire(index)],
  }));

const rows: readonly Row[] = [
  {
    name: 'in_port_oxm',
    bits: 32,
    notation: 'port',
    exact: true,
    wires: [oxmOf('IN_PORT', 0)],
  },
  { name: 'in_port', bits: 16, notation: 'port', exact: true, wires: [nxmOf('IN_PORT', 0)] },
  { name: 'metadata', bits: 64, notation: 'hexadecimal', wires: [oxmOf('METADATA', 2)] },
  ...registers('reg', 16, 32, (index) => nxmNx(`REG${index}`, index)),
  ...registers('xreg', 8, 64, (index) => identity(`OXM_OF_PKT_REG${index}`, OXM_PACKET_REGISTERS, index)),
  ...registers('xxreg', 4, 128, (index) => nxmNx(`XXREG${index}`, 111 + index)),
  { name: 'pkt_mark', bits: 32, notation: 'hexadecimal', wires: [nxmNx('PKT_MARK', 33)] },
  { name: 'conj_id', bits: 32, notation: 'decimal', exact: true, wires: [nxmNx('CONJ_ID', 37)] },
  { name: 'dp_hash', bits: 32, notation: 'hexadecimal', wires: [nxmNx('DP_HASH', 35)] },
  { name: 'recirc_id', bits: 32, notation: 'hexadecimal', exact: true, wires: [nxmNx('RECIRC_ID', 36)] },
  {
    name: 'tun_id',
    aliases: ['tunnel_id'],
    bits: 64,
    notation: 'hexadecimal',
    wires: [oxmOf('TUNNEL_ID', 38), nxmNx('TUN_ID', 16)],
  },
  { name: 'tun_src', bits: 32, notation: 'ipv4', wires: [nxmNx('TUN_IPV4_SRC', 31)] },
  { name: 'tun_dst', bits: 32, notation: 'ipv4', wires: [nxmNx('TUN_IPV4_DST', 32)] },
  { name: 'tun_ipv6_src', bits: 128, notation: 'ipv6', wires: [nxmNx('TUN_IPV6_SRC', 109)] },
  { name: 'tun_ipv6_dst', bits: 128, notation: 'ipv6', wires: [nxmNx('TUN_IPV6_DST', 110)] },
  { name: 'tun_gbp_id', bits: 16, notation: 'decimal', wires: [nxmNx('TUN_GBP_ID', 38)] },
  { name: 'tun_gbp_flags', bits: 8, notation: 'hexadecimal', wires: [nxmNx('TUN_GBP_FLAGS', 39)] },
  { name: 'tun_flags', bits: 16, notation: 'hexadecimal', wires: [nxmNx('TUN_FLAGS', 104)] },
  {
    name: 'eth_dst',
    aliases: ['dl_dst'],
    bits: 48,
    notation: 'ethernet',
    wires: [oxmOf('ETH_DST', 3), nxmOf('ETH_DST', 1)],
  },
  {
    name: 'eth_src',
    aliases: ['dl_src'],
    bits: 48,
    notation: 'ethernet',
    wires: [oxmOf('ETH_SRC', 4), nxmOf('ETH_SRC', 2)],
  },
  {
    name: 'eth_type',
    aliases: ['dl_type'],
    bits: 16,
    notation: 'hexadecimal',
    exact: true,
    wires: [oxmOf('ETH_TYPE', 5), nxmOf('ETH_TYPE', 3)],
  },
  { name: 'vlan_tci', bits: 16, notation: 'hexadecimal', wires: [nxmOf('VLAN_TCI', 4)] },
  { name: 'vlan_vid', bits: 13, bytes: 2, notation: 'hexadecimal', wires: [oxmOf('VLAN_VID', 6)] },
  {
    name: 'vlan_pcp',
    aliases: ['dl_vlan_pcp'],
    bits: 3,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('VLAN_PCP', 7)],
  },
  {
    name: 'mpls_label',
    bits: 20,
    bytes: 4,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('MPLS_LABEL', 34)],
    prerequisite: MPLS,
  },
  { name: 'mpls_tc', bits: 3, notation: 'decimal', exact: true, wires: [oxmOf('MPLS_TC', 35)], prerequisite: MPLS },
  { name: 'mpls_bos', bits: 1, notation: 'decimal', exact: true, wires: [oxmOf('MPLS_BOS', 36)], prerequisite: MPLS },
  { name: 'mpls_ttl', bits: 8, notation: 'decimal', exact: true, wires: [nxmNx('MPLS_TTL', 30)], prerequisite: MPLS },
  { name: 'ip_dscp', bits: 6, notation: 'decimal', exact: true, wires: [oxmOf('IP_DSCP', 8)], prerequisite: IP },
  { name: 'nw_tos', bits: 8, notation: 'decimal', exact: true, wires: [nxmOf('IP_TOS', 5)], prerequisite: IP },
  {
    name: 'nw_ecn',
    aliases: ['ip_ecn'],
    bits: 2,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('IP_ECN', 9), nxmNx('IP_ECN', 28)],
    prerequisite: IP,
  },
  { name: 'nw_ttl', bits: 8, notation: 'decimal', exact: true, wires: [nxmNx('IP_TTL', 29)], prerequisite: IP },
  { name: 'ip_frag', aliases: ['nw_frag'], bits: 2, notation: 'frag', wires: [nxmNx('IP_FRAG', 26)], prerequisite: IP },
  {
    name: 'nw_proto',
    aliases: ['ip_proto'],
    bits: 8,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('IP_PROTO', 10), nxmOf('IP_PROTO', 6)],
    prerequisite: IP,
  },
  {
    name: 'ip_src',
    aliases: ['nw_src', 'ipv4_src'],
    bits: 32,
    notation: 'ipv4',
    wires: [oxmOf('IPV4_SRC', 11), nxmOf('IP_SRC', 7)],
    prerequisite: IPV4,
  },
  {
    name: 'ip_dst',
    aliases: ['nw_dst', 'ipv4_dst'],
    bits: 32,
    notation: 'ipv4',
    wires: [oxmOf('IPV4_DST', 12), nxmOf('IP_DST', 8)],
    prerequisite: IPV4,
  },
  {
    name: 'ipv6_src',
    bits: 128,
    notation: 'ipv6',
    wires: [oxmOf('IPV6_SRC', 26), nxmNx('IPV6_SRC', 19)],
    prerequisite: IPV6,
  },
  {
    name: 'ipv6_dst',
    bits: 128,
    notation: 'ipv6',
    wires: [oxmOf('IPV6_DST', 27), nxmNx('IPV6_DST', 20)],
    prerequisite: IPV6,
  },
  {
    name: 'ipv6_label',
    aliases: ['ipv6_flabel'],
    bits: 20,
    bytes: 4,
    notation: 'hexadecimal',
    wires: [oxmOf('IPV6_FLABEL', 28), nxmNx('IPV6_LABEL', 27)],
    prerequisite: IPV6,
  },
  { name: 'ct_state', bits: 32, notation: 'ct_state', wires: [nxmNx('CT_STATE', 105)] },
  { name: 'ct_zone', bits: 16, notation: 'decimal', wires: [nxmNx('CT_ZONE', 106)] },
  { name: 'ct_mark', bits: 32, notation: 'hexadecimal', wires: [nxmNx('CT_MARK', 107)] },
  { name: 'ct_label', bits: 128, notation: 'hexadecimal', wires: [nxmNx('CT_LABEL', 108)] },
  { name: 'ct_nw_proto', bits: 8, notation: 'decimal', exact: true, wires: [nxmNx('CT_NW_PROTO', 119)] },
  { name: 'ct_nw_src', bits: 32, notation: 'ipv4', wires: [nxmNx('CT_NW_SRC', 120)], prerequisite: IPV4 },
  { name: 'ct_nw_dst', bits: 32, notation: 'ipv4', wires: [nxmNx('CT_NW_DST', 121)], prerequisite: IPV4 },
  { name: 'ct_ipv6_src', bits: 128, notation: 'ipv6', wires: [nxmNx('CT_IPV6_SRC', 122)], prerequisite: IPV6 },
  { name: 'ct_ipv6_dst', bits: 128, notation: 'ipv6', wires: [nxmNx('CT_IPV6_DST', 123)], prerequisite: IPV6 },
  { name: 'ct_tp_src', bits: 16, notation: 'decimal', wires: [nxmNx('CT_TP_SRC', 124)], prerequisite: IP },
  { name: 'ct_tp_dst', bits: 16, notation: 'decimal', wires: [nxmNx('CT_TP_DST', 125)], prerequisite: IP },
  {
    name: 'tcp_src',
    bits: 16,
    notation: 'decimal',
    wires: [oxmOf('TCP_SRC', 13), nxmOf('TCP_SRC', 9)],
    prerequisite: TCP,
  },
  {
    name: 'tcp_dst',
    bits: 16,
    notation: 'decimal',
    wires: [oxmOf('TCP_DST', 14), nxmOf('TCP_DST', 10)],
    prerequisite: TCP,
  },
  {
    name: 'tcp_flags',
    bits: 12,
    bytes: 2,
    notation: 'tcp_flags',
    wires: [nxmNx('TCP_FLAGS', 34), oxmOf('TCP_FLAGS', 42)],
    prerequisite: TCP,
  },
  {
    name: 'udp_src',
    bits: 16,
    notation: 'decimal',
    wires: [oxmOf('UDP_SRC', 15), nxmOf('UDP_SRC', 11)],
    prerequisite: UDP,
  },
  {
    name: 'udp_dst',
    bits: 16,
    notation: 'decimal',
    wires: [oxmOf('UDP_DST', 16), nxmOf('UDP_DST', 12)],
    prerequisite: UDP,
  },
  { name: 'sctp_src', bits: 16, notation: 'decimal', wires: [oxmOf('SCTP_SRC', 17)], prerequisite: SCTP },
  { name: 'sctp_dst', bits: 16, notation: 'decimal', wires: [oxmOf('SCTP_DST', 18)], prerequisite: SCTP },
  {
    name: 'icmp_type',
    aliases: ['icmpv4_type'],
    bits: 8,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('ICMPV4_TYPE', 19), nxmOf('ICMP_TYPE', 13)],
    prerequisite: ICMP,
  },
  {
    name: 'icmp_code',
    aliases: ['icmpv4_code'],
    bits: 8,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('ICMPV4_CODE', 20), nxmOf('ICMP_CODE', 14)],
    prerequisite: ICMP,
  },
  {
    name: 'icmpv6_type',
    bits: 8,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('ICMPV6_TYPE', 29), nxmNx('ICMPV6_TYPE', 21)],
    prerequisite: ICMPV6,
  },
  {
    name: 'icmpv6_code',
    bits: 8,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('ICMPV6_CODE', 30), nxmNx('ICMPV6_CODE', 22)],
    prerequisite: ICMPV6,
  },
  {
    name: 'nd_target',
    aliases: ['ipv6_nd_target'],
    bits: 128,
    notation: 'ipv6',
    wires: [oxmOf('IPV6_ND_TARGET', 31), nxmNx('ND_TARGET', 23)],
    prerequisite: NEIGHBOUR,
  },
  {
    name: 'nd_sll',
    bits: 48,
    notation: 'ethernet',
    wires: [oxmOf('IPV6_ND_SLL', 32), nxmNx('ND_SLL', 24)],
    prerequisite: SOLICITATION,
  },
  {
    name: 'nd_tll',
    bits: 48,
    notation: 'ethernet',
    wires: [oxmOf('IPV6_ND_TLL', 33), nxmNx('ND_TLL', 25)],
    prerequisite: ADVERTISEMENT,
  },
  {
    name: 'nd_reserved',
    bits: 32,
    notation: 'decimal',
    exact: true,
    wires: [identity('ERICOXM_OF_ICMPV6_ND_RESERVED', ERICOXM, 1)],
    prerequisite: NEIGHBOUR,
  },
  {
    name: 'nd_options_type',
    bits: 8,
    notation: 'decimal',
    exact: true,
    wires: [identity('ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE', ERICOXM, 2)],
    prerequisite: NEIGHBOUR,
  },
  {
    name: 'arp_op',
    bits: 16,
    notation: 'decimal',
    exact: true,
    wires: [oxmOf('ARP_OP', 21), nxmOf('ARP_OP', 15)],
    prerequisite: ARP,
  },
  {
    name: 'arp_spa',
    bits: 32,
    notation: 'ipv4',
    wires: [oxmOf('ARP_SPA', 22), nxmOf('ARP_SPA', 16)],
    prerequisite: ARP,
  },
  {
    name: 'arp_tpa',
    bits: 32,
    notation: 'ipv4',
    wires: [oxmOf('ARP_TPA', 23), nxmOf('ARP_TPA', 17)],
    prerequisite: ARP,
  },
  {
    name: 'arp_sha',
    bits: 48,
    notation: 'ethernet',
    wires: [oxmOf('ARP_SHA', 24), nxmNx('ARP_SHA', 17)],
    prerequisite: ARP,
  },
  {
    name: 'arp_tha',
    bits: 48,
    notation: 'ethernet',
    wires: [oxmOf('ARP_THA', 25), nxmNx('ARP_THA', 18)],
    prerequisite: ARP,
  },
];

/** Every field, in encoding order. */
export const FIELDS: readonly Field[] = rows.map((row, order) => {
  const { wires, exact, aliases, bytes, ...rest } = row;
  const [wire, ...otherWire] = wires;
  return {
    ...rest,
    aliases: aliases ?? [],
    bytes: bytes ?? Math.ceil(row.bits / 8),
    wire,
    otherWire,
    maskable: exact === undefined,
    order,
  };
});
