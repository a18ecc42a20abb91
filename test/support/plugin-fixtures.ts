import type {
  AgentIdentity,
  BoundPort,
  BridgeView,
  InterfaceView,
  PortDescription,
  PortView,
  Segment,
  Vif,
} from '@patchbay/sdk';

export const IDENTITY: AgentIdentity = {
  host: 'host1',
  version: '0.1.0',
  integrationBridge: 'br-int',
  tunnelBridge: 'br-tun',
  datapathType: 'system',
};

export function portRow(
  row: Partial<Omit<PortView, 'interfaces'>> & { name: string },
  face: Partial<InterfaceView> = {},
) {
  const only: InterfaceView = {
    name: row.name,
    type: '',
    ofport: 1,
    error: null,
    options: {},
    externalIds: {},
    ...face,
  };
  const port: PortView = {
    uuid: `row-${row.name}`,
    bridge: 'br-int',
    tag: null,
    otherConfig: {},
    externalIds: {},
    ...row,
    interfaces: [only],
  };
  return port;
}

export function bridgeRow(name: string, more: Partial<BridgeView> = {}): BridgeView {
  return {
    name,
    datapathId: '0000a2b3c4d5e6f7',
    datapathType: 'system',
    failMode: null,
    otherConfig: {},
    externalIds: {},
    ...more,
  };
}

export const VLAN_SEGMENT: Segment = {
  networkId: 'net-vlan',
  networkType: 'vlan',
  physicalNetwork: 'physnet1',
  segmentationId: 101,
};
export const FLAT_SEGMENT: Segment = {
  networkId: 'net-flat',
  networkType: 'flat',
  physicalNetwork: 'physnet1',
  segmentationId: null,
};
export const VXLAN_SEGMENT: Segment = {
  networkId: 'net-vxlan',
  networkType: 'vxlan',
  physicalNetwork: null,
  segmentationId: 0x170d0,
};

export function vifOfPort(id: string, portName = `tap-${id}`, macAddress = 'fa:16:3e:00:00:01'): Vif {
  return { portId: id, bridge: 'br-int', portName, portRow: `row-${portName}`, macAddress, ofport: 3, externalIds: {} };
}

export function boundPort(more: Partial<PortDescription> = {}, segment = VXLAN_SEGMENT, localVlan = 1): BoundPort {
  const id = more.id ?? 'p1';
  const port: PortDescription = {
    id,
    name: '',
    networkId: segment.networkId,
    macAddress: 'fa:16:3e:00:00:01',
    adminStateUp: true,
    status: 'DOWN',
    deviceId: 'vm',
    deviceOwner: 'compute:nova',
    fixedIps: [{ subnetId: 's1', ipAddress: '10.1.0.5' }],
    allowedAddressPairs: [],
    portSecurityEnabled: true,
    securityGroupIds: [],
    segment,
    binding: 'here',
    vnicType: 'normal',
    vifType: 'ovs',
    profile: {},
    qosPolicyId: null,
    networkQosPolicyId: null,
    mtu: null,
    hints: {},
    revision: 1,
    ...more,
  };
  return { port, vif: vifOfPort(id, `tap-${id}`, port.macAddress), segment, localVlan };
}
