import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginReport } from '../../core/host/reports';
import { createMessaging, type Messaging } from '../../core/rpc';
import { Bed, type Host, type NeutronPort, type Running, until } from '../support/bed';
import { conditionsOf, patchbay, report, startedPatchbay, statusOf } from '../support/bed-agent';
import { repository } from '../support/bed-command';
import { Outside } from '../support/outside';

jest.setTimeout(600_000);

/** Wants what the mirror's manifest claims, and holds the process up for a port of a certain name. */
const ROGUE = `
const { plugin, use, Service, parseFlow } = require('@patchbay/sdk');
class Rogue {
  constructor(desired) { this.desired = desired; }
  tap(hooks) {
    hooks.onAgentSynced(() => this.desired.complete());
    hooks.onPortAdded(({ port, vif }) => {
      this.desired.set('theirs', { flows: [parseFlow(vif.bridge, 'table=60,priority=210 actions=drop')] });
      this.desired.set('meter', { meters: [{ bridge: vif.bridge, meter: 20000, unit: 'pktps', bands: [{ kind: 'drop', rate: 1, burst: 0 }] }] });
      this.desired.set('own', { flows: [parseFlow(vif.bridge, 'table=99,priority=1 actions=drop')] });
      if (port.name !== 'hold-up') return;
      const { user } = process.cpuUsage();
      while (process.cpuUsage().user < user + 1_500_000);
    });
  }
}
use(Service.desired)(Rogue, undefined, 0);
plugin({ id: 'rogue', summary: 'Misbehaves', sdk: '^1.0.0', onFailure: 'degrade',
  claims: [{ bridge: 'integration', tables: [99] }] })(Rogue);
exports.Rogue = Rogue;
`;

let outside: Outside;
let bed: Bed;
let host: Host;
let agent: Running;
let server: Messaging;
let port: NeutronPort;
let mirrored: readonly string[] = [];

beforeAll(async () => {
  outside = Outside.pack();
  bed = await Bed.start({ server: true });
  host = bed.host(1);
  outside.install(host.folder);
  for (const name of readdirSync(join(repository, 'sdk/examples'))) outside.add(host.folder, outside.example(name));
  writeFileSync(join(host.folder, 'rogue.js'), ROGUE);
  for (const nic of ['nic1', 'nic2']) {
    await host.exec(
      `ip link add ${nic} type veth peer name ${nic}-wire && ip link set ${nic} up && ip link set ${nic}-wire up`,
    );
  }
  await host.vsctl(
    '--may-exist',
    'add-br',
    'br-int',
    '--',
    'add-port',
    'br-int',
    'capture',
    '--',
    'set',
    'Interface',
    'capture',
    'type=internal',
  );
  server = createMessaging({ transportUrl: 'rabbit://guest:guest@198.18.0.1:5672/', connectionName: 'vendor' });
  await server.listen({ topic: 'acme-port-mirror', version: '1.0', shared: true }, { get_mirrors: () => mirrored })
    .ready;
  const example = (name: string) => `patchbay-example-${name}`;
  const file = join(host.folder, 'plugins.yaml');
  const uplink = { bridge: 'br-bond', bond: 'bond0', members: ['nic1', 'nic2'] };
  const plugins = [
    { name: example('port-mirror'), options: { capture_port: 'capture' } },
    { name: example('port-rate-limit'), options: { packets_per_second: 1000 }, isolation: 'worker' },
    {
      replace: 'heartbeat',
      with: example('heartbeat-to-file'),
      options: { file: join(host.folder, 'heartbeat.json') },
    },
    { replace: 'bridge-mappings', with: example('bonded-bridge-mappings'), options: { uplinks: { physnet1: uplink } } },
    { name: './rogue.js' },
  ];
  writeFileSync(file, JSON.stringify({ plugins }, null, 1));
  agent = await startedPatchbay(host, {
    ini: {
      ovs: { bridge_mappings: undefined },
      securitygroup: { firewall_driver: 'noop' },
      patchbay: { plugins_file: file },
    },
  });
  await until(async () => (await bed.rest.untilAgentIsAlive('host1')).configurations.bridge_mappings !== undefined);
  const network = await bed.rest.createNetwork({
    'provider:network_type': 'vlan',
    'provider:physical_network': 'physnet1',
    'provider:segmentation_id': 444,
  });
  port = await bed.rest.createPort(network.id, 'host1', { name: 'hold-up' });
  await host.plug(port.id, port.mac_address);
  await bed.rest.untilPortsAre('ACTIVE', [port.id]);
});
afterAll(async () => {
  await server?.close();
  await bed?.stop();
  outside?.remove();
});

const plugins = async (): Promise<ReadonlyMap<string, PluginReport>> =>
  new Map((await report<readonly PluginReport[]>(host, 'plugins')).map((each) => [each.id, each]));
const tap = () => `tap${port.id.slice(0, 11)}`;
const untilFlows = (bridge: string, pattern: RegExp) =>
  until(async () => pattern.test((await host.dumpFlows(bridge)).join('\n')), { what: `${bridge} has ${pattern}` });
const untilRogueIs = (pattern: RegExp) =>
  until(async () => pattern.test(conditionsOf(await statusOf(host), 'rogue').join('\n')), { what: `rogue ${pattern}` });

describe('the examples, installed by package name, in an agent on a real switch', () => {
  test('run, each where the list says, and no key of theirs is refused', async () => {
    const listed = await plugins();
    const ids = ['acme-port-mirror', 'acme-port-rate-limit', 'acme-heartbeat', 'acme-bonded-bridge-mappings'];
    expect(ids.map((id) => [listed.get(id)?.state, listed.get(id)?.isolation])).toEqual([
      ['running', 'main'],
      ['running', 'worker'],
      ['running', 'main'],
      ['running', 'main'],
    ]);
    const status = await statusOf(host);
    expect(ids.flatMap((id) => conditionsOf(status, id)).filter((one) => one.startsWith('refused key'))).toEqual([]);
    await expect(patchbay(host, 'plugins')).resolves.toMatch(/acme-port-rate-limit +running .* worker /);
  });

  test('the bonded uplink is one port with LACP, and the network’s VLAN is translated there', async () => {
    await expect(host.vsctl('get', 'Port', 'bond0', 'lacp', 'bond_mode')).resolves.toBe('active\nbalance-tcp\n');
    await untilFlows(
      'br-bond',
      new RegExp(`in_port="?phy-br-bond"?,dl_vlan=\\d+ actions=set_field:${0x1000 + 444}->vlan_vid`),
    );
  });

  test('the rate limit’s meter, stated from a worker, is on the switch, and the port’s frames go through it', async () => {
    await until(async () => /meter=20000 pktps[^\n]*\n?.*rate=1000/.test(await host.ofctl('dump-meters', 'br-int')));
    await untilFlows(
      'br-int',
      new RegExp(`table=58, priority=200,in_port="?${tap()}"? actions=meter:20000,resubmit\\(,59\\)`),
    );
  });

  test('the mirror follows what the server says on the plugin’s own topic', async () => {
    mirrored = [port.id];
    await server.fanout({ topic: 'acme-port-mirror', version: '1.0' }, 'mirrors_changed', { port_ids: mirrored });
    const table = (await plugins()).get('acme-port-mirror')?.tables.copy;
    await untilFlows('br-int', new RegExp(`table=${table}, .*output:`));
    await expect(patchbay(host, 'acme-port-mirror', 'list')).resolves.toContain(port.id);
  });

  test('the heartbeat is at the server and in the file', async () => {
    await until(() => {
      const written = JSON.parse(readFileSync(join(host.folder, 'heartbeat.json'), 'utf8'));
      return written.host === 'host1' && written.configurations.bridge_mappings?.physnet1 === 'br-bond';
    });
    await bed.rest.untilAgentIsAlive('host1');
  });
});

describe('beside them, a plugin that', () => {
  test('wants what others claim or were allotted has those keys refused, by name, and its own written', async () => {
    await untilRogueIs(/refused key theirs degraded: PB-CLAIM-VIOLATED: rogue wants a flow on br-int in table 60/);
    await untilRogueIs(/refused key meter degraded: PB-CLAIM-VIOLATED: rogue wants meter 20000 on br-int/);
    await untilFlows('br-int', /table=99/);
    await agent.untilLogged(/PB-CLAIM-VIOLATED/);
  });

  test('holds the process up is named by the watchdog, in the log and in health', async () => {
    // Health names it for a minute, within which all before this is done; the port is told of once more.
    await bed.rest.updatePort(port.id, { admin_state_up: false });
    await bed.rest.untilPortsAre('DOWN', [port.id]);
    await bed.rest.updatePort(port.id, { admin_state_up: true });
    await agent.untilLogged(/The event loop was blocked.*rogue/);
    await untilRogueIs(/event loop degraded: PB-[\w-]+: .*rogue in onPortAdded/);
  });

  test('writes into another’s allotted table from outside is undone', async () => {
    const table = (await plugins()).get('acme-port-mirror')?.tables.copy;
    await host.ofctl('add-flow', 'br-int', `cookie=0x1234,table=${table},priority=7,actions=drop`);
    await until(async () => !(await host.dumpFlows('br-int', 'with cookies')).some((flow) => flow.includes('0x1234')));
    await agent.untilLogged(/foreign cookie 0x1234 in what acme-port-mirror claims/);
  });
});
