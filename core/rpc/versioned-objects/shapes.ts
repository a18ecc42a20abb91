/**
 * What each versioned object looks like on the wire, as Zed's and later releases write it. `required` fields are those without which an
 * agent cannot act on the object; any other that is absent or null gets its default.
 */
export type FieldKind = 'string' | 'integer' | 'boolean' | 'strings' | 'jsonText' | 'objects' | 'object' | 'any';

export interface FieldShape {
  readonly kind: FieldKind;
  readonly required: boolean;
  readonly fallback: unknown;
  /** For `object` and `objects`: the type written when encoding. */
  readonly type: string | undefined;
}

export interface ObjectShape {
  /** The version of Zed, which every later server can serve. */
  readonly version: string;
  readonly fields: Readonly<Record<string, FieldShape>>;
}

const field = (kind: FieldKind, required: boolean, fallback: unknown = null, type?: string): FieldShape => ({
  kind,
  required,
  fallback,
  type,
});

const id = field('string', true);
const needed = { string: field('string', true), integer: field('integer', true), boolean: field('boolean', true) };
const maybe = {
  string: field('string', false),
  integer: field('integer', false),
  boolean: field('boolean', false),
  any: field('any', false),
};
const or = (kind: FieldKind, fallback: unknown) => field(kind, false, fallback);
const list = (type: string) => field('objects', false, [], type);
const nested = (type: string) => field('object', false, null, type);
/** DictOfMiscValues: a JSON text inside the JSON. */
const jsonText = or('jsonText', {});

const standard = {
  revision_number: maybe.integer,
  created_at: maybe.string,
  updated_at: maybe.string,
  description: maybe.string,
};
const owned = { project_id: maybe.string, name: maybe.string };
const binding = {
  port_id: maybe.string,
  host: needed.string,
  profile: jsonText,
  vif_type: or('string', 'unbound'),
  vif_details: jsonText,
  vnic_type: or('string', 'normal'),
  status: or('string', 'ACTIVE'),
};
const portSecurity = { id: maybe.string, port_security_enabled: or('boolean', true) };
const qosRule = { id, qos_policy_id: maybe.string };
const shape = (version: string, fields: Readonly<Record<string, FieldShape>>): ObjectShape => ({ version, fields });

export const shapes: Readonly<Record<string, ObjectShape>> = {
  Port: shape('1.7', {
    id,
    ...owned,
    ...standard,
    network_id: needed.string,
    mac_address: needed.string,
    admin_state_up: needed.boolean,
    device_id: or('string', ''),
    device_owner: or('string', ''),
    status: or('string', 'DOWN'),
    allowed_address_pairs: list('AllowedAddressPair'),
    bindings: list('PortBinding'),
    distributed_bindings: list('DistributedPortBinding'),
    binding_levels: list('PortBindingLevel'),
    fixed_ips: list('IPAllocation'),
    dhcp_options: list('ExtraDhcpOpt'),
    security: nested('PortSecurity'),
    dns: nested('PortDNS'),
    security_group_ids: or('strings', []),
    qos_policy_id: maybe.string,
    qos_network_policy_id: maybe.string,
    data_plane_status: maybe.any,
    numa_affinity_policy: maybe.string,
    device_profile: maybe.string,
    hints: field('jsonText', false),
    hardware_offload_type: maybe.string,
    trusted: maybe.boolean,
  }),
  PortBinding: shape('1.0', binding),
  DistributedPortBinding: shape('1.0', { ...binding, router_id: maybe.string }),
  PortBindingLevel: shape('1.1', {
    port_id: maybe.string,
    host: needed.string,
    level: needed.integer,
    driver: maybe.string,
    segment_id: maybe.string,
    segment: nested('NetworkSegment'),
  }),
  NetworkSegment: shape('1.0', {
    id: maybe.string,
    network_id: maybe.string,
    network_type: needed.string,
    physical_network: maybe.string,
    segmentation_id: maybe.integer,
    is_dynamic: or('boolean', false),
    segment_index: or('integer', 0),
  }),
  AllowedAddressPair: shape('1.0', { port_id: maybe.string, mac_address: needed.string, ip_address: needed.string }),
  IPAllocation: shape('1.0', {
    port_id: maybe.string,
    subnet_id: needed.string,
    network_id: maybe.string,
    ip_address: needed.string,
  }),
  PortSecurity: shape('1.0', portSecurity),
  NetworkPortSecurity: shape('1.0', portSecurity),
  ExtraDhcpOpt: shape('1.0', {
    id: maybe.string,
    port_id: maybe.string,
    opt_name: needed.string,
    opt_value: maybe.string,
    ip_version: or('integer', 4),
  }),
  Network: shape('1.1', {
    id,
    ...owned,
    ...standard,
    status: maybe.string,
    admin_state_up: or('boolean', true),
    vlan_transparent: maybe.boolean,
    mtu: maybe.integer,
    shared: maybe.boolean,
    segments: list('NetworkSegment'),
    security: nested('NetworkPortSecurity'),
    qos_policy_id: maybe.string,
    qinq: maybe.boolean,
  }),
  Subnet: shape('1.1', {
    id,
    ...owned,
    ...standard,
    network_id: needed.string,
    segment_id: maybe.string,
    ip_version: needed.integer,
    cidr: needed.string,
    gateway_ip: maybe.string,
    enable_dhcp: or('boolean', false),
    ipv6_ra_mode: maybe.string,
    ipv6_address_mode: maybe.string,
    dns_nameservers: list('DNSNameServer'),
    host_routes: list('Route'),
    allocation_pools: list('IPAllocationPool'),
  }),
  DNSNameServer: shape('1.0', {}),
  Route: shape('1.0', {}),
  IPAllocationPool: shape('1.0', {}),
  SecurityGroup: shape('1.5', {
    id,
    ...owned,
    ...standard,
    shared: maybe.boolean,
    stateful: or('boolean', true),
    is_default: maybe.boolean,
    rules: list('SecurityGroupRule'),
  }),
  SecurityGroupRule: shape('1.2', {
    id,
    project_id: maybe.string,
    ...standard,
    security_group_id: needed.string,
    remote_group_id: maybe.string,
    remote_address_group_id: maybe.string,
    direction: needed.string,
    ethertype: needed.string,
    protocol: maybe.string,
    port_range_min: maybe.integer,
    port_range_max: maybe.integer,
    remote_ip_prefix: maybe.string,
    normalized_cidr: maybe.string,
  }),
  AddressGroup: shape('1.2', {
    id,
    ...owned,
    ...standard,
    shared: maybe.boolean,
    addresses: list('AddressAssociation'),
  }),
  AddressAssociation: shape('1.0', { address: needed.string, address_group_id: maybe.string }),
  QosPolicy: shape('1.10', {
    id,
    ...owned,
    ...standard,
    shared: maybe.boolean,
    is_default: maybe.boolean,
    rules: list('QosBandwidthLimitRule'),
  }),
  QosBandwidthLimitRule: shape('1.5', {
    ...qosRule,
    max_kbps: needed.integer,
    max_burst_kbps: maybe.integer,
    direction: or('string', 'egress'),
  }),
  QosDscpMarkingRule: shape('1.5', { ...qosRule, dscp_mark: needed.integer }),
  QosMinimumBandwidthRule: shape('1.5', { ...qosRule, min_kbps: needed.integer, direction: or('string', 'egress') }),
  QosPacketRateLimitRule: shape('1.5', {
    ...qosRule,
    max_kpps: needed.integer,
    max_burst_kpps: maybe.integer,
    direction: or('string', 'egress'),
  }),
  QosMinimumPacketRateRule: shape('1.5', { ...qosRule, min_kpps: needed.integer, direction: or('string', 'egress') }),
  Trunk: shape('1.1', {
    id,
    ...owned,
    ...standard,
    admin_state_up: or('boolean', true),
    port_id: needed.string,
    status: maybe.string,
    sub_ports: list('SubPort'),
  }),
  SubPort: shape('1.0', {
    port_id: needed.string,
    trunk_id: needed.string,
    segmentation_type: needed.string,
    segmentation_id: needed.integer,
  }),
  Log: shape('1.0', {
    id,
    ...owned,
    ...standard,
    resource_type: needed.string,
    resource_id: maybe.string,
    target_id: maybe.string,
    event: needed.string,
    enabled: or('boolean', true),
  }),
  LocalIP: shape('1.0', {
    id,
    ...owned,
    ...standard,
    local_port_id: needed.string,
    network_id: needed.string,
    local_ip_address: needed.string,
    ip_mode: or('string', 'translate'),
  }),
  LocalIPAssociation: shape('1.0', {
    id,
    local_ip_id: needed.string,
    fixed_port_id: needed.string,
    fixed_ip: needed.string,
    local_ip: nested('LocalIP'),
  }),
};

/** The class of a QoS rule on the wire, and the word that stands for it in the plain object. */
export const qosRuleTypes: Readonly<Record<string, string>> = {
  QosBandwidthLimitRule: 'bandwidth_limit',
  QosDscpMarkingRule: 'dscp_marking',
  QosMinimumBandwidthRule: 'minimum_bandwidth',
  QosPacketRateLimitRule: 'packet_rate_limit',
  QosMinimumPacketRateRule: 'minimum_packet_rate',
};
