import {
  type AgentIdentity,
  type BoundSegment,
  BRIDGE_PROTOCOLS,
  type DesiredRecords,
  drop,
  type Flow,
  flow,
  gotoTable,
  IntegrationTable,
  normal,
  ProviderTable,
  popVlan,
  port,
  pushVlan,
  setVlan,
  UPLINK_MARK,
} from '@patchbay/sdk';
import type { Uplink } from './config';

/** The reference agent's names for the two ends, so that other tools find them. */
export const patchNames = (bridge: string) => ({ integration: `int-${bridge}`, provider: `phy-${bridge}` });

/** A provider bridge with its bond, joined to the integration bridge. Nothing is translated yet, so nothing crosses. */
export function uplinkRecords(physicalNetwork: string, uplink: Uplink, identity: AgentIdentity): DesiredRecords {
  const { bridge, bond, members, mode, lacp } = uplink;
  const { integrationBridge, datapathType } = identity;
  const patch = patchNames(bridge);
  return {
    bridges: [{ name: bridge, presence: 'create', datapathType, failMode: 'secure', protocols: BRIDGE_PROTOCOLS }],
    ports: [
      { kind: 'bond', bridge, name: bond, members, mode, lacp, otherConfig: { 'lacp-time': 'fast' } },
      {
        kind: 'patch',
        bridge: integrationBridge,
        name: patch.integration,
        peer: patch.provider,
        externalIds: { [UPLINK_MARK]: physicalNetwork },
      },
      { kind: 'patch', bridge, name: patch.provider, peer: patch.integration },
    ],
    flows: [
      flow({ bridge, priority: 0, actions: [normal] }),
      flow({ bridge, priority: 2, match: { in_port: port(patch.provider) }, actions: drop }),
      flow({
        bridge: integrationBridge,
        table: IntegrationTable.classifier,
        priority: 2,
        match: { in_port: port(patch.integration) },
        actions: drop,
      }),
    ],
  };
}

/** Swaps a segment's tag on the wire for its VLAN on the integration bridge, and back. */
export function translation(
  { segment, localVlan }: BoundSegment,
  bridge: string,
  integrationBridge: string,
): readonly Flow[] {
  const patch = patchNames(bridge);
  const { segmentationId } = segment;
  const fromWire = segmentationId === null ? { vlan_vid: 0 } : { dl_vlan: segmentationId };
  return [
    flow({
      bridge: integrationBridge,
      table: IntegrationTable.classifier,
      priority: 3,
      match: { in_port: port(patch.integration), ...fromWire },
      actions: [
        ...(segmentationId === null ? [pushVlan] : []),
        setVlan(localVlan),
        gotoTable(IntegrationTable.packetRateLimit),
      ],
    }),
    flow({
      bridge,
      table: ProviderTable.classifier,
      priority: 4,
      match: { in_port: port(patch.provider), dl_vlan: localVlan },
      actions: [segmentationId === null ? popVlan : setVlan(segmentationId), normal],
    }),
  ];
}
