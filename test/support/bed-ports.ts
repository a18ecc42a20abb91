import type { Bed, Ini, NeutronPort, Resource } from './bed';
import type { Guest } from './bed-guest';

/** Without security groups: what the reference agent does where firewall_driver is noop or not set. */
export const NO_FIREWALL: Ini = { securitygroup: { firewall_driver: 'noop' } };
export const ALL_TUNNELS: Ini = { agent: { tunnel_types: 'vxlan,gre,geneve' } };

export type NetworkKind = 'flat' | 'vlan' | 'vxlan' | 'gre' | 'geneve';
export const NETWORK_KINDS: readonly NetworkKind[] = ['flat', 'vlan', 'vxlan', 'gre', 'geneve'];

/** The provider attributes that neutron-server takes for a network of a kind; on the bed's one physical network where it is on one. */
export function providerFields(kind: NetworkKind, segmentationId: number): Readonly<Record<string, unknown>> {
  return {
    'provider:network_type': kind,
    ...(kind === 'flat' || kind === 'vlan' ? { 'provider:physical_network': 'physnet1' } : {}),
    ...(kind === 'flat' ? {} : { 'provider:segmentation_id': segmentationId }),
  };
}

/** A network of the kind with one IPv4 subnet. */
export async function createNetworkOf(
  bed: Bed,
  kind: NetworkKind,
  segmentationId: number,
  cidr: string,
): Promise<Resource> {
  const network = await bed.rest.createNetwork({ name: `${kind}-network`, ...providerFields(kind, segmentationId) });
  await bed.rest.createSubnet(network.id, cidr);
  return network;
}

/** The port's first address. */
export function addressOf(port: NeutronPort): string {
  const [first] = port.fixed_ips;
  if (first === undefined) throw new Error('the port has no address: its network needs a subnet');
  return first.ip_address;
}

export interface Plugged {
  readonly port: NeutronPort;
  readonly guest: Guest;
}

/** A port of the network on host 1, or another, plugged as Nova would. */
export async function createAndPlug(
  bed: Bed,
  networkId: string,
  fields: Readonly<Record<string, unknown>> = {},
  host = 1,
): Promise<Plugged> {
  const port = await bed.rest.createPort(networkId, `host${host}`, fields);
  return { port, guest: await plug(bed, port, host) };
}

export function plug(bed: Bed, port: NeutronPort, host = 1): Promise<Guest> {
  return bed.host(host).plug(port.id, port.mac_address, {
    addresses: port.fixed_ips.map(({ ip_address }) => `${ip_address}/${ip_address.includes(':') ? 64 : 24}`),
    deviceId: port.device_id,
  });
}

/** What is on the switch of one port: the Port row's tag and other_config, by name. */
export async function wiringOf(bed: Bed, guest: Guest): Promise<Readonly<Record<string, unknown>>> {
  const row = (await bed.host(1).rows('Port')).find(({ name }) => name === guest.interfaceName);
  if (row === undefined) throw new Error(`no port ${guest.interfaceName} on the switch`);
  return row;
}
