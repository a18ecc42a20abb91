import { STOCK } from '@patchbay/plugins';
import { type PluginClass, printFlow } from '@patchbay/sdk';
import { Kit } from '@patchbay/testing';

const Answering = jest.requireActual<PluginClass>('../../fixtures/vendor/answering');
const Directory = jest.requireActual<PluginClass>('../../fixtures/vendor/directory');
const stock = (name: string): PluginClass => {
  const found = STOCK[name];
  if (found === undefined) throw new Error(`there is no stock plugin ${name}`);
  return found;
};
const ELSEWHERE = { macAddress: 'fa:16:3e:aa:bb:cc', ipAddress: '10.9.9.9' };
const OPTIONS = {
  tunnels: { local_ip: '127.0.0.1', tunnel_types: ['vxlan'] },
  directory: { ipAddress: '192.0.2.9', addresses: [ELSEWHERE] },
};
const SEGMENT = { networkId: 'net', networkType: 'vxlan', physicalNetwork: null, segmentationId: 77 } as const;

type Backend = 'memory' | 'ovs';
/** Flows of the tunnel bridge about VLAN 3, once a network with that VLAN is used. */
async function flowsOf(backend: Backend, plugins: readonly PluginClass[]): Promise<string> {
  const kit = await Kit.start({ plugins, switch: backend, options: OPTIONS });
  try {
    await kit.kernel.announcer.event('test', (calls) =>
      calls.tell('onSegmentBound', { segment: SEGMENT, localVlan: 3 }),
    );
    await kit.settled();
    expect(kit.switch.status()).toMatchObject({ quarantined: 0, conflicts: [] });
    const flows = await kit.backend.installed('br-tun');
    return flows.map((flow) => printFlow(flow.decode())).join('\n');
  } finally {
    await kit.stop();
  }
}

const SWITCHES = [
  ['in memory', 'memory'],
  ['that is a real Open vSwitch', 'ovs'],
] as const;

describe.each(SWITCHES)("a vendor's plugin in the place of l2-population, on a switch %s", (_which, backend) => {
  test('leads tunnels, flooding and the stock responder by what it tells', async () => {
    const flows = await flowsOf(backend, [stock('tunnels'), stock('arp-responder'), Directory]);
    expect(flows).toMatch(/table=20,priority=2,dl_vlan=3,eth_dst=fa:16:3e:aa:bb:cc actions=.*output:/);
    expect(flows).toMatch(/table=22,priority=1,dl_vlan=3 actions=.*output:/);
    expect(flows).toMatch(/table=21,priority=1,arp,dl_vlan=3,.*arp_tpa=10\.9\.9\.9 actions=.*fa:16:3e:aa:bb:cc/);
  });
});

describe.each(SWITCHES)("a vendor's plugin in the place of arp-responder, on a switch %s", (_which, backend) => {
  test('treats ARP in its own way, by what is told', async () => {
    const flows = await flowsOf(backend, [stock('tunnels'), Directory, Answering]);
    expect(flows).toMatch(/table=21,priority=9,arp,dl_vlan=3,arp_tpa=10\.9\.9\.9 actions=.*fa:16:3e:aa:bb:cc/);
    expect(flows).not.toMatch(/table=21,priority=[01],/);
  });
});
