import { isIPv4 } from 'node:net';
import { type Action, type Flow, protocol, type RemoteAddress, TunnelTable } from '@patchbay/sdk';
import type { ArpResponderConfig } from './config';

/** RFC 826: ar$op of a request and of a reply. */
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** Broadcast ARP is looked up in the responder's table; what it has no answer for is flooded as before. */
export function responderFlows(bridge: string, _config: ArpResponderConfig): Flow[] {
  return [
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
  _config: ArpResponderConfig,
): Flow[] {
  return addresses.flatMap((address) => (isIPv4(address.ipAddress) ? [arpAnswer(bridge, localVlan, address)] : []));
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

function move(source: string, target: string): Action {
  return { type: 'move', source: { field: source }, target: { field: target } };
}
