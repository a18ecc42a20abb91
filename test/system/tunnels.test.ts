import { createMessaging } from '../../core/rpc';
import { Bed, type Guest, type Host, type NeutronPort, type Resource, until } from '../support/bed';
import { addressOf, conditionsOf, startedPatchbay, statusOf } from '../support/bed-agent';
import { occupyTunnel } from '../support/bed-tunnels';

jest.setTimeout(300_000);

const OPTIONS = { agent: { tunnel_types: 'vxlan,gre,geneve' }, securitygroup: { firewall_driver: 'noop' } };
/** As plugins/tunnels and the reference agent mark what table 10's learn action writes into table 20. */
const LEARNED_IN_TABLE_20 = /^cookie=0x[0-9a-f]+,.* table=20, hard_timeout=300, priority=1,/;
const PROVIDER = { 'provider:physical_network': 'physnet1' };
const SEGMENTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  vxlan: {},
  gre: {},
  geneve: {},
  vlan: { ...PROVIDER, 'provider:segmentation_id': 300 },
  flat: PROVIDER,
};

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
});
afterAll(() => bed.stop());

/** One plugged guest on each host, on a new network of that type, both ACTIVE for the server. */
async function pair(networkType: string) {
  const network = await bed.rest.createNetwork({ 'provider:network_type': networkType, ...SEGMENTS[networkType] });
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  const here = await plugged(bed.host(1), network);
  const there = await plugged(bed.host(2), network);
  await bed.rest.untilPortsAre('ACTIVE', [here.port.id, there.port.id]);
  return { network, here, there };
}

async function plugged(host: Host, network: Resource): Promise<{ readonly port: NeutronPort; readonly guest: Guest }> {
  const port = await bed.rest.createPort(network.id, host.name);
  return { port, guest: await host.plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`] }) };
}

async function expectToReachEachOther({ here, there }: Awaited<ReturnType<typeof pair>>): Promise<void> {
  await here.guest.untilReaches(addressOf(there.port), { count: 1 });
  await there.guest.untilReaches(addressOf(here.port));
}

const learned = async (host: Host, mac: string): Promise<readonly string[]> =>
  (await host.dumpFlows('br-tun', 'with cookies')).filter(
    (flow) => flow.includes(`dl_dst=${mac}`) && LEARNED_IN_TABLE_20.test(flow),
  );

const portsOf = async (host: Host, bridge: string): Promise<readonly string[]> =>
  (await host.vsctl('list-ports', bridge)).trim().split('\n');

describe('two hosts with Patchbay', () => {
  beforeAll(async () => {
    await Promise.all(bed.hosts.map((host) => startedPatchbay(host, { ini: OPTIONS })));
    await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
  });

  test.each(Object.keys(SEGMENTS))('guests of a %s network on different hosts reach each other', async (type) => {
    await expectToReachEachOther(await pair(type));
  });

  test('guests of two networks do not, whatever their types', async () => {
    const one = await pair('vxlan');
    const other = await pair('vxlan');
    const foreign = `${addressOf(other.there.port).split('.').slice(0, 3).join('.')}.${99}`;
    await other.there.guest.exec('ip', 'address', 'add', `${foreign}/24`, 'dev', other.there.guest.interfaceName);

    await expect(one.here.guest.ping(foreign)).resolves.toMatchObject({ received: 0 });
  });

  test('the tunnel bridge learns who is where, and forgets when the segment is released', async () => {
    const guests = await pair('vxlan');
    await expectToReachEachOther(guests);
    const mac = guests.there.port.mac_address;
    await until(async () => (await learned(bed.host(1), mac)).length === 1);

    await guests.here.guest.unplug();

    await until(async () => (await learned(bed.host(1), mac)).length === 0);
  });

  test('an endpoint that the switch refuses holds up no other, is named by health with the reason, and made once it can be', async () => {
    const host = bed.host(1);
    const [blocked, free] = ['198.19.0.77', '198.19.0.78'];
    await pair('vxlan');
    const vacate = await occupyTunnel(host, blocked);
    const messaging = createMessaging({ transportUrl: bed.amqpUrl.replace('amqp:', 'rabbit:') });
    const tell = (what: 'update' | 'delete', tunnel_ip: string) =>
      messaging.fanout({ topic: `q-agent-notifier-tunnel-${what}`, version: '1.0' }, `tunnel_${what}`, {
        tunnel_ip,
        tunnel_type: 'vxlan',
      });
    // The server does not know them: an agent that asks it for all endpoints meanwhile lets these go.
    const untilAnnounced = (isSo: () => Promise<boolean>) =>
      until(
        async () => {
          for (const address of [blocked, free]) await tell('update', address);
          return isSo();
        },
        { everyMs: 1_000, what: isSo.toString() },
      );
    const health = async () =>
      conditionsOf(await statusOf(host), 'tunnels').find((each) => each.startsWith('endpoints')) ?? 'well';
    const numberOf = async (port: string) => Number(await host.vsctl('get', 'Interface', port, 'ofport'));
    const flooded = async (port: string) =>
      (await host.dumpFlows('br-tun')).some((flow) => flow.includes('table=22') && flow.includes(port));
    try {
      await untilAnnounced(async () => (await numberOf('vxlan-c613004e')) > 0 && flooded('vxlan-c613004e'));
      await untilAnnounced(async () => {
        const text = await health();
        if (!/no tunnel leads .*to 198\.19\.0\.77 by vxlan: [^;]*File exists/.test(text)) throw new Error(text);
        return true;
      });
      await untilAnnounced(async () => (await numberOf('vxlan-c613004d')) === -1);

      await vacate();

      await untilAnnounced(async () => (await numberOf('vxlan-c613004d')) > 0 && flooded('vxlan-c613004d'));
      await until(async () => (await health()) === 'well');
    } finally {
      for (const address of [blocked, free]) await tell('delete', address);
      await messaging.close();
    }
  });

  // The server announces the end of an endpoint only here: it keeps those of a deleted agent.
  test('tunnels follow a host to its new address, and those to the old one go', async () => {
    // Of host 2: the server remembers endpoints of hosts that other tests had.
    const tunnels = async () =>
      (await portsOf(bed.host(1), 'br-tun')).filter((name) => /-c61300(02|66)$/.test(name)).sort();
    const first = ['geneve-c6130002', 'gre-c6130002', 'vxlan-c6130002'];
    await until(async () => (await tunnels()).join() === first.join());
    const guests = await pair('vxlan');
    await bed.host(2).stopPrograms();
    await bed.host(2).exec('ip address add 198.19.0.102/24 dev br-underlay');

    bed.host(2).startPatchbay({ ini: { ...OPTIONS, ovs: { local_ip: '198.19.0.102' } } });

    const moved = ['geneve-c6130066', 'gre-c6130066', 'vxlan-c6130066'];
    await until(async () => (await tunnels()).join() === moved.join());
    await expectToReachEachOther(guests);
  });
});

describe('Patchbay on one host and the reference agent on the other', () => {
  beforeAll(async () => {
    await bed.reset();
    await startedPatchbay(bed.host(1), { ini: OPTIONS });
    bed.host(2).startReferenceAgent(OPTIONS);
    await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
  });

  test.each(Object.keys(SEGMENTS))('guests of a %s network reach each other', async (type) => {
    await expectToReachEachOther(await pair(type));
  });
});

describe('two hosts on an underlay of IPv6, without a control plane', () => {
  const TYPES = ['vxlan', 'gre', 'geneve'] as const;
  const ports = TYPES.flatMap((network, index) =>
    [1, 2].map((host) => ({
      id: `${network}-on-host${host}`,
      network,
      host,
      mac: `fa:16:3e:00:0${index}:0${host}`,
      address: `10.${index}.0.${host}`,
    })),
  );
  const guests = new Map<string, Guest>();

  /** Everything one host is told: the networks and ports of both, and the other host as its only peer. */
  const yaml = (host: Host, peer: Host) =>
    JSON.stringify({
      agent: { host: host.name, datapath_type: 'netdev', state_dir: `${host.folder}/state` },
      plugins: [
        {
          standalone: {
            networks: {
              networks: Object.fromEntries(TYPES.map((type, index) => [type, { type, segmentation_id: 70 + index }])),
              ports: Object.fromEntries(
                ports.map(({ id, network, mac, address }) => [id, { network, mac, addresses: [address] }]),
              ),
              tunnel_peers: TYPES.map((type) => ({ type, address: peer.underlay.ipv6 })),
            },
          },
        },
        { tunnels: { local_ip: host.underlay.ipv6, tunnel_types: TYPES } },
      ],
    });

  beforeAll(async () => {
    await bed.reset();
    const [one, other] = [bed.host(1), bed.host(2)];
    await startedPatchbay(one, { yaml: yaml(one, other) });
    await startedPatchbay(other, { yaml: yaml(other, one) });
    for (const { id, host, mac, address } of ports) {
      guests.set(id, await bed.host(host).plug(id, mac, { addresses: [`${address}/24`] }));
    }
  });

  test.each(TYPES)('guests of a %s network reach each other', async (type) => {
    const there = ports.find(({ network, host }) => network === type && host === 2)?.address ?? '';
    const guest = guests.get(`${type}-on-host1`);

    await guest?.untilReaches(there);
  });
});
