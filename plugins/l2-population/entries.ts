import type { RemoteAddress, TunnelType } from '@patchbay/sdk';
import { L2PopulationErrors } from './errors';

/** Neutron's entry for "send frames to all there too". */
const FLOODING_MAC = '00:00:00:00:00:00';
const TUNNEL_TYPES: readonly string[] = ['vxlan', 'gre', 'geneve'];

/** What an entry says of one host: whether frames to all go there, and which addresses it has. */
export interface HostEntries {
  readonly ipAddress: string;
  readonly names: 'flooding' | 'addresses only';
  readonly addresses: readonly RemoteAddress[];
}

export interface NetworkEntries {
  readonly networkId: string;
  readonly tunnelType: TunnelType;
  readonly tunnelKey: number;
  readonly hosts: readonly HostEntries[];
}

export interface AddressChange {
  readonly networkId: string;
  readonly ipAddress: string;
  readonly before: readonly RemoteAddress[];
  readonly after: readonly RemoteAddress[];
}

/**
 * `add_fdb_entries` and `remove_fdb_entries`: `{network: {segment_id, network_type, ports: {endpoint: [[mac, ip], …]}}}`. Networks that
 * no tunnel carries are left out.
 * @throws badEntries
 */
export function networkEntries(fdbEntries: unknown): readonly NetworkEntries[] {
  return Object.entries(mapOf(fdbEntries, 'any network', 'fdb_entries')).flatMap(([networkId, entries]) => {
    const { segment_id, network_type, ports } = mapOf(entries, networkId, 'entries');
    if (typeof network_type !== 'string' || !TUNNEL_TYPES.includes(network_type)) return [];
    if (typeof segment_id !== 'number')
      throw L2PopulationErrors.badEntries({ network: networkId, field: 'segment_id' });
    const hosts = Object.entries(mapOf(ports, networkId, 'ports')).map(([ipAddress, list]): HostEntries => {
      const addresses = addressesOf(list, networkId, `ports.${ipAddress}`);
      const isFlooding = addresses.some(({ macAddress }) => macAddress === FLOODING_MAC);
      return {
        ipAddress,
        names: isFlooding ? 'flooding' : 'addresses only',
        addresses: isFlooding ? addresses.filter(({ macAddress }) => macAddress !== FLOODING_MAC) : addresses,
      };
    });
    return [{ networkId, tunnelType: network_type as TunnelType, tunnelKey: segment_id, hosts }];
  });
}

/**
 * `update_fdb_entries`: `{chg_ip: {network: {endpoint: {before: [[mac, ip]], after: [[mac, ip]]}}}}`.
 * @throws badEntries
 */
export function addressChanges(fdbEntries: unknown): readonly AddressChange[] {
  const { chg_ip } = mapOf(fdbEntries, 'any network', 'fdb_entries');
  if (chg_ip === undefined) return [];
  return Object.entries(mapOf(chg_ip, 'any network', 'chg_ip')).flatMap(([networkId, hosts]) =>
    Object.entries(mapOf(hosts, networkId, 'chg_ip')).map(([ipAddress, change]) => {
      const { before, after } = mapOf(change, networkId, `chg_ip.${ipAddress}`);
      return {
        networkId,
        ipAddress,
        before: addressesOf(before ?? [], networkId, 'before'),
        after: addressesOf(after ?? [], networkId, 'after'),
      };
    }),
  );
}

function addressesOf(list: unknown, network: string, field: string): readonly RemoteAddress[] {
  if (!Array.isArray(list)) throw L2PopulationErrors.badEntries({ network, field });
  return list.map((entry: unknown) => {
    const [macAddress, ipAddress] = Array.isArray(entry) ? entry : [];
    if (typeof macAddress !== 'string' || typeof ipAddress !== 'string') {
      throw L2PopulationErrors.badEntries({ network, field });
    }
    return { macAddress: macAddress.toLowerCase(), ipAddress };
  });
}

function mapOf(value: unknown, network: string, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw L2PopulationErrors.badEntries({ network, field });
  }
  return value as Readonly<Record<string, unknown>>;
}
