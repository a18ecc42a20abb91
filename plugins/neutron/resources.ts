import type {
  AddressGroup,
  CachedObject,
  GroupMember,
  Network,
  NetworkType,
  ObjectCache,
  ResourceView,
  SecurityGroup,
  SecurityGroupRule,
  Subnet,
  UnusedResources,
} from '@patchbay/sdk';
import type { NetworkObject, PortObject, RuleObject } from './objects';

/** Neutron's resources from the cache, in the domain's shapes. */
export class NeutronResources implements ResourceView {
  constructor(private readonly objects: ObjectCache) {}

  async securityGroups(ids: readonly string[]): Promise<readonly SecurityGroup[]> {
    const groups = await this.objects.load('SecurityGroup', ids);
    return Promise.all(
      groups.map(async (group) => ({
        id: group.id,
        name: String(group.name ?? ''),
        stateful: group.stateful !== false,
        rules: ((await this.objects.find('SecurityGroupRule', 'security_group_id', group.id)) as readonly RuleObject[])
          .map(ruleOf)
          .sort((one, other) => (one.id < other.id ? -1 : 1)),
      })),
    );
  }

  async membersOf(securityGroupId: string): Promise<readonly GroupMember[]> {
    const ports = (await this.objects.find('Port', 'security_group_ids', securityGroupId)) as readonly PortObject[];
    return ports.flatMap(membersOfPort);
  }

  async addressGroups(ids: readonly string[]): Promise<readonly AddressGroup[]> {
    const groups = await this.objects.load('AddressGroup', ids);
    return groups.map((group) => ({ id: group.id, name: String(group.name ?? ''), addresses: addressesOf(group) }));
  }

  async networks(ids: readonly string[]): Promise<readonly Network[]> {
    const networks = (await this.objects.load('Network', ids)) as readonly NetworkObject[];
    return networks.map((network) => ({
      id: network.id,
      name: network.name,
      mtu: network.mtu,
      segments: network.segments.map((segment) => ({
        networkId: network.id,
        networkType: segment.network_type as NetworkType,
        physicalNetwork: segment.physical_network,
        segmentationId: segment.segmentation_id,
      })),
    }));
  }

  async subnets(ids: readonly string[]): Promise<readonly Subnet[]> {
    const subnets = await this.objects.load('Subnet', ids);
    return subnets.map((subnet) => ({
      id: subnet.id,
      networkId: String(subnet.network_id),
      cidr: String(subnet.cidr),
      gatewayIp: (subnet.gateway_ip as string | null | undefined) ?? null,
      ipVersion: subnet.ip_version === 6 ? 6 : 4,
      enableDhcp: subnet.enable_dhcp === true,
    }));
  }

  forget({ securityGroups, membersOf, addressGroups }: UnusedResources): void {
    for (const id of securityGroups) {
      this.objects.forget('SecurityGroup', id);
      this.objects.forgetFound('SecurityGroupRule', 'security_group_id', id);
    }
    for (const id of membersOf) this.objects.forgetFound('Port', 'security_group_ids', id);
    for (const id of addressGroups) {
      this.objects.forget('AddressGroup', id);
      this.objects.forgetFound('SecurityGroupRule', 'remote_address_group_id', id);
    }
  }
}

function ruleOf(rule: RuleObject): SecurityGroupRule {
  return {
    id: rule.id,
    securityGroupId: rule.security_group_id,
    direction: rule.direction === 'egress' ? 'egress' : 'ingress',
    ethertype: rule.ethertype === 'IPv6' ? 'IPv6' : 'IPv4',
    protocol: rule.protocol,
    portRangeMin: rule.port_range_min,
    portRangeMax: rule.port_range_max,
    remoteIpPrefix: rule.normalized_cidr ?? rule.remote_ip_prefix,
    remoteGroupId: rule.remote_group_id,
    remoteAddressGroupId: rule.remote_address_group_id,
  };
}

function membersOfPort(port: PortObject): readonly GroupMember[] {
  const fixed = port.fixed_ips.map(({ ip_address }) => ({ macAddress: port.mac_address, ipAddress: ip_address }));
  const pairs = port.allowed_address_pairs.map((pair) => ({
    macAddress: pair.mac_address,
    ipAddress: pair.ip_address,
  }));
  return [...fixed, ...pairs].map(({ macAddress, ipAddress }) => ({
    portId: port.id,
    macAddress: macAddress.toLowerCase(),
    ipAddress,
  }));
}

/** An address group's addresses are objects of their own, or plain CIDRs. */
function addressesOf(group: CachedObject): readonly string[] {
  const addresses = Array.isArray(group.addresses) ? group.addresses : [];
  return addresses.map((address: unknown) =>
    typeof address === 'string' ? address : String((address as { readonly address?: unknown }).address),
  );
}
