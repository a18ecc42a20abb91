/**
 * Neutron's objects as plain data, under Neutron's own field names. Fields that a server of another release adds are kept as they came.
 * Absent fields have the default that Neutron's own reader would see (null, an empty list), so that none is undefined.
 */
interface Versioned {
  readonly id: string;
  readonly revision_number: number | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly description: string | null;
}

type JsonObject = Readonly<Record<string, unknown>>;

export interface NetworkSegment {
  readonly id: string | null;
  readonly network_id: string | null;
  readonly network_type: string;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
  readonly is_dynamic: boolean;
  readonly segment_index: number;
}

export interface PortBinding {
  readonly port_id: string | null;
  readonly host: string;
  readonly profile: JsonObject;
  readonly vif_type: string;
  readonly vif_details: JsonObject;
  readonly vnic_type: string;
  /** ACTIVE or INACTIVE. */
  readonly status: string;
}

export interface PortBindingLevel {
  readonly port_id: string | null;
  readonly host: string;
  readonly level: number;
  readonly driver: string | null;
  readonly segment_id: string | null;
  readonly segment: NetworkSegment | null;
}

export interface AllowedAddressPair {
  readonly port_id: string | null;
  readonly mac_address: string;
  /** An address or a prefix. */
  readonly ip_address: string;
}

export interface IpAllocation {
  readonly port_id: string | null;
  readonly subnet_id: string;
  readonly network_id: string | null;
  readonly ip_address: string;
}

export interface PortSecurity {
  readonly id: string | null;
  readonly port_security_enabled: boolean;
}

export interface ExtraDhcpOption {
  readonly id: string | null;
  readonly port_id: string | null;
  readonly opt_name: string;
  readonly opt_value: string | null;
  readonly ip_version: number;
}

export interface Port extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly device_id: string;
  readonly device_owner: string;
  readonly status: string;
  readonly allowed_address_pairs: readonly AllowedAddressPair[];
  readonly bindings: readonly PortBinding[];
  readonly distributed_bindings: readonly PortBinding[];
  readonly binding_levels: readonly PortBindingLevel[];
  readonly fixed_ips: readonly IpAllocation[];
  readonly dhcp_options: readonly ExtraDhcpOption[];
  readonly security: PortSecurity | null;
  readonly security_group_ids: readonly string[];
  readonly qos_policy_id: string | null;
  readonly qos_network_policy_id: string | null;
  readonly data_plane_status: string | null;
  readonly numa_affinity_policy: string | null;
  readonly device_profile: string | null;
  readonly dns: JsonObject | null;
  /** From 1.8: hints such as tx-steering. */
  readonly hints: JsonObject | null;
  /** From 1.9. */
  readonly hardware_offload_type: string | null;
  /** From 1.10. */
  readonly trusted: boolean | null;
}

export interface Network extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly status: string | null;
  readonly admin_state_up: boolean;
  readonly vlan_transparent: boolean | null;
  readonly mtu: number | null;
  readonly shared: boolean | null;
  readonly segments: readonly NetworkSegment[];
  readonly security: PortSecurity | null;
  readonly qos_policy_id: string | null;
  /** From 1.2. */
  readonly qinq: boolean | null;
}

export interface Subnet extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly network_id: string;
  readonly segment_id: string | null;
  readonly ip_version: number;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
  readonly ipv6_ra_mode: string | null;
  readonly ipv6_address_mode: string | null;
  readonly dns_nameservers: readonly JsonObject[];
  readonly host_routes: readonly JsonObject[];
  readonly allocation_pools: readonly JsonObject[];
}

export interface SecurityGroupRule extends Versioned {
  readonly project_id: string | null;
  readonly security_group_id: string;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
  /** ingress or egress. */
  readonly direction: string;
  /** IPv4 or IPv6. */
  readonly ethertype: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly normalized_cidr: string | null;
}

export interface SecurityGroup extends Versioned {
  readonly name: string | null;
  readonly project_id: string | null;
  readonly shared: boolean | null;
  readonly stateful: boolean;
  readonly is_default: boolean | null;
  readonly rules: readonly SecurityGroupRule[];
}

export interface AddressGroup extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly shared: boolean | null;
  readonly addresses: readonly { readonly address: string; readonly address_group_id: string | null }[];
}

interface QosRuleBase {
  readonly id: string;
  readonly qos_policy_id: string | null;
}

/** Rules of a policy; `rule_type` stands for the class of the object on the wire. Rates in kbit/s or packets/s. */
export type QosRule =
  | (QosRuleBase & {
      readonly rule_type: 'bandwidth_limit';
      readonly max_kbps: number;
      readonly max_burst_kbps: number | null;
      readonly direction: string;
    })
  | (QosRuleBase & { readonly rule_type: 'dscp_marking'; readonly dscp_mark: number })
  | (QosRuleBase & { readonly rule_type: 'minimum_bandwidth'; readonly min_kbps: number; readonly direction: string })
  | (QosRuleBase & {
      readonly rule_type: 'packet_rate_limit';
      readonly max_kpps: number;
      readonly max_burst_kpps: number | null;
      readonly direction: string;
    })
  | (QosRuleBase & {
      readonly rule_type: 'minimum_packet_rate';
      readonly min_kpps: number;
      readonly direction: string;
    });

export interface QosPolicy extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly shared: boolean | null;
  readonly is_default: boolean | null;
  readonly rules: readonly QosRule[];
}

export interface SubPort {
  readonly port_id: string;
  readonly trunk_id: string;
  readonly segmentation_type: string;
  readonly segmentation_id: number;
}

export interface Trunk extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly admin_state_up: boolean;
  readonly port_id: string;
  readonly status: string | null;
  readonly sub_ports: readonly SubPort[];
}

export interface Log extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly resource_type: string;
  readonly resource_id: string | null;
  readonly target_id: string | null;
  readonly event: string;
  readonly enabled: boolean;
}

export interface LocalIp extends Versioned {
  readonly project_id: string | null;
  readonly name: string | null;
  readonly local_port_id: string;
  readonly network_id: string;
  readonly local_ip_address: string;
  readonly ip_mode: string;
}

/** `id` is made of local_ip_id and fixed_port_id. */
export interface LocalIpAssociation {
  readonly id: string;
  readonly local_ip_id: string;
  readonly fixed_port_id: string;
  readonly fixed_ip: string;
  readonly local_ip: LocalIp | null;
}

/** Types that the server pushes and that can be pulled. */
export interface ResourceTypes {
  readonly Port: Port;
  readonly Network: Network;
  readonly Subnet: Subnet;
  readonly SecurityGroup: SecurityGroup;
  readonly SecurityGroupRule: SecurityGroupRule;
  readonly AddressGroup: AddressGroup;
  readonly QosPolicy: QosPolicy;
  readonly Trunk: Trunk;
  readonly SubPort: SubPort;
  readonly Log: Log;
  readonly LocalIPAssociation: LocalIpAssociation;
}
