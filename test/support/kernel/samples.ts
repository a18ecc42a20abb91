import type { BoundPort, PortBindDraft, PortDescription, Segment, Vif } from '@patchbay/sdk';

export const SEGMENT: Segment = {
  networkId: 'net-1',
  networkType: 'vlan',
  physicalNetwork: 'physnet1',
  segmentationId: 101,
};

export const VIF: Vif = {
  portId: 'port-1',
  bridge: 'br-int',
  portName: 'tap1',
  portRow: 'b7f4e1f0-6c2b-4a53-9d5e-3a0b8f2f8a01',
  macAddress: 'fa:16:3e:00:00:01',
  ofport: 5,
  externalIds: { 'iface-id': 'port-1' },
};

export const PORT: PortDescription = {
  id: 'port-1',
  name: '',
  networkId: 'net-1',
  macAddress: 'fa:16:3e:00:00:01',
  adminStateUp: true,
  status: 'DOWN',
  deviceId: 'vm-1',
  deviceOwner: 'compute:nova',
  fixedIps: [{ subnetId: 'subnet-1', ipAddress: '10.0.0.5' }],
  allowedAddressPairs: [],
  portSecurityEnabled: true,
  securityGroupIds: [],
  segment: SEGMENT,
  binding: 'here',
  vnicType: 'normal',
  vifType: 'ovs',
  profile: {},
  qosPolicyId: null,
  networkQosPolicyId: null,
  mtu: 1500,
  hints: {},
  revision: 3,
};

export const DRAFT: PortBindDraft = { port: PORT, vif: VIF, segment: SEGMENT };
export const BOUND: BoundPort = { port: PORT, vif: VIF, segment: SEGMENT, localVlan: 1 };
