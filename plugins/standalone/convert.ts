import type {
  AddressGroup,
  GroupMember,
  Network,
  PortDescription,
  SecurityGroup,
  SecurityGroupRule,
  Segment,
  TunnelEndpoint,
} from '@patchbay/sdk';
import ipaddr from 'ipaddr.js';
import type { NetworksDocument } from './document';

type Rule = NetworksDocument['security_groups'][string]['rules'][number];

export function segmentOf(document: NetworksDocument, networkId: string): Segment | null {
  const network = document.networks[networkId];
  if (network === undefined) return null;
  return {
    networkId,
    networkType: network.type,
    physicalNetwork: network.physical_network ?? null,
    segmentationId: network.segmentation_id ?? null,
  };
}

/** A port that is plugged here is bound here: a networks file names no hosts. */
export function describePort(document: NetworksDocument, id: string): PortDescription | undefined {
  const port = document.ports[id];
  if (port === undefined) return undefined;
  return {
    id,
    name: id,
    networkId: port.network,
    macAddress: port.mac,
    adminStateUp: port.admin_state === 'up',
    status: 'DOWN',
    deviceId: id,
    deviceOwner: 'compute:standalone',
    fixedIps: port.addresses.map((ipAddress) => ({ subnetId: port.network, ipAddress })),
    allowedAddressPairs: port.allowed_address_pairs.map((pair) => ({
      macAddress: pair.mac ?? port.mac,
      ipAddress: pair.address,
    })),
    portSecurityEnabled: port.port_security,
    securityGroupIds: [...port.security_groups].sort(),
    segment: segmentOf(document, port.network),
    binding: 'here',
    vnicType: 'normal',
    vifType: 'ovs',
    profile: {},
    qosPolicyId: null,
    networkQosPolicyId: null,
    mtu: document.networks[port.network]?.mtu ?? null,
    hints: {},
    revision: 0,
  };
}

const converted = new WeakMap<NetworksDocument['security_groups'][string], SecurityGroup>();

/** The same object for a group that is the same one: port after port asks for it. */
export function securityGroup(document: NetworksDocument, id: string): SecurityGroup | undefined {
  const written = document.security_groups[id];
  if (written === undefined) return undefined;
  const known = converted.get(written);
  if (known !== undefined) return known;
  const { stateful } = written;
  const group = { id, name: id, stateful, rules: written.rules.map((rule, index) => ruleOf(id, index, rule)) };
  converted.set(written, group);
  return group;
}

export function membersOf(document: NetworksDocument, groupId: string): readonly GroupMember[] {
  return Object.entries(document.ports)
    .filter(([, port]) => port.security_groups.includes(groupId))
    .flatMap(([portId, port]) => [
      ...port.addresses.map((ipAddress) => ({ portId, macAddress: port.mac, ipAddress })),
      ...port.allowed_address_pairs.map((pair) => ({
        portId,
        macAddress: pair.mac ?? port.mac,
        ipAddress: pair.address,
      })),
    ]);
}

export function addressGroup(document: NetworksDocument, id: string): AddressGroup | undefined {
  const addresses = document.address_groups[id];
  return addresses === undefined ? undefined : { id, name: id, addresses: addresses.map(asCidr) };
}

export function network(document: NetworksDocument, id: string): Network | undefined {
  const segment = segmentOf(document, id);
  if (segment === null) return undefined;
  return { id, name: id, mtu: document.networks[id]?.mtu ?? null, segments: [segment] };
}

export function tunnelEndpoints(document: NetworksDocument): readonly TunnelEndpoint[] {
  return document.tunnel_peers.map(({ type, address }) => ({ tunnelType: type, ipAddress: address }));
}

function ruleOf(securityGroupId: string, index: number, rule: Rule): SecurityGroupRule {
  const [first, last] = rule.ports === undefined ? [] : String(rule.ports).split('-').map(Number);
  const isIcmp = /icmp/i.test(String(rule.protocol));
  return {
    id: `${securityGroupId}/${index}`,
    securityGroupId,
    direction: rule.direction,
    ethertype: rule.ethertype,
    protocol: rule.protocol === undefined ? null : String(rule.protocol),
    portRangeMin: first ?? null,
    portRangeMax: last ?? (isIcmp ? null : (first ?? null)),
    remoteIpPrefix: rule.remote_prefix === undefined ? null : asCidr(rule.remote_prefix),
    remoteGroupId: rule.remote_group ?? null,
    remoteAddressGroupId: rule.remote_address_group ?? null,
  };
}

function asCidr(prefix: string): string {
  if (prefix.includes('/')) return prefix;
  return `${prefix}/${ipaddr.parse(prefix).kind() === 'ipv4' ? 32 : 128}`;
}
