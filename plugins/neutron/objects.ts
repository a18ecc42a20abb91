import type { CachedObject } from '@patchbay/sdk';

/**
 * The fields of Neutron's versioned objects that the agent reads, under Neutron's names. The decoder has filled in what a server may
 * leave out, so every field is there.
 */
export interface SegmentObject {
  readonly id?: string;
  readonly network_type: string;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
}

export interface BindingObject {
  readonly host: string;
  readonly status: string;
  readonly vif_type: string;
  readonly vnic_type: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

export interface BindingLevelObject {
  readonly host: string;
  readonly level: number;
  readonly segment_id?: string | null;
  readonly segment: SegmentObject | null;
}

export interface PortObject extends CachedObject {
  readonly name: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly allowed_address_pairs: readonly { readonly mac_address: string; readonly ip_address: string }[];
  readonly security: { readonly port_security_enabled: boolean } | null;
  readonly security_group_ids: readonly string[];
  readonly bindings: readonly BindingObject[];
  readonly binding_levels: readonly BindingLevelObject[];
  readonly qos_policy_id: string | null;
  readonly qos_network_policy_id: string | null;
  readonly hints?: Readonly<Record<string, unknown>> | null;
  readonly revision_number?: number;
}

export interface NetworkObject extends CachedObject {
  readonly name: string;
  readonly mtu: number | null;
  readonly segments: readonly SegmentObject[];
  readonly qos_policy_id: string | null;
}

export interface RuleObject extends CachedObject {
  readonly security_group_id: string;
  readonly direction: string;
  readonly ethertype: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly normalized_cidr?: string | null;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
}

/** Zed's versions: every later server serves them (it converts downwards, never upwards). */
export const OBJECT_VERSIONS: Readonly<Record<string, string>> = {
  Port: '1.7',
  Network: '1.1',
  Subnet: '1.1',
  SecurityGroup: '1.5',
  SecurityGroupRule: '1.2',
  AddressGroup: '1.2',
};

/** The other types that a Zed agent announces; extensions use some, the server only needs to know the versions. */
export const OTHER_ANNOUNCED_VERSIONS: Readonly<Record<string, string>> = {
  QosPolicy: '1.10',
  Trunk: '1.1',
  SubPort: '1.0',
  Log: '1.0',
  LocalIPAssociation: '1.0',
  PortForwarding: '1.3',
  ConntrackHelper: '1.0',
  NDPProxy: '1.0',
  Agent: '1.1',
};
