import { STOCK } from '@patchbay/plugins';
import type { PluginClass } from '@patchbay/sdk';
import type { ContractOptions, Kit } from '@patchbay/testing';

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

/** Serves others, or acts on what a server or a VIF says: the contract's own facts are nothing to it, and its own tests see to the rest. */
const IDLE = { statesNothing: true } as const;

/** The broker: what the agent sends to its own queue comes back. */
async function bringMarkers(kit: Kit): Promise<void> {
  const markers = () => kit.rpc.sent.filter(({ method }) => method === 'entries_end_here');
  for (let brought = 0; brought < markers().length; ) {
    const [next] = markers().slice(brought);
    brought += 1;
    if (next !== undefined) await kit.rpc.notify(next.target.topic, next.method, next.args);
    await kit.settled();
  }
}

/** What each stock plugin needs beside itself to run in a kit. */
export const STOCK_NEEDS: Readonly<Record<string, ContractOptions>> = {
  'integration-bridge': {},
  'bridge-mappings': {
    options: { bridge_mappings: { physnet1: 'br-ex' } },
    bridges: ['br-int', 'br-tun', 'br-ex'],
  },
  tunnels: { options: TUNNELS },
  'l2-population': { ...IDLE, with: [stock('tunnels')], optionsOfOthers: { tunnels: TUNNELS }, settled: bringMarkers },
  'arp-responder': { ...IDLE, options: { nd_responder: true } },
  'local-vlan': IDLE,
  'anti-spoofing': {},
  'security-groups': {},
  heartbeat: IDLE,
  neutron: { ...IDLE, options: { transport_url: 'rabbit://guest:guest@127.0.0.1:5672/' } },
  standalone: { ...IDLE, options: { networks: NETWORKS } },
  'port-binding': {
    ...IDLE,
    with: [stock('integration-bridge'), stock('local-vlan')],
  },
};
