import type { Host } from './bed-host';
import type { Overheard } from './overheard';

/** Names of the host's VXLAN tunnels. */
export const tunnelsOf = async (host: Host): Promise<readonly string[]> =>
  (await host.vsctl('list-ports', 'br-tun'))
    .trim()
    .split('\n')
    .filter((name) => name.startsWith('vxlan-'));

/** The name under which a host's tunnel is known: 198.19.0.N in hexadecimal. */
export const tunnelTo = (host: number): string => `vxlan-c613000${host}`;

/** Flows of a table of the tunnel bridge. */
export const tunnelTable = async (host: Host, number: number): Promise<readonly string[]> =>
  (await host.dumpFlows('br-tun', 'with cookies')).filter((flow) => flow.includes(` table=${number},`));

/** Of table 20, what the server told, not what the bridge learned. */
export const entriesOf = async (host: Host): Promise<string> =>
  (await tunnelTable(host, 20)).filter((flow) => flow.includes('priority=2,')).join('\n');

/** Whether the host itself answers ARP requests for the address with that MAC. */
export const answersFor = async (host: Host, address: string, mac: string): Promise<boolean> =>
  (await tunnelTable(host, 21)).some((flow) => flow.includes(`arp_tpa=${address},`) && flow.includes(mac));

/** Who asked the server for all entries of the networks of which ports; overheard on `q-plugin`. */
export const askedFor = (overheard: Overheard) =>
  overheard
    .calls('update_device_list')
    .filter(({ refresh_tunnels }) => refresh_tunnels === true)
    .map(({ host, devices_up }) => ({ host, ports: new Set(devices_up as readonly unknown[]) }));

/** An ARP request to all as tcpdump prints it; one to a single neighbour asks whether that is still there, and goes to it. */
export const requestFor = (address: string): RegExp =>
  new RegExp(`> ff:ff:ff:ff:ff:ff, .*ARP.* Request who-has ${address.replaceAll('.', '\\.')} .*tell`);

/** The same of a neighbour solicitation. */
export const solicitationOf = (address: string): RegExp =>
  new RegExp(`> 33:33:\\S+, .*neighbor solicitation, who has ${address},`);
