import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginReport } from '../../core/host/reports';
import { Bed, type Guest, type Host, type NeutronPort, type Running, until } from '../support/bed';
import {
  addressOf,
  conditionsOf,
  patchbay,
  report,
  startedPatchbay,
  statusOf,
  untilStatus,
} from '../support/bed-agent';
import { repository } from '../support/bed-command';

jest.setTimeout(240_000);

const vendor = (file: string) => join(repository, 'test/fixtures/vendor', file);
/** In the words of patchbay.yaml; JSON is YAML. */
const PLUGINS = {
  plugins: [
    { replace: 'heartbeat', with: vendor('pulse.js'), options: { word: 'from the vendor' } },
    { replace: 'bridge-mappings', with: vendor('cabling.js'), options: { cables: { physnet1: 'br-ex' } } },
    { name: vendor('faulty.js') },
  ],
};

let bed: Bed;
let host: Host;
beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
  host = bed.host(1);
});
afterAll(() => bed.stop());

/** Patchbay on the reference agent's ini, with `[patchbay] plugins_file`. */
function options(plugins: unknown) {
  const file = join(host.folder, 'plugins.yaml');
  writeFileSync(file, JSON.stringify(plugins, null, 1));
  return {
    ini: {
      ovs: { bridge_mappings: undefined },
      securitygroup: { firewall_driver: 'noop' },
      patchbay: { plugins_file: file },
    },
  };
}

const plugins = async (): Promise<ReadonlyMap<string, PluginReport>> =>
  new Map((await report<readonly PluginReport[]>(host, 'plugins')).map((each) => [each.id, each]));

/** Waits until health has that condition of the plugin. */
const untilConditions = (plugin: string, pattern: RegExp): Promise<unknown> =>
  untilStatus(host, `${plugin} has ${pattern}`, (status) => pattern.test(conditionsOf(status, plugin).join('\n')));

describe("an agent with vendors' plugins in the place of stock ones, and beside faulty ones", () => {
  let agent: Running;
  let port: NeutronPort;

  beforeAll(async () => {
    agent = await startedPatchbay(host, options(PLUGINS));
    await bed.rest.untilAgentIsAlive('host1');
    const network = await bed.rest.createNetwork({
      'provider:network_type': 'vlan',
      'provider:physical_network': 'physnet1',
      'provider:segmentation_id': 444,
    });
    port = await bed.rest.createPort(network.id, 'host1');
    await host.plug(port.id, port.mac_address);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
  });

  test('brings ports up', async () => {
    await expect(patchbay(host, 'status')).resolves.toContain('ports    1 up');
  });

  test('lists the plugins that took the places, and from where', async () => {
    const listed = await plugins();
    expect([...listed.keys()]).toEqual(expect.arrayContaining(['pulse', 'cabling']));
    expect(listed.has('heartbeat')).toBe(false);
    expect(listed.has('bridge-mappings')).toBe(false);
    expect(listed.get('pulse')).toMatchObject({ state: 'running', from: expect.stringMatching(/plugins\.yaml:\d+/) });
  });

  test("has the vendor's word in the server's list of agents", async () => {
    const word = async () => (await bed.rest.agents()).find((each) => each.host === 'host1')?.configurations.word;
    await until(async () => (await word()) === 'from the vendor');
  });

  test("has the vendor's patch ports and translation, and none of the stock plugin's", async () => {
    const tag = (await host.vsctl('get', 'Port', `tap${port.id.slice(0, 11)}`, 'tag')).trim();
    await expect(host.vsctl('list-ports', 'br-ex')).resolves.toContain('down-br-ex');
    await expect(host.vsctl('list-ports', 'br-int')).resolves.not.toContain('int-br-ex');
    await expect(host.dumpFlows('br-ex')).resolves.toEqual(
      [
        ' priority=0 actions=NORMAL',
        ` priority=4,in_port="down-br-ex",dl_vlan=${tag} actions=set_field:${0x1000 + 444}->vlan_vid,NORMAL`,
      ].map((flow) => expect.stringContaining(flow.trim())),
    );
  });

  test('names the plugin that throws, the hook, and what it threw', async () => {
    await untilConditions('throwing', /onPortAdded[\s\S]*the added port is not to my taste/);
    await untilConditions('throwing', /beforePortBind[\s\S]*the draft is not to my taste/);
    await agent.untilLogged(/throwing.*the added port is not to my taste/);
  });

  test('names the plugin that hangs, and the hook', async () => {
    await untilConditions('hanging', /onSegmentBound/);
    await agent.untilLogged(/hanging.*onSegmentBound/);
  });

  test('names the plugin that asks for a service that nobody provides, and the service', async () => {
    expect((await plugins()).get('lacking')?.state).toMatch(/^failed: .*weather/);
    await untilConditions('lacking', /weather/);
    await agent.untilLogged(/lacking.*weather/);
  });

  test('names the plugin that cannot start, and why', async () => {
    expect((await plugins()).get('unstarted')?.state).toMatch(/^failed: .*the licence has run out/);
    await expect(patchbay(host, 'status')).resolves.toMatch(/unstarted.*failing.*the licence has run out/);
  });

  test('is degraded, and no more than that', async () => {
    await expect(statusOf(host)).resolves.toMatchObject({ ready: true, phase: 'running', health: 'degraded' });
  });
});

test("an option that a vendor's plugin does not know stops the start, with plugin, option and place", async () => {
  await host.stopPrograms();
  const wrong = { plugins: [{ replace: 'heartbeat', with: vendor('pulse.js'), options: { word: 'x', wrod: 'y' } }] };
  const agent = host.startPatchbay(options(wrong));

  await expect(agent.ended).resolves.not.toMatchObject({ status: 0 });

  expect(agent.log()).toMatch(/pulse/);
  expect(agent.log()).toMatch(/wrod/);
  expect(agent.log()).toMatch(/plugins\.yaml:\d+/);
});

describe("an agent with vendors' plugins in the place of l2-population and arp-responder", () => {
  const ELSEWHERE = { macAddress: 'fe:16:3e:aa:bb:cc', ipAddress: '10.0.0.99' };
  let guest: Guest;

  beforeAll(async () => {
    await host.stopPrograms();
    const { ipv4 } = bed.host(2).underlay;
    const replaced = {
      plugins: [
        {
          replace: 'l2-population',
          with: vendor('directory.js'),
          options: { ipAddress: ipv4, addresses: [ELSEWHERE] },
        },
        { replace: 'arp-responder', with: vendor('answering.js') },
      ],
    };
    const told = { agent: { tunnel_types: 'vxlan', l2_population: true, arp_responder: true } };
    const { ini } = options(replaced);
    await startedPatchbay(host, { ini: { ...ini, ...told } });
    const network = await bed.rest.createNetwork();
    await bed.rest.createSubnet(network.id, '10.0.0.0/24');
    const port = await bed.rest.createPort(network.id, 'host1');
    guest = await host.plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`] });
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
  });

  /** Packets that a flow of the tunnel bridge has seen, of the one whose text has all of these. */
  async function packetsOf(...words: readonly string[]): Promise<number | undefined> {
    const lines = (await host.ofctl('dump-flows', 'br-tun')).split('\n');
    const line = lines.find((each) => words.every((word) => each.includes(word)));
    return line === undefined ? undefined : Number(/n_packets=(\d+)/.exec(line)?.[1]);
  }

  test('makes the tunnel that the vendor tells of, floods to it, and leads the MAC there', async () => {
    const tunnel = 'vxlan-c6130002';
    await until(async () => (await host.vsctl('list-ports', 'br-tun')).includes(tunnel));
    const number = (await host.vsctl('get', 'Interface', tunnel, 'ofport')).trim();
    await until(async () => (await packetsOf('table=20', ELSEWHERE.macAddress, `output:${number}`)) !== undefined);
    await until(async () => (await packetsOf('table=22', 'dl_vlan=', `output:${number}`)) !== undefined);
  });

  test("treats a guest's ARP request as the vendor's responder wants: to the host that has the address", async () => {
    const seen = ['table=21', `arp_tpa=${ELSEWHERE.ipAddress}`, 'priority=9'];
    await until(async () => (await packetsOf(...seen)) !== undefined);
    const wire = await host.capture('wire2', { filter: 'udp port 4789' });
    await until(async () => {
      await guest.ping(ELSEWHERE.ipAddress, { count: 1 });
      const counted = await Promise.all([packetsOf(...seen), packetsOf('table=20', ELSEWHERE.macAddress)]);
      return counted.every((count = 0) => count > 0);
    });
    await wire.untilSeen(/> fe:16:3e:aa:bb:cc, ethertype ARP .* who-has 10\.0\.0\.99/);
    await wire.stop();
  });

  test('reports what the vendors report', async () => {
    await until(async () => {
      const [agent] = (await bed.rest.agents()).filter((each) => each.host === 'host1');
      const { l2_population, arp_responder_enabled } = agent?.configurations ?? {};
      return l2_population === 'by the vendor' && arp_responder_enabled === 'by the vendor';
    });
  });
});
