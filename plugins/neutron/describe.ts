import type { BindingState, NetworkType, PortDescription, Segment } from '@patchbay/sdk';
import { NeutronErrors } from './errors';
import type { BindingLevelObject, BindingObject, NetworkObject, PortObject, SegmentObject } from './objects';

const NETWORK_TYPES: readonly string[] = ['local', 'flat', 'vlan', 'vxlan', 'gre', 'geneve'];

/**
 * A port as this host sees it. The segment is the one of this host's deepest binding level; its segmentation id is taken from the
 * network, which the server pushes when the id of a segment in use is changed.
 */
export function describePort(port: PortObject, network: NetworkObject | undefined, host: string): PortDescription {
  const active = port.bindings.find((binding) => binding.status === 'ACTIVE');
  const own = port.bindings.find((binding) => binding.host === host);
  const binding = own ?? active;
  return {
    id: port.id,
    name: port.name,
    networkId: required(port, 'network_id'),
    macAddress: required(port, 'mac_address').toLowerCase(),
    adminStateUp: port.admin_state_up,
    status: port.status,
    deviceId: port.device_id,
    deviceOwner: port.device_owner,
    fixedIps: port.fixed_ips.map(({ subnet_id, ip_address }) => ({ subnetId: subnet_id, ipAddress: ip_address })),
    allowedAddressPairs: port.allowed_address_pairs.map(({ mac_address, ip_address }) => ({
      macAddress: mac_address.toLowerCase(),
      ipAddress: ip_address,
    })),
    portSecurityEnabled: port.security?.port_security_enabled ?? true,
    securityGroupIds: [...port.security_group_ids].sort(),
    segment: segmentOf(port, network, host, active),
    binding: bindingState(port, active, host),
    vnicType: binding?.vnic_type ?? 'normal',
    vifType: binding?.vif_type ?? '',
    profile: binding?.profile ?? {},
    qosPolicyId: port.qos_policy_id,
    networkQosPolicyId: port.qos_network_policy_id,
    mtu: network?.mtu ?? null,
    hints: port.hints ?? {},
    revision: port.revision_number ?? 0,
  };
}

/**
 * Live migration as Neutron runs it: the active binding names the destination in its profile before the binding moves. Only a
 * compute port can be bound elsewhere and be plugged here; DHCP and router ports are wired where they are plugged.
 */
function bindingState(port: PortObject, active: BindingObject | undefined, host: string): BindingState {
  const migratingTo = active?.profile.migrating_to;
  if (active?.host === host) return typeof migratingTo === 'string' && migratingTo !== host ? 'migrating-out' : 'here';
  if (migratingTo === host) return 'migrating-in';
  return port.device_owner.startsWith('compute:') ? 'elsewhere' : 'here';
}

function segmentOf(
  port: PortObject,
  network: NetworkObject | undefined,
  host: string,
  active: BindingObject | undefined,
): Segment | null {
  const level = deepest(port.binding_levels, host) ?? deepest(port.binding_levels, active?.host);
  if (level?.segment == null) return null;
  const segmentId = level.segment_id ?? level.segment.id;
  const current = network?.segments.find((segment) => segment.id === segmentId) ?? level.segment;
  return segment(port, current);
}

function deepest(levels: readonly BindingLevelObject[], host: string | undefined): BindingLevelObject | undefined {
  return levels.filter((level) => level.host === host).sort((one, other) => other.level - one.level)[0];
}

function segment(port: PortObject, { network_type, physical_network, segmentation_id }: SegmentObject): Segment {
  if (!NETWORK_TYPES.includes(network_type)) {
    throw NeutronErrors.badPort({ port: port.id, field: `binding_levels.segment.network_type (${network_type})` });
  }
  return {
    networkId: port.network_id,
    networkType: network_type as NetworkType,
    physicalNetwork: physical_network,
    segmentationId: segmentation_id,
  };
}

function required(port: PortObject, field: 'network_id' | 'mac_address'): string {
  const value = port[field];
  if (typeof value !== 'string' || value === '') throw NeutronErrors.badPort({ port: port.id, field });
  return value;
}
