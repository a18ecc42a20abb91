import { STOCK } from '@patchbay/plugins';
import type { PluginClass } from '@patchbay/sdk';
import type { ContractOptions } from '@patchbay/testing';

export function stock(id: string): PluginClass {
  const found = STOCK[id];
  if (found === undefined) throw new Error(`there is no stock plugin ${id}`);
  return found;
}

const NETWORKS = {
  networks: { blue: { type: 'vlan', segmentation_id: 101, physical_network: 'physnet1' } },
  ports: {},
};

const TUNNELS = { local_ip: '127.0.0.1', tunnel_types: ['vxlan'] };

/** What each stock plugin needs beside itself to run in a kit. */
export const STOCK_NEEDS: Readonly<Record<string, ContractOptions>> = {
  'integration-bridge': {},
  'bridge-mappings': {
    options: { bridge_mappings: { physnet1: 'br-ex' } },
    bridges: ['br-int', 'br-tun', 'br-ex'],
  },
  tunnels: { options: TUNNELS },
  'l2-population': { with: [stock('tunnels')], optionsOfOthers: { tunnels: TUNNELS } },
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
