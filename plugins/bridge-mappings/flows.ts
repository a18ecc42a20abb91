import {
  type BoundSegment,
  BRIDGE_PROTOCOLS,
  type DesiredRecords,
  type Flow,
  IntegrationTable,
  ProviderTable,
  UPLINK_MARK,
  VLAN_PRESENT,
} from '@patchbay/sdk';
import type { BridgeMappingsConfig } from './config';
import { patchNames } from './names';

/** IEEE 802.1Q. */
const VLAN_ETHERTYPE = 0x8100;

export interface ProviderBridge {
  readonly physicalNetwork: string;
  readonly bridge: string;
  readonly integrationBridge: string;
}

export interface BridgeSettings {
  readonly datapathType: 'system' | 'netdev';
  /** Where two bridges were given the same one by the switch. */
  readonly datapathId?: string;
}

/**
 * What a provider bridge wants with no segment bound: its row's settings, the patch pair, and on either side a flow that drops what no
 * translation takes. The bridge itself forwards normally.
 */
export function bridgeRecords(
  { physicalNetwork, bridge, integrationBridge }: ProviderBridge,
  { datapathType, datapathId }: BridgeSettings,
  config: BridgeMappingsConfig,
): DesiredRecords {
  const patch = patchNames(bridge);
  return {
    bridges: [
      {
        name: bridge,
        presence: 'expect',
        datapathType,
        failMode: 'secure',
        protocols: BRIDGE_PROTOCOLS,
        otherConfig: {
          'mac-table-size': String(config.bridge_mac_table_size),
          'disable-in-band': 'true',
          ...(datapathId === undefined ? {} : { 'datapath-id': datapathId }),
        },
      },
    ],
    ports: [
      {
        kind: 'patch',
        bridge: integrationBridge,
        name: patch.integration,
        peer: patch.provider,
        externalIds: { [UPLINK_MARK]: physicalNetwork },
        otherConfig: {
          'mcast-snooping-flood': String(config.igmp_flood),
          'mcast-snooping-flood-reports': String(config.igmp_flood_reports),
        },
      },
      { kind: 'patch', bridge, name: patch.provider, peer: patch.integration },
    ],
    flows: [
      drop(integrationBridge, IntegrationTable.classifier, patch.integration),
      drop(bridge, ProviderTable.classifier, patch.provider),
      forwarding(bridge),
    ],
  };
}

/** The provider bridge itself forwards normally. */
export function forwarding(bridge: string): Flow {
  return {
    bridge,
    table: ProviderTable.classifier,
    priority: 0,
    match: {},
    actions: [{ type: 'output', port: 'NORMAL' }],
  };
}

function drop(bridge: string, table: number, port: string): Flow {
  return { bridge, table, priority: 2, match: { in_port: { port } }, actions: [] };
}

/** The two flows that swap a flat or VLAN segment's tag on the wire for its VLAN on the integration bridge, and back. */
export function translation(
  { segment, localVlan }: BoundSegment,
  { bridge, integrationBridge }: Omit<ProviderBridge, 'physicalNetwork'>,
): Flow[] {
  const patch = patchNames(bridge);
  const { segmentationId } = segment;
  return [
    {
      bridge: integrationBridge,
      table: IntegrationTable.classifier,
      priority: 3,
      match: {
        in_port: { port: patch.integration },
        ...(segmentationId === null ? { vlan_vid: 0 } : { dl_vlan: segmentationId }),
      },
      actions: [
        ...(segmentationId === null ? [{ type: 'push_vlan', ethertype: VLAN_ETHERTYPE } as const] : []),
        { type: 'set_field', field: 'vlan_vid', value: VLAN_PRESENT | localVlan },
        { type: 'goto_table', table: IntegrationTable.packetRateLimit },
      ],
    },
    {
      bridge,
      table: ProviderTable.classifier,
      priority: 4,
      match: { in_port: { port: patch.provider }, dl_vlan: localVlan },
      actions: [
        segmentationId === null
          ? { type: 'pop_vlan' }
          : { type: 'set_field', field: 'vlan_vid', value: VLAN_PRESENT | segmentationId },
        { type: 'output', port: 'NORMAL' },
      ],
    },
  ];
}
