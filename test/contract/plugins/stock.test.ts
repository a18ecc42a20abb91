import { STOCK } from '@patchbay/plugins';
import type { PluginClass } from '@patchbay/sdk';
import { type ContractOptions, describePluginContract } from '@patchbay/testing';

jest.setTimeout(30_000);

const stock = (id: string): PluginClass => {
  const found = STOCK[id];
  if (found === undefined) throw new Error(`there is no stock plugin ${id}`);
  return found;
};

const NETWORKS = {
  networks: { blue: { type: 'vlan', segmentation_id: 101, physical_network: 'physnet1' } },
  ports: {},
};

const TUNNELS = { local_ip: '127.0.0.1', tunnel_types: ['vxlan'] };

/** What each stock plugin needs beside itself. */
const NEEDS: Readonly<Record<string, ContractOptions>> = {
  'integration-bridge': {},
  'bridge-mappings': {
    options: { bridge_mappings: { physnet1: 'br-ex' } },
    bridges: ['br-int', 'br-tun', 'br-ex'],
  },
  tunnels: { options: TUNNELS },
  'l2-population': {
    with: [stock('tunnels')],
    optionsOfOthers: { tunnels: { local_ip: '127.0.0.1', tunnel_types: ['vxlan'] } },
  },
  'arp-responder': { options: { nd_responder: true } },
  'local-vlan': {},
  'anti-spoofing': {},
  'security-groups': {},
  heartbeat: {},
  neutron: { options: { transport_url: 'rabbit://guest:guest@127.0.0.1:5672/' } },
  standalone: { options: { networks: NETWORKS } },
  'port-binding': {
    with: [stock('integration-bridge'), stock('local-vlan')],
  },
};

it('every stock plugin is held to the contract', () => {
  expect(Object.keys(NEEDS).sort()).toEqual(Object.keys(STOCK).sort());
});

for (const [id, options] of Object.entries(NEEDS)) describePluginContract(stock(id), options);
