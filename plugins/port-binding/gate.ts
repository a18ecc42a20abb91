import { type BoundPort, DEAD_VLAN, type Flow, type GateRecord, type Segment, type Vif } from '@patchbay/sdk';

/** br-int's classifier and the table its admitted frames go on to (Neutron: LOCAL_SWITCHING, PACKET_RATE_LIMIT). */
const CLASSIFIER = 0;
const RATE_LIMIT = 58;
/** Below every classifier flow of the reference agent that names a port. */
const ADMISSION_PRIORITY = 1;

/** The key of everything that concerns one port, in every plugin's slice. */
export const portKey = (portId: string): string => `port/${portId}`;

/** A wired port: its VLAN, what a restart or another agent reads back from it, and the flow that lets its frames in. */
export function openGate(bound: BoundPort): GateRecord {
  return {
    ...gateOf(bound.vif),
    tag: bound.localVlan,
    otherConfig: wiringRecord(bound.segment, bound.localVlan),
    interfaceOtherConfig: transmitSteering(bound),
    admission: [admission(bound.vif)],
  };
}

/** A port that leads nowhere. */
export function shutGate(vif: Vif): GateRecord {
  return { ...gateOf(vif), tag: DEAD_VLAN };
}

/** A port found wired that the control plane has not described yet: it stays as it is, as long as what guards it does. */
export function keptGate(vif: Vif, localVlan: number): GateRecord {
  return { ...gateOf(vif), tag: localVlan, admission: [admission(vif)], found: true };
}

/** A port whose binding went to another host: two hosts must not both answer for its MAC. */
export function unpluggedGate(vif: Vif): GateRecord {
  return { ...gateOf(vif), unplugged: true };
}

function gateOf(vif: Vif): Pick<GateRecord, 'bridge' | 'port' | 'portRow' | 'subject'> {
  return { bridge: vif.bridge, port: vif.portName, portRow: vif.portRow, subject: vif.portId };
}

function admission(vif: Vif): Flow {
  return {
    bridge: vif.bridge,
    table: CLASSIFIER,
    priority: ADMISSION_PRIORITY,
    // Untagged, or tagged for priority alone: until the port has its tag, a VLAN of the guest's choosing would be a tenant's.
    match: { in_port: { port: vif.portName }, vlan_tci: '0x0000/0x0fff' },
    actions: [{ type: 'goto_table', table: RATE_LIMIT }],
  };
}

/** Port:other_config in the reference agent's words: it restores local VLANs from them, and so do we. */
function wiringRecord(segment: Segment, localVlan: number): Readonly<Record<string, string | null>> {
  return {
    net_uuid: segment.networkId,
    network_type: segment.networkType,
    physical_network: segment.physicalNetwork ?? 'None',
    segmentation_id: segment.segmentationId === null ? null : String(segment.segmentationId),
    tag: String(localVlan),
  };
}

/** The port hint `openvswitch: {other_config: {tx-steering: …}}` of Neutron's port hints API. */
function transmitSteering(bound: BoundPort): Readonly<Record<string, string | null>> {
  const hints = bound.port.hints.openvswitch as { other_config?: { 'tx-steering'?: string } } | undefined;
  const steering = hints?.other_config?.['tx-steering'];
  return steering === undefined ? {} : { 'tx-steering': steering };
}
