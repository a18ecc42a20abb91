import {
  BRIDGE_PROTOCOLS,
  type BridgeRecord,
  DEAD_VLAN,
  type Flow,
  IntegrationTable,
  OWNER_MARK,
  type PortView,
  uplinkOf,
} from '@patchbay/sdk';
import type { IntegrationBridgeConfig } from './config';

/** Highest priority of OpenFlow. */
const MAX_PRIORITY = 65535;
/** IEEE 802.1Q and 802.1ad: what may follow a tag if another tag does. */
const TAG_ETHERTYPES = [0x8100, 0x88a8];
/** Above the closing flow and below every classifier flow of the reference agent that names a port. */
const ADMISSION_PRIORITY = 1;

/** The integration bridge's row. `disable-in-band`: flows that OVS would add for reaching a controller are not ours to have. */
export function bridgeRecord(
  name: string,
  datapathType: 'system' | 'netdev',
  config: IntegrationBridgeConfig,
): BridgeRecord {
  return {
    name,
    presence: 'create',
    datapathType,
    failMode: 'secure',
    protocols: BRIDGE_PROTOCOLS,
    otherConfig: {
      'mac-table-size': String(config.bridge_mac_table_size),
      'disable-in-band': 'true',
      'mcast-snooping-disable-flood-unregistered': String(!config.igmp_flood_unregistered),
    },
    mcastSnooping: config.igmp_snooping_enable,
  };
}

/**
 * The tables as they are with no port wired. They are those of Neutron 21 (Zed) but for three things: the classifier ends in a drop,
 * admitted frames enter at table 58, which leads on to 59, so that flows for either generation's rate limit tables are met, and a tag
 * behind a priority tag (VLAN id 0) goes nowhere. The switch takes such a frame for untagged and strips its first tag; the second would be
 * in force where the frame leaves without another, as on a flat network.
 */
export function defaultFlows(bridge: string): Flow[] {
  const goTo = (table: number, next: number): Flow => ({
    bridge,
    table,
    priority: 0,
    match: {},
    actions: [{ type: 'goto_table', table: next }],
  });
  const drop = (table: number): Flow => ({ bridge, table, priority: 0, match: {}, actions: [] });
  const normal = (table: number): Flow => ({
    bridge,
    table,
    priority: 3,
    match: {},
    actions: [{ type: 'output', port: 'NORMAL' }],
  });
  return [
    drop(IntegrationTable.canary),
    drop(IntegrationTable.classifier),
    { ...drop(IntegrationTable.classifier), priority: MAX_PRIORITY, match: { dl_vlan: DEAD_VLAN } },
    ...TAG_ETHERTYPES.map((ethertype) => ({
      ...drop(IntegrationTable.classifier),
      priority: MAX_PRIORITY,
      match: { dl_vlan: 0, eth_type: ethertype },
    })),
    drop(IntegrationTable.arpSpoofing),
    goTo(IntegrationTable.localEgress, IntegrationTable.packetRateLimit),
    goTo(IntegrationTable.localIp, IntegrationTable.packetRateLimit),
    goTo(IntegrationTable.packetRateLimit, IntegrationTable.bandwidthRateLimit),
    goTo(IntegrationTable.bandwidthRateLimit, IntegrationTable.transient),
    normal(IntegrationTable.transient),
    normal(IntegrationTable.transientEgress),
  ];
}

/** Lets a port send that is no VIF: what it sends goes where a VIF's frames go. */
export function admission(bridge: string, port: string): Flow {
  return {
    bridge,
    table: IntegrationTable.classifier,
    priority: ADMISSION_PRIORITY,
    match: { in_port: { port } },
    actions: [{ type: 'goto_table', table: IntegrationTable.packetRateLimit }],
  };
}

/**
 * Whether a port of the integration bridge is a patch port of somebody else's bridge (a service chain, a metering tap), which the
 * reference agent lets send. Not so: VIFs, which are admitted when they are wired; what this agent made, by its mark, and uplinks by the
 * names that they have before they are marked (`int-…` to `phy-…`, and whatever leads to the tunnel bridge).
 */
export function isStrangersPatch(port: PortView, portsOfTunnelBridge: ReadonlySet<string>): boolean {
  const patch = port.interfaces.find((face) => face.type === 'patch');
  if (patch === undefined) return false;
  const peer = patch.options.peer ?? '';
  const isVif = port.interfaces.some((face) => face.externalIds['iface-id'] && face.externalIds['attached-mac']);
  const isUplink =
    OWNER_MARK in port.externalIds ||
    uplinkOf(port) !== undefined ||
    (port.name.startsWith('int-') && peer.startsWith('phy-')) ||
    portsOfTunnelBridge.has(peer);
  return !isVif && !isUplink;
}
