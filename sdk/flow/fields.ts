import { FlowNotationError } from './errors';
import { FIELDS, type Field } from './field-table';

export type { Field, Notation, Prerequisite, WireIdentity } from './field-table';
export { FIELDS } from './field-table';

const byName = new Map<string, Field>();
const byWireName = new Map<string, Field>();
for (const field of FIELDS) {
  for (const name of [field.name, ...field.aliases]) byName.set(name, field);
  for (const wire of [field.wire, ...field.otherWire]) byWireName.set(wire.name, field);
}

/** `tp_src` and `tp_dst` are read by the protocol beside them; without one, as TCP's. */
byName.set('tp_src', fieldNamed('tcp_src'));
byName.set('tp_dst', fieldNamed('tcp_dst'));

/** The field of that name or alias (`dl_src`, `NXM_NX_REG6`), or undefined. */
export function findField(name: string): Field | undefined {
  return byName.get(name) ?? byWireName.get(name);
}

/** @throws FlowNotationError when there is no such field. */
export function fieldNamed(name: string): Field {
  const field = findField(name);
  if (field === undefined) throw new FlowNotationError(name, 'no such field; the names are those of ovs-fields(7)');
  return field;
}

/** Name under which ovs-ofctl 3.1 writes a field in a subfield: the Nicira name where there is one. */
export function subfieldName(field: Field): string {
  return [field.wire, ...field.otherWire].find((wire) => wire.name.startsWith('NXM_'))?.name ?? field.wire.name;
}

/** ct_state's flags by bit, from ovs-fields(7). */
export const CT_STATE_FLAGS = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat'] as const;

/** tcp_flags by bit, from ovs-fields(7). */
export const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns'] as const;

/** ip_frag's words and their value and mask: bit 0 is any fragment, bit 1 a later one (ovs-fields(7)). */
export const FRAGMENT_WORDS: Readonly<Record<string, readonly [value: number, mask: number]>> = {
  no: [0, 3],
  yes: [1, 1],
  first: [1, 3],
  later: [3, 3],
  not_later: [0, 2],
};

/** Match prerequisites behind ovs-ofctl's shorthands, ready to be spread into a match: `{ ...protocol.tcp, tcp_dst: 22 }`. */
export const protocol = {
  ip: { eth_type: 0x0800 },
  ipv6: { eth_type: 0x86dd },
  arp: { eth_type: 0x0806 },
  rarp: { eth_type: 0x8035 },
  icmp: { eth_type: 0x0800, nw_proto: 1 },
  icmp6: { eth_type: 0x86dd, nw_proto: 58 },
  tcp: { eth_type: 0x0800, nw_proto: 6 },
  tcp6: { eth_type: 0x86dd, nw_proto: 6 },
  udp: { eth_type: 0x0800, nw_proto: 17 },
  udp6: { eth_type: 0x86dd, nw_proto: 17 },
  sctp: { eth_type: 0x0800, nw_proto: 132 },
  sctp6: { eth_type: 0x86dd, nw_proto: 132 },
  mpls: { eth_type: 0x8847 },
  mplsm: { eth_type: 0x8848 },
} as const satisfies Record<string, { readonly eth_type: number; readonly nw_proto?: number }>;

/** Reserved port numbers of OpenFlow 1.1 and later (OFPP_*). */
export const RESERVED_PORTS = {
  IN_PORT: 0xfffffff8,
  TABLE: 0xfffffff9,
  NORMAL: 0xfffffffa,
  FLOOD: 0xfffffffb,
  ALL: 0xfffffffc,
  CONTROLLER: 0xfffffffd,
  LOCAL: 0xfffffffe,
  ANY: 0xffffffff,
} as const;

/** How vlan_vid says that a tag is there (OFPVID_PRESENT, OpenFlow 1.3.5, 7.2.3.7). */
export const VLAN_PRESENT = 0x1000;
