import { randomUUID } from 'node:crypto';

/** An object as the stand-in server keeps it: plain, under Neutron's field names, with what the server of Zed would send. */
export type StandInObject = Readonly<Record<string, unknown>> & { readonly id: string };

const EPOCH = '2026-01-01T00:00:00Z';
const standard = { revision_number: 1, description: '', created_at: EPOCH, updated_at: EPOCH };

export interface NetworkWish {
  readonly id?: string;
  readonly networkType: string;
  readonly segmentationId?: number;
  readonly physicalNetwork?: string;
  readonly mtu?: number;
}

export function standInNetwork({
  id = randomUUID(),
  networkType,
  segmentationId,
  physicalNetwork,
  mtu = 1450,
}: NetworkWish): StandInObject {
  const segment = {
    id: randomUUID(),
    network_id: id,
    network_type: networkType,
    ...(physicalNetwork !== undefined && { physical_network: physicalNetwork }),
    ...(segmentationId !== undefined && { segmentation_id: segmentationId }),
    is_dynamic: false,
    segment_index: 0,
    hosts: [],
    revision_number: 0,
    created_at: EPOCH,
    updated_at: EPOCH,
  };
  return {
    id,
    project_id: 'p1',
    name: `net-${id.slice(0, 8)}`,
    status: 'ACTIVE',
    admin_state_up: true,
    shared: false,
    mtu,
    security: { id, port_security_enabled: true },
    segments: [segment],
    dns_domain: null,
    qos_policy_id: null,
    ...standard,
  };
}

export function standInSubnet(networkId: string, cidr: string, id: string = randomUUID()): StandInObject {
  return {
    id,
    project_id: 'p1',
    name: '',
    network_id: networkId,
    ip_version: cidr.includes(':') ? 6 : 4,
    cidr,
    gateway_ip: null,
    allocation_pools: [],
    enable_dhcp: true,
    shared: false,
    dns_nameservers: [],
    dns_publish_fixed_ip: false,
    host_routes: [],
    service_types: [],
    ...standard,
  };
}

export interface RuleWish {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype?: 'IPv4' | 'IPv6';
  readonly protocol?: string;
  /** The first and the last of a range of ports; of ICMP the type, and the code if one is meant. */
  readonly ports?: readonly [first: number, last?: number];
  readonly remoteIpPrefix?: string;
  readonly remoteGroupId?: string;
  readonly remoteAddressGroupId?: string;
}

export function standInSecurityGroup(
  rules: readonly RuleWish[],
  id: string = randomUUID(),
  { stateful = true }: { readonly stateful?: boolean } = {},
): StandInObject {
  return {
    id,
    name: `sg-${id.slice(0, 8)}`,
    project_id: 'p1',
    shared: false,
    stateful,
    is_default: false,
    rules: rules.map((wish) => standInRule(id, wish)),
    ...standard,
  };
}

export function standInRule(securityGroupId: string, wish: RuleWish): StandInObject {
  return {
    id: randomUUID(),
    project_id: 'p1',
    security_group_id: securityGroupId,
    direction: wish.direction,
    ethertype: wish.ethertype ?? 'IPv4',
    normalized_cidr: wish.remoteIpPrefix ?? null,
    ...(wish.protocol !== undefined && { protocol: wish.protocol }),
    ...(wish.ports && { port_range_min: wish.ports[0] }),
    ...(wish.ports?.[1] !== undefined && { port_range_max: wish.ports[1] }),
    ...(wish.remoteIpPrefix !== undefined && { remote_ip_prefix: wish.remoteIpPrefix }),
    ...(wish.remoteGroupId !== undefined && { remote_group_id: wish.remoteGroupId }),
    ...(wish.remoteAddressGroupId !== undefined && { remote_address_group_id: wish.remoteAddressGroupId }),
    ...standard,
    revision_number: 0,
  };
}

export function standInAddressGroup(addresses: readonly string[], id: string = randomUUID()): StandInObject {
  return {
    id,
    name: `ag-${id.slice(0, 8)}`,
    project_id: 'p1',
    shared: false,
    addresses: addresses.map((address) => ({ address, address_group_id: id })),
    ...standard,
  };
}

export interface PortWish {
  readonly id?: string;
  readonly network: StandInObject;
  readonly host: string;
  readonly macAddress: string;
  readonly fixedIps: readonly { readonly subnetId: string; readonly address: string }[];
  readonly securityGroupIds?: readonly string[];
  readonly portSecurity?: boolean;
  readonly allowedAddressPairs?: readonly { readonly macAddress: string; readonly address: string }[];
  readonly deviceOwner?: string;
}

/** A port bound to a host on its network's first segment, DOWN until the agent says that it is wired. */
export function standInPort(wish: PortWish): StandInObject {
  const { id = randomUUID(), network, host, macAddress } = wish;
  const [segment] = network.segments as readonly Readonly<Record<string, unknown>>[];
  return {
    id,
    project_id: 'p1',
    name: '',
    network_id: network.id,
    mac_address: macAddress,
    admin_state_up: true,
    device_id: `vm-${id.slice(0, 8)}`,
    device_owner: wish.deviceOwner ?? 'compute:nova',
    status: 'DOWN',
    allowed_address_pairs: addressPairs(id, wish.allowedAddressPairs ?? []),
    bindings: [
      {
        port_id: id,
        host,
        profile: {},
        vif_type: 'ovs',
        vif_details: {
          connectivity: 'l2',
          port_filter: true,
          ovs_hybrid_plug: false,
          datapath_type: 'netdev',
          bridge_name: 'br-int',
        },
        vnic_type: 'normal',
        status: 'ACTIVE',
      },
    ],
    data_plane_status: null,
    dhcp_options: [],
    distributed_bindings: [],
    dns: null,
    fixed_ips: wish.fixedIps.map(({ subnetId, address }) => ({
      port_id: id,
      subnet_id: subnetId,
      network_id: network.id,
      ip_address: address,
    })),
    security: { id, port_security_enabled: wish.portSecurity ?? true },
    security_group_ids: wish.securityGroupIds ?? [],
    qos_policy_id: null,
    qos_network_policy_id: null,
    binding_levels: [{ port_id: id, host, level: 0, driver: 'openvswitch', segment, segment_id: segment?.id }],
    ...standard,
  };
}

/** As the server sends allowed address pairs of a port. */
export function addressPairs(
  portId: string,
  pairs: NonNullable<PortWish['allowedAddressPairs']>,
): readonly Readonly<Record<string, unknown>>[] {
  return pairs.map(({ macAddress, address }) => ({ port_id: portId, mac_address: macAddress, ip_address: address }));
}
