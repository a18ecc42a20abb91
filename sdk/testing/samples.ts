import type {
  BoundPort,
  BoundSegment,
  IsolatedPort,
  PortDescription,
  PortRemoval,
  Segment,
  TunnelEndpoint,
  Vif,
} from '@patchbay/sdk';

/** A segment of a VLAN network on `physnet1`, unless told otherwise. */
export function aSegment(more: Partial<Segment> = {}): Segment {
  return { networkId: 'network-1', networkType: 'vlan', physicalNetwork: 'physnet1', segmentationId: 101, ...more };
}

export function aBoundSegment(more: Partial<Segment> = {}, localVlan = 1): BoundSegment {
  return { segment: aSegment(more), localVlan };
}

/** What a test says of a port; everything else is filled in. The VIF is `tap-<id>`. */
export interface PortSample {
  readonly id?: string;
  readonly localVlan?: number;
  readonly segment?: Partial<Segment>;
  readonly port?: Partial<PortDescription>;
  readonly vif?: Partial<Vif>;
}

/** A port that is bound here, as `onPortAdded` tells of it. */
export function aPort({ id = 'port-1', localVlan = 1, segment, port, vif }: PortSample = {}): BoundPort {
  const whole = aSegment(segment);
  const description: PortDescription = {
    id,
    name: '',
    networkId: whole.networkId,
    macAddress: `fa:16:3e:00:00:${lastByteOf(id)}`,
    adminStateUp: true,
    status: 'DOWN',
    deviceId: 'a-server',
    deviceOwner: 'compute:nova',
    fixedIps: [{ subnetId: 'subnet-1', ipAddress: `10.0.0.${Number.parseInt(lastByteOf(id), 16)}` }],
    allowedAddressPairs: [],
    portSecurityEnabled: true,
    securityGroupIds: [],
    segment: whole,
    binding: 'here',
    vnicType: 'normal',
    vifType: 'ovs',
    profile: {},
    qosPolicyId: null,
    networkQosPolicyId: null,
    mtu: null,
    hints: {},
    revision: 1,
    ...port,
  };
  return {
    port: description,
    vif: aVif(id, { macAddress: description.macAddress, ...vif }),
    segment: whole,
    localVlan,
  };
}

export function aVif(id = 'port-1', more: Partial<Vif> = {}): Vif {
  const macAddress = `fa:16:3e:00:00:${lastByteOf(id)}`;
  return {
    portId: id,
    bridge: 'br-int',
    portName: `tap-${id}`,
    portRow: `row-of-tap-${id}`,
    macAddress,
    ofport: null,
    externalIds: { 'iface-id': id, 'attached-mac': macAddress },
    ...more,
  };
}

export function aRemoval(sample: PortSample = {}, reason: PortRemoval['reason'] = 'unplugged'): PortRemoval {
  return { bound: aPort(sample), reason };
}

export function anIsolatedPort(id = 'port-9', more: Partial<IsolatedPort> = {}): IsolatedPort {
  return { vif: aVif(id), reason: 'unknown-port', detail: 'the control plane does not know it', ...more };
}

export function aTunnelEndpoint(more: Partial<TunnelEndpoint> = {}): TunnelEndpoint {
  return { tunnelType: 'vxlan', ipAddress: '192.0.2.2', host: 'compute-2', ...more };
}

/** The same for the same id, and within 2 and 253, so that it can be a host's part of an address. */
function lastByteOf(id: string): string {
  const sum = [...id].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 252, 7);
  return (sum + 2).toString(16).padStart(2, '0');
}
