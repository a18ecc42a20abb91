/**
 * The names of fields, OpenFlow's and the older ones that mean the same, as ovs-fields(7) and ovs-ofctl(8) spell them. The table of fields is
 * typed by them; a test holds that it has each.
 */

type UpTo3 = 0 | 1 | 2 | 3;
type UpTo7 = UpTo3 | 4 | 5 | 6 | 7;
type UpTo15 = UpTo7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

/** Registers of 32 bits: a port's name may stand for its number in one. */
export type Register = `reg${UpTo15}`;
/** Two, or four, registers side by side. */
export type WideRegister = `xreg${UpTo7}` | `xxreg${UpTo3}`;

type PortField = 'in_port' | 'in_port_oxm';
type PipelineField = 'metadata' | 'pkt_mark' | 'conj_id' | 'dp_hash' | 'recirc_id';
type TunnelField = 'tun_id' | 'tunnel_id' | 'tun_src' | 'tun_dst' | 'tun_ipv6_src' | 'tun_ipv6_dst';
type TunnelOptionField = 'tun_gbp_id' | 'tun_gbp_flags' | 'tun_flags';
type EthernetField = 'eth_dst' | 'dl_dst' | 'eth_src' | 'dl_src' | 'eth_type' | 'dl_type';
type VlanField = 'vlan_tci' | 'vlan_vid' | 'dl_vlan' | 'vlan_pcp' | 'dl_vlan_pcp';
type MplsField = 'mpls_label' | 'mpls_tc' | 'mpls_bos' | 'mpls_ttl';
type IpField = 'nw_proto' | 'ip_proto' | 'ip_dscp' | 'nw_tos' | 'nw_ecn' | 'ip_ecn' | 'nw_ttl' | 'ip_frag' | 'nw_frag';
type Ipv4Field = 'ip_src' | 'nw_src' | 'ipv4_src' | 'ip_dst' | 'nw_dst' | 'ipv4_dst';
type Ipv6Field = 'ipv6_src' | 'ipv6_dst' | 'ipv6_label' | 'ipv6_flabel';
type ConnectionField = 'ct_state' | 'ct_zone' | 'ct_mark' | 'ct_label' | 'ct_nw_proto' | 'ct_nw_src' | 'ct_nw_dst';
type ConnectionAddressField = 'ct_ipv6_src' | 'ct_ipv6_dst' | 'ct_tp_src' | 'ct_tp_dst';
/** `tp_src` and `tp_dst` are read by the protocol beside them. */
type TransportField = 'tp_src' | 'tp_dst' | 'tcp_src' | 'tcp_dst' | 'tcp_flags' | 'udp_src' | 'udp_dst';
type SctpField = 'sctp_src' | 'sctp_dst';
type IcmpField = 'icmp_type' | 'icmpv4_type' | 'icmp_code' | 'icmpv4_code' | 'icmpv6_type' | 'icmpv6_code';
type NeighbourField = 'nd_target' | 'ipv6_nd_target' | 'nd_sll' | 'nd_tll' | 'nd_reserved' | 'nd_options_type';
type ArpField = 'arp_op' | 'arp_spa' | 'arp_tpa' | 'arp_sha' | 'arp_tha';

/** What a flow can match, and actions can read or set. */
export type FieldName =
  | PortField
  | PipelineField
  | Register
  | WideRegister
  | TunnelField
  | TunnelOptionField
  | EthernetField
  | VlanField
  | MplsField
  | IpField
  | Ipv4Field
  | Ipv6Field
  | ConnectionField
  | ConnectionAddressField
  | TransportField
  | SctpField
  | IcmpField
  | NeighbourField
  | ArpField;

/** A field in the words of subfields too, where Open vSwitch writes its wire name: `NXM_NX_REG6`. */
export type FieldReference = FieldName | `NXM_${string}` | `OXM_${string}` | `ERICOXM_${string}`;

/** Bits of a field, or all of it: `'reg6[0..15]'`, `'reg9[31]'`, `'NXM_OF_ETH_SRC[]'`, `'reg6'`. */
export type SubfieldText = FieldReference | `${FieldReference}[${string}]`;
