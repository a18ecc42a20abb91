import {
  type BoundSegment,
  BRIDGE_PROTOCOLS,
  type DesiredRecords,
  type Flow,
  IntegrationTable,
  LEARNED_COOKIE,
  type Match,
  type TunnelEndpoint,
  TunnelTable,
  type TunnelType,
  UPLINK_MARK,
  UPLINK_TO_TUNNELS,
  VLAN_PRESENT,
} from '@patchbay/sdk';
import { interfaceType } from './addresses';
import type { TunnelsConfig } from './config';

/** IEEE 802.1Q. */
const VLAN_ETHERTYPE = 0x8100;
/** IANA's port for VXLAN (RFC 7348), which needs no option. */
const VXLAN_UDP_PORT = 4789;
/** Seconds that a learned address lives: Neutron's, and the MAC ageing time of OVS. */
const LEARNED_SECONDS = 300;

const UNICAST = '00:00:00:00:00:00/01:00:00:00:00:00';
const MULTICAST = '01:00:00:00:00:00/01:00:00:00:00:00';

/** Where frames from a tunnel of each type get their local VLAN. */
const TABLE_FROM: Readonly<Record<TunnelType, number>> = {
  gre: TunnelTable.fromGre,
  vxlan: TunnelTable.fromVxlan,
  geneve: TunnelTable.fromGeneve,
};

export interface TunnelBridges {
  readonly integrationBridge: string;
  readonly tunnelBridge: string;
  readonly datapathType: 'system' | 'netdev';
}

/** The tunnel bridge, its patch pair, and its flows with no endpoint and no segment: those of Neutron 21 without ARP responder and DVR. */
export function bridgeRecords(bridges: TunnelBridges, config: TunnelsConfig): DesiredRecords {
  const { integrationBridge, tunnelBridge, datapathType } = bridges;
  const toTunnels = config.int_peer_patch_port;
  const toIntegration = config.tun_peer_patch_port;
  return {
    bridges: [
      {
        name: tunnelBridge,
        presence: 'create',
        datapathType,
        failMode: 'secure',
        protocols: BRIDGE_PROTOCOLS,
        otherConfig: { 'disable-in-band': 'true' },
      },
    ],
    ports: [
      {
        kind: 'patch',
        bridge: integrationBridge,
        name: toTunnels,
        peer: toIntegration,
        externalIds: { [UPLINK_MARK]: UPLINK_TO_TUNNELS },
        otherConfig: {
          'mcast-snooping-flood': String(config.igmp_flood),
          'mcast-snooping-flood-reports': String(config.igmp_flood_reports),
        },
      },
      { kind: 'patch', bridge: tunnelBridge, name: toIntegration, peer: toTunnels },
    ],
    flows: [
      {
        bridge: integrationBridge,
        table: IntegrationTable.classifier,
        priority: 1,
        match: { in_port: { port: toTunnels } },
        actions: [{ type: 'goto_table', table: IntegrationTable.packetRateLimit }],
      },
      ...defaultFlows(tunnelBridge, toIntegration),
    ],
  };
}

function defaultFlows(bridge: string, toIntegration: string): Flow[] {
  const goTo = (table: number, priority: number, match: Match, next: number): Flow => ({
    bridge,
    table,
    priority,
    match,
    actions: [{ type: 'goto_table', table: next }],
  });
  const drop = (table: number): Flow => ({ bridge, table, priority: 0, match: {}, actions: [] });
  return [
    goTo(TunnelTable.classifier, 1, { in_port: { port: toIntegration } }, TunnelTable.fromIntegration),
    drop(TunnelTable.classifier),
    goTo(TunnelTable.fromIntegration, 0, { eth_dst: UNICAST }, TunnelTable.unicast),
    goTo(TunnelTable.fromIntegration, 0, { eth_dst: MULTICAST }, TunnelTable.flood),
    drop(TunnelTable.fromGre),
    drop(TunnelTable.fromVxlan),
    drop(TunnelTable.fromGeneve),
    learning(bridge, toIntegration),
    goTo(TunnelTable.unicast, 0, {}, TunnelTable.flood),
    drop(TunnelTable.flood),
  ];
}

/** Whoever sends in a VLAN is found, in that VLAN, where its frames came from. */
function learning(bridge: string, toIntegration: string): Flow {
  return {
    bridge,
    table: TunnelTable.learn,
    priority: 1,
    match: {},
    actions: [
      {
        type: 'learn',
        table: TunnelTable.unicast,
        priority: 1,
        hardTimeout: LEARNED_SECONDS,
        cookie: LEARNED_COOKIE,
        specs: [
          {
            kind: 'match',
            target: { field: 'vlan_tci', from: 0, to: 11 },
            source: { field: 'vlan_tci', from: 0, to: 11 },
          },
          { kind: 'match', target: { field: 'eth_dst' }, source: { field: 'eth_src' } },
          { kind: 'load', target: { field: 'vlan_tci' }, source: { value: 0 } },
          { kind: 'load', target: { field: 'tun_id' }, source: { field: 'tun_id' } },
          { kind: 'output', source: { field: 'in_port_oxm' } },
        ],
      },
      { type: 'output', port: { port: toIntegration } },
    ],
  };
}

export interface EndpointSettings {
  readonly localAddress: string;
  readonly portName: string;
  /** With it, packet marks cannot be set on tunnel ports, and the option that clears them is left out. */
  readonly hardwareOffload: boolean;
}

/** The port that leads to one other host, and what leads its frames to their type's table. */
export function endpointRecords(
  endpoint: TunnelEndpoint,
  { tunnelBridge }: TunnelBridges,
  settings: EndpointSettings,
  config: TunnelsConfig,
): DesiredRecords {
  const type = interfaceType(endpoint.tunnelType, endpoint.ipAddress);
  const tos = config.dscp_inherit ? 'inherit' : config.dscp ? String(config.dscp << 2) : undefined;
  return {
    ports: [
      {
        kind: 'tunnel',
        bridge: tunnelBridge,
        name: settings.portName,
        type,
        options: {
          ...(type === 'vxlan' && config.vxlan_udp_port !== VXLAN_UDP_PORT
            ? { dst_port: String(config.vxlan_udp_port) }
            : {}),
          df_default: String(config.dont_fragment),
          remote_ip: endpoint.ipAddress,
          local_ip: settings.localAddress,
          in_key: 'flow',
          out_key: 'flow',
          ...(settings.hardwareOffload ? {} : { egress_pkt_mark: '0' }),
          ...(config.tunnel_csum ? { csum: 'true' } : {}),
          ...(tos === undefined ? {} : { tos }),
          ...(type === 'ip6gre' ? { packet_type: 'legacy_l2' } : {}),
        },
      },
    ],
    flows: [
      {
        bridge: tunnelBridge,
        table: TunnelTable.classifier,
        priority: 1,
        match: { in_port: { port: settings.portName } },
        actions: [{ type: 'goto_table', table: TABLE_FROM[endpoint.tunnelType] }],
      },
    ],
  };
}

/** A segment with a tunnel key: its frames get their local VLAN on the way in, and are flooded to endpoints on the way out. */
export interface TunnelSegment extends Pick<BoundSegment, 'localVlan'> {
  readonly networkId: string;
  readonly tunnelType: TunnelType;
  readonly tunnelKey: number;
}

/** What a bound segment is to the tunnels; undefined where it is none of theirs. */
export function tunnelSegment({ segment, localVlan }: BoundSegment): TunnelSegment | undefined {
  const { networkId, networkType, segmentationId } = segment;
  if (networkType !== 'vxlan' && networkType !== 'gre' && networkType !== 'geneve') return undefined;
  if (segmentationId === null) return undefined;
  return { networkId, tunnelType: networkType, tunnelKey: segmentationId, localVlan };
}

export function segmentFlows(
  { tunnelType, tunnelKey, localVlan }: TunnelSegment,
  tunnelBridge: string,
  /** `none`: a flow that drops. No port: no flow. */
  ports: readonly string[] | 'none',
): Flow[] {
  return [
    {
      bridge: tunnelBridge,
      table: TABLE_FROM[tunnelType],
      priority: 1,
      match: { tun_id: tunnelKey },
      actions: [
        { type: 'push_vlan', ethertype: VLAN_ETHERTYPE },
        { type: 'set_field', field: 'vlan_vid', value: VLAN_PRESENT | localVlan },
        { type: 'goto_table', table: TunnelTable.learn },
      ],
    },
    {
      bridge: tunnelBridge,
      table: TunnelTable.flood,
      priority: 1,
      match: { dl_vlan: localVlan },
      actions:
        ports === 'none'
          ? []
          : [
              { type: 'pop_vlan' },
              { type: 'set_field', field: 'tun_id', value: tunnelKey },
              { type: 'output_set', ports: [...ports].sort() },
            ],
    },
  ];
}
