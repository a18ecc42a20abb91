import { isIPv4, isIPv6 } from 'node:net';
import { type Action, type FieldName, type Flow, protocol, type RemoteAddress, TunnelTable } from '@patchbay/sdk';
import type { ArpResponderConfig } from './config';

/** RFC 826: ar$op of a request and of a reply. */
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
/** RFC 4861, 4.3 and 4.4: ICMPv6 types of a neighbour solicitation and advertisement. */
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
/** RFC 4861, 4.4: the flags S (an answer) and O (overrides what is cached), in the first byte after the checksum. */
const SOLICITED_OVERRIDE = 0x60000000;
/** RFC 4861, 4.6.1: the option of an advertisement that holds the target's link-layer address. */
const TARGET_LINK_LAYER_ADDRESS = 2;
/** RFC 4291, 2.7.1 and RFC 2464, 7: Ethernet addresses of solicited-node multicast. */
const SOLICITED_NODES = '33:33:ff:00:00:00/ff:ff:ff:00:00:00';
/** RFC 4861, 7.2.2: a host that asks whether its own address is free has none yet, and gives no option that could be filled in. */
const UNSPECIFIED = '::';

/** Broadcast ARP is looked up in the responder's table; what it has no answer for is flooded as before. */
export function responderFlows(bridge: string, config: ArpResponderConfig): Flow[] {
  return [
    ...(config.nd_responder ? solicitationFlows(bridge) : []),
    {
      bridge,
      table: TunnelTable.fromIntegration,
      priority: 1,
      match: { ...protocol.arp, eth_dst: BROADCAST },
      actions: [{ type: 'goto_table', table: TunnelTable.arpResponder }],
    },
    {
      bridge,
      table: TunnelTable.arpResponder,
      priority: 0,
      match: {},
      actions: [{ type: 'goto_table', table: TunnelTable.flood }],
    },
  ];
}

/** Answers for addresses in a VLAN. */
export function answers(
  bridge: string,
  localVlan: number,
  addresses: readonly RemoteAddress[],
  config: ArpResponderConfig,
): Flow[] {
  return addresses.flatMap((address) => {
    if (isIPv4(address.ipAddress)) return [arpAnswer(bridge, localVlan, address)];
    return config.nd_responder && isIPv6(address.ipAddress) ? neighbourAnswer(bridge, localVlan, address) : [];
  });
}

/** Turns a request for the address into its answer and sends it back where it came from. */
function arpAnswer(bridge: string, localVlan: number, { macAddress, ipAddress }: RemoteAddress): Flow {
  return {
    bridge,
    table: TunnelTable.arpResponder,
    priority: 1,
    match: { ...protocol.arp, dl_vlan: localVlan, arp_op: ARP_REQUEST, arp_tpa: ipAddress },
    actions: [
      { type: 'set_field', field: 'arp_op', value: ARP_REPLY },
      move('arp_sha', 'arp_tha'),
      move('arp_spa', 'arp_tpa'),
      { type: 'set_field', field: 'arp_sha', value: macAddress },
      { type: 'set_field', field: 'arp_spa', value: ipAddress },
      move('eth_src', 'eth_dst'),
      { type: 'set_field', field: 'eth_src', value: macAddress },
      { type: 'output', port: 'IN_PORT' },
    ],
  };
}

/** Multicast solicitations are looked up too, but those of a host that checks whether its address is free. */
function solicitationFlows(bridge: string): Flow[] {
  const match = { ...protocol.icmp6, icmpv6_type: SOLICITATION, icmpv6_code: 0, eth_dst: SOLICITED_NODES };
  const table = TunnelTable.fromIntegration;
  return [
    { bridge, table, priority: 1, match, actions: [{ type: 'goto_table', table: TunnelTable.arpResponder }] },
    {
      bridge,
      table: TunnelTable.arpResponder,
      priority: 2,
      match: { ...protocol.icmp6, icmpv6_type: SOLICITATION, ipv6_src: UNSPECIFIED },
      actions: [{ type: 'goto_table', table: TunnelTable.flood }],
    },
  ];
}

/**
 * Two steps, for an advertisement's option may be set only in a packet that is known to be one: the first makes the solicitation
 * one and looks it up again. The source's option becomes the target's in place.
 */
function neighbourAnswer(bridge: string, localVlan: number, { macAddress, ipAddress }: RemoteAddress): Flow[] {
  const table = TunnelTable.arpResponder;
  const match = { ...protocol.icmp6, dl_vlan: localVlan, icmpv6_code: 0, nd_target: ipAddress };
  return [
    {
      bridge,
      table,
      priority: 1,
      match: { ...match, icmpv6_type: SOLICITATION },
      actions: [
        { type: 'set_field', field: 'icmpv6_type', value: ADVERTISEMENT },
        { type: 'resubmit', table },
      ],
    },
    {
      bridge,
      table,
      priority: 1,
      match: { ...match, icmpv6_type: ADVERTISEMENT },
      actions: [
        { type: 'set_field', field: 'nd_options_type', value: TARGET_LINK_LAYER_ADDRESS },
        { type: 'set_field', field: 'nd_reserved', value: SOLICITED_OVERRIDE },
        { type: 'set_field', field: 'nd_tll', value: macAddress },
        move('eth_src', 'eth_dst'),
        { type: 'set_field', field: 'eth_src', value: macAddress },
        move('ipv6_src', 'ipv6_dst'),
        { type: 'set_field', field: 'ipv6_src', value: ipAddress },
        { type: 'output', port: 'IN_PORT' },
      ],
    },
  ];
}

function move(source: FieldName, target: FieldName): Action {
  return { type: 'move', source: { field: source }, target: { field: target } };
}
