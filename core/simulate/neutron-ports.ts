import type { SimulatedHost, SimulatedPort } from './messages';

/** A network of the simulation, with one port on each of some hosts. */
export interface SimulatedNetwork {
  readonly networkId: string;
  readonly tunnelKey: number;
  readonly hosts: readonly SimulatedHost[];
}

interface NetworkAnswer {
  readonly network: { readonly id: string; readonly 'provider:segmentation_id'?: number };
}

interface PortsAnswer {
  readonly ports: readonly {
    readonly id: string;
    readonly mac_address: string;
    readonly 'binding:host_id': string;
  }[];
}

/** Ports that one request makes: a request must be answered within some minutes, and a server may take a second for each. */
const AT_ONCE = 50;

/** Makes networks and ports at neutron-server's REST API. The token, if the server wants one, is in OS_TOKEN. */
export class NeutronPorts {
  constructor(private readonly url: string) {}

  /** One network for so many hosts, with a port on each. */
  async create(
    hosts: readonly SimulatedHost[],
    number: number,
  ): Promise<{ readonly network: SimulatedNetwork; readonly ports: readonly SimulatedPort[] }> {
    const tenant_id = 'simulated';
    const { network } = (await this.post('networks', {
      network: { name: `simulated-${number}`, tenant_id, 'provider:network_type': 'vxlan' },
    })) as NetworkAnswer;
    const cidr = `10.${(number >> 4) % 256}.${(number % 16) << 4}.0/20`;
    await this.post('subnets', {
      subnet: { network_id: network.id, ip_version: 4, cidr, enable_dhcp: false, tenant_id },
    });
    const ports: PortsAnswer['ports'][number][] = [];
    for (let from = 0; from < hosts.length; from += AT_ONCE) {
      const made = (await this.post('ports', {
        ports: hosts.slice(from, from + AT_ONCE).map(({ name }) => ({
          network_id: network.id,
          'binding:host_id': name,
          device_owner: 'compute:simulated',
          device_id: name,
          tenant_id,
        })),
      })) as PortsAnswer;
      ports.push(...made.ports);
    }
    return {
      network: {
        networkId: network.id,
        tunnelKey: network['provider:segmentation_id'] ?? 0,
        hosts,
      },
      ports: ports.map((port) => ({
        host: port['binding:host_id'],
        portId: port.id,
        macAddress: port.mac_address,
      })),
    };
  }

  private async post(collection: string, body: unknown): Promise<unknown> {
    const token = process.env.OS_TOKEN;
    const response = await fetch(`${this.url}/v2.0/${collection}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Project-Id': 'simulated',
        ...(token === undefined ? {} : { 'X-Auth-Token': token }),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`neutron-server refused to make ${collection}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}
