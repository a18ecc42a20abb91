/**
 * The domain's nouns, as plain data: what a control plane knows of networks, ports and groups, and what this host made of them.
 * Names are Neutron's; a control plane that is not Neutron fills in the same shapes.
 */

export type NetworkType = 'local' | 'flat' | 'vlan' | 'vxlan' | 'gre' | 'geneve';
export type TunnelType = 'vxlan' | 'gre' | 'geneve';

/** The VLAN tag on br-int that leads nowhere: a port that is not wired, or whose admin state is down, sits in it. */
export const DEAD_VLAN = 4095;

/** One layer-2 realisation of a network. */
export interface Segment {
  readonly networkId: string;
  readonly networkType: NetworkType;
  /** The provider network's name (flat and vlan), else null. */
  readonly physicalNetwork: string | null;
  /** VLAN id or tunnel key; null for flat and local. */
  readonly segmentationId: number | null;
}

/** A segment that at least one port of this host uses, under its VLAN on br-int (1 to 4094). Also its conntrack zone. */
export interface BoundSegment {
  readonly segment: Segment;
  readonly localVlan: number;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly ipAddress: string;
}

export interface AllowedAddressPair {
  readonly macAddress: string;
  /** An address or a prefix, in CIDR notation if a prefix. */
  readonly ipAddress: string;
}

/**
 * Where the control plane wants the port, seen from this host.
 * `migrating-in`: a live migration to this host is under way, the port is wired before its binding becomes active.
 * `elsewhere`: bound to another host (or to none); a VIF of it here stays dead.
 */
export type BindingState = 'here' | 'migrating-in' | 'migrating-out' | 'elsewhere';

/** What the control plane says of a port. */
export interface PortDescription {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  /** Lower case, with colons. */
  readonly macAddress: string;
  readonly adminStateUp: boolean;
  /** ACTIVE, DOWN, BUILD, … as the control plane last said. */
  readonly status: string;
  readonly deviceId: string;
  /** `compute:…`, `network:dhcp`, `network:router_interface`, … */
  readonly deviceOwner: string;
  readonly fixedIps: readonly FixedIp[];
  readonly allowedAddressPairs: readonly AllowedAddressPair[];
  readonly portSecurityEnabled: boolean;
  readonly securityGroupIds: readonly string[];
  /** Where it is bound to; null while it is not. */
  readonly segment: Segment | null;
  readonly binding: BindingState;
  readonly vnicType: string;
  readonly vifType: string;
  /** `binding:profile`: what the control plane's caller said of the binding. */
  readonly profile: Readonly<Record<string, unknown>>;
  /** The port's own QoS policy. It counts before that of its network. */
  readonly qosPolicyId: string | null;
  readonly networkQosPolicyId: string | null;
  /** Of its network, in bytes. */
  readonly mtu: number | null;
  /** Neutron's port hints: wishes for how the switch treats the port, by driver (`openvswitch`). */
  readonly hints: Readonly<Record<string, unknown>>;
  /** Grows with every change of the port. */
  readonly revision: number;
}

/** A virtual interface on the integration bridge: an Interface row with external_ids iface-id and attached-mac. */
export interface Vif {
  readonly portId: string;
  readonly bridge: string;
  /** The name of its Port (and Interface) row. */
  readonly portName: string;
  /** The `_uuid` of its Port row: a port that is made again under the same name has another. */
  readonly portRow: string;
  readonly macAddress: string;
  /** OpenFlow port number; null until the switch has given one. */
  readonly ofport: number | null;
  readonly externalIds: Readonly<Record<string, string>>;
}

/** A port that is bound on this host: described, with a VIF, a segment and a local VLAN. */
export interface BoundPort {
  readonly port: PortDescription;
  readonly vif: Vif;
  readonly segment: Segment;
  readonly localVlan: number;
}

/** Why a VIF leads nowhere. */
export type IsolationReason =
  | 'admin-down'
  | 'unknown-port'
  | 'bound-elsewhere'
  | 'no-segment'
  | 'refused'
  | 'not-described'
  | 'deleted';

export interface IsolatedPort {
  readonly vif: Vif;
  readonly reason: IsolationReason;
  /** For people: what was refused and by whom, what the control plane answered. */
  readonly detail: string;
  /** Present where the control plane described the port. */
  readonly port?: PortDescription;
}

export interface TunnelEndpoint {
  readonly tunnelType: TunnelType;
  /** IPv4 or IPv6 address of the underlay. */
  readonly ipAddress: string;
  readonly host?: string;
}

/** One address of a port. An entry without an address for its MAC is not made. */
export interface RemoteAddress {
  readonly macAddress: string;
  readonly ipAddress: string;
}

/** What of a network is reached over one tunnel endpoint. It replaces what was told of the same network and endpoint before. */
export interface RemotePorts {
  readonly networkId: string;
  readonly endpoint: TunnelEndpoint;
  /** `flooded`: frames to all go there too. */
  readonly delivery: 'flooded' | 'unicast only';
  /** Each MAC address is behind one endpoint of its network. None, and not flooded: nothing of the network is there any more. */
  readonly addresses: readonly RemoteAddress[];
}

export interface ForwardingChange {
  readonly remotes: readonly RemotePorts[];
  /** `partial`: more is to come that is not known yet, so what an earlier run installed stays. `complete`: it may go. */
  readonly knowledge: 'partial' | 'complete';
}

export type Direction = 'ingress' | 'egress';
export type Ethertype = 'IPv4' | 'IPv6';

export interface SecurityGroupRule {
  readonly id: string;
  readonly securityGroupId: string;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  /** A name (`tcp`, `icmp`, …), a number as text, or null for any. */
  readonly protocol: string | null;
  readonly portRangeMin: number | null;
  readonly portRangeMax: number | null;
  readonly remoteIpPrefix: string | null;
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId: string | null;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly stateful: boolean;
  readonly rules: readonly SecurityGroupRule[];
}

/** One address that counts as a member of a remote group. */
export interface GroupMember {
  readonly portId: string;
  readonly macAddress: string;
  readonly ipAddress: string;
}

export interface AddressGroup {
  readonly id: string;
  readonly name: string;
  /** In CIDR notation. */
  readonly addresses: readonly string[];
}

export interface Subnet {
  readonly id: string;
  readonly networkId: string;
  readonly cidr: string;
  readonly gatewayIp: string | null;
  readonly ipVersion: 4 | 6;
  readonly enableDhcp: boolean;
}

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly mtu: number | null;
  readonly segments: readonly Segment[];
}
