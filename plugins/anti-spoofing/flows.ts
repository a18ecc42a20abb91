import { type BoundPort, type Flow, IntegrationTable, type Match, protocol } from '@patchbay/sdk';
import { allowedAddresses } from './addresses';

/** RFC 4861, 4.4. */
const NEIGHBOUR_ADVERTISEMENT = 136;
/**
 * Frames without a VLAN id. Before its tag is set, a port is a trunk to NORMAL: a tagged frame that came this way would be in whatever
 * network has that VLAN. A wired port's tagged frames are left to NORMAL, which drops them.
 */
const NO_VLAN_ID = { vlan_tci: '0x0000/0x0fff' };
const UNICAST = '00:00:00:00:00:00/01:00:00:00:00:00';

/** Frames are held to the port's MAC addresses, ARP and neighbour advertisements to its addresses. They are those of Neutron's agent with a firewall that has none. */
export function antiSpoofingFlows({ port, vif }: BoundPort): Flow[] {
  const macAddresses = [
    ...new Set(
      [vif.macAddress, ...port.allowedAddressPairs.map((pair) => pair.macAddress)].filter((mac) => mac !== ''),
    ),
  ].map((mac) => mac.toLowerCase());
  const allowed = allowedAddresses(
    [
      ...port.fixedIps.map((fixed) => fixed.ipAddress),
      ...port.allowedAddressPairs.map((pair) => pair.ipAddress).filter((address) => address !== ''),
    ],
    macAddresses,
  );
  const from = { in_port: { port: vif.portName } };
  const goTo = (table: number, priority: number, match: Match, next: number): Flow => ({
    bridge: vif.bridge,
    table,
    priority,
    match: { ...from, ...match },
    actions: [{ type: 'goto_table', table: next }],
  });
  const arp = protocol.arp;
  const advertisement = { ...protocol.icmp6, icmpv6_type: NEIGHBOUR_ADVERTISEMENT };
  const { classifier, arpSpoofing, macSpoofing, localEgress, packetRateLimit } = IntegrationTable;
  return [
    goTo(classifier, 9, NO_VLAN_ID, macSpoofing),
    ...macAddresses.map((mac) => goTo(macSpoofing, 2, { eth_src: mac }, localEgress)),
    ...(allowed.ipv4 === 'any'
      ? []
      : [
          goTo(classifier, 10, { ...arp, ...NO_VLAN_ID }, arpSpoofing),
          ...allowed.ipv4.map((address) => goTo(arpSpoofing, 2, { ...arp, arp_spa: address }, macSpoofing)),
        ]),
    ...(allowed.ipv6 === 'any'
      ? []
      : [
          goTo(classifier, 10, { ...advertisement, ...NO_VLAN_ID }, arpSpoofing),
          ...allowed.ipv6.map((address) =>
            goTo(arpSpoofing, 2, { ...advertisement, nd_target: address }, packetRateLimit),
          ),
        ]),
  ];
}

/**
 * With explicitly_egress_direct: accepted frames of the port go to the port that owns their destination, or out of the host, without
 * NORMAL flooding them. `uplink` is the patch port that the port's segment leaves by; none for flat and local networks, as in Neutron's
 * agent. Only untagged frames take this way (a difference: a tagged frame of an access port is left to NORMAL, which drops it).
 */
export function directFlows({ port, vif, localVlan }: BoundPort, uplink: string | undefined): Flow[] {
  const { transient, localMacDirect, transientEgress } = IntegrationTable;
  const { bridge, portName } = vif;
  const mac = port.macAddress.toLowerCase();
  const toPort = { type: 'output', port: { port: portName } } as const;
  const flows: Flow[] = [
    {
      bridge,
      table: transient,
      priority: 9,
      match: { in_port: { port: portName }, vlan_vid: 0, eth_src: mac },
      actions: [
        { type: 'set_field', field: 'reg6', value: localVlan },
        { type: 'resubmit', table: localMacDirect },
      ],
    },
    {
      bridge,
      table: localMacDirect,
      priority: 12,
      match: { dl_vlan: localVlan, eth_dst: mac },
      actions: [{ type: 'pop_vlan' }, toPort],
    },
    { bridge, table: localMacDirect, priority: 12, match: { reg6: localVlan, eth_dst: mac }, actions: [toPort] },
  ];
  if (uplink !== undefined) {
    flows.push({
      bridge,
      table: transientEgress,
      priority: 10,
      match: { in_port: { port: portName }, eth_src: mac, eth_dst: UNICAST },
      actions: [
        { type: 'mod_vlan_vid', vlan: localVlan },
        { type: 'output', port: { port: uplink } },
      ],
    });
  }
  return flows;
}

/** What comes from out of the host is delivered the same way. */
export function directUplinkFlows(bridge: string, uplinks: readonly string[]): Flow[] {
  const { transient, localMacDirect, transientEgress } = IntegrationTable;
  return [
    {
      bridge,
      table: localMacDirect,
      priority: 0,
      match: {},
      actions: [{ type: 'goto_table', table: transientEgress }],
    },
    ...uplinks.map(
      (port): Flow => ({
        bridge,
        table: transient,
        priority: 4,
        match: { in_port: { port } },
        actions: [{ type: 'goto_table', table: localMacDirect }],
      }),
    ),
  ];
}
