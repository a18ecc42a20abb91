import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, Running, until } from '../support/bed';
import { ofNamed } from '../support/bed-broker';
import { repository, run } from '../support/bed-command';

jest.setTimeout(300_000);

const HOSTS = 12;
const FANOUTS = 5;
const INI = `
[DEFAULT]
transport_url = rabbit://guest:guest@127.0.0.1:5672/
[ovs]
local_ip = 198.18.0.1
[agent]
tunnel_types = vxlan
l2_population = true
arp_responder = true
[securitygroup]
firewall_driver = openvswitch
`;

let bed: Bed;
let simulation: Running;
let held: Awaited<ReturnType<typeof ofNamed>>;

beforeAll(async () => {
  bed = await Bed.start({ server: true });
  const folder = bed.host(1).folder;
  const ini = join(folder, 'simulated.ini');
  writeFileSync(ini, INI);
  simulation = Running.start(
    [
      process.execPath,
      join(repository, 'core/bin/patchbay'),
      ...['simulate', '--config-file', ini, '--neutron', 'http://127.0.0.1:9696', '--hosts', String(HOSTS)],
      ...['--processes', '2', '--span', String(HOSTS), '--rest', '12', '--report-interval', '4'],
      ...['--fanouts', String(FANOUTS)],
    ],
    'the simulation',
    join(folder, 'simulation.log'),
  );
  // From then on nothing more is connected, and until all is measured nothing less.
  await simulation.untilLogged(/ports are up/, { timeoutMs: 120_000 });
  held = await ofNamed('patchbay-simulated-');
  await simulation.untilLogged(/the server is at rest/, { timeoutMs: 120_000 });
});

afterAll(async () => {
  await simulation.stop();
  // The server has no command for it, and every later test's hosts would make tunnels to them.
  await run(['mariadb', '-e', "delete from neutron.ml2_vxlan_endpoints where host like 'simulated-%'"]);
  await bed.stop();
});

/** The numbers that a line of the output has. */
function figures(pattern: RegExp): readonly number[] {
  const [, ...groups] = pattern.exec(simulation.log()) ?? [];
  return groups.map((text) => Number(text.replaceAll(',', '')));
}

describe(`${HOSTS} simulated hosts at a real RabbitMQ and neutron-server`, () => {
  test('are agents that are alive for the server, each with a port that is ACTIVE', async () => {
    const agents = (await bed.rest.agents()).filter(({ host }) => host.startsWith('simulated-'));
    expect(agents.filter(({ alive }) => alive)).toHaveLength(HOSTS);
    const ports = await bed.rest.list('ports');
    expect(ports.map(({ 'binding:host_id': host, status }) => [host, status]).sort()).toEqual(
      agents.map(({ host }) => [host, 'ACTIVE']).sort(),
    );
  });

  test('hold two connections and two queues each at the broker, by its own count', () => {
    expect([held.connections.length, held.queues.length]).toEqual([2 * HOSTS, 2 * HOSTS]);
  });

  test('end by themselves once everything is measured, and leave no connection', async () => {
    await expect(simulation.ended).resolves.toEqual({ status: 0, signal: null });
    await until(async () => {
      const { connections, queues } = await ofNamed('patchbay-simulated-');
      return connections.length + queues.length === 0;
    });
  });

  test('are printed as what the broker counts', () => {
    expect(figures(/at rest: (\d+) connections, (\d+) queues/)).toEqual([held.connections.length, held.queues.length]);
  });

  test('are printed with what they take: messages a second, and processor time of server, broker and agents', () => {
    const [toAgents, fromAgents] = figures(/at rest: .*; (\d+) messages\/s to agents, (\d+) from them/);
    // A state report of each in four seconds, and its answer; one more or less of each where the machine pauses at an end of the twelve seconds.
    for (const rate of [toAgents, fromAgents])
      expect(Math.abs((rate ?? 0) - HOSTS / 4)).toBeLessThanOrEqual(HOSTS / 12);
    const shares = figures(/at rest: .*CPU: server ([\d.]+) %, broker ([\d.]+) %, agents ([\d.]+) %/);
    expect(shares.filter((share) => share > 0)).toHaveLength(3);
    const [messages = 0, , server = 0] = figures(
      /ports are up: [\d.]+ s; ([\d,]+) messages to agents, ([\d,]+) from them; processor time: server ([\d.]+) s/,
    );
    expect(messages).toBeGreaterThan(HOSTS);
    expect(server).toBeGreaterThan(0);
  });

  test('are printed with the time from a fanout to every agent and to the flows of those that have the network', () => {
    expect(simulation.log()).toContain(`${FANOUTS} fanouts to ${HOSTS} agents\n`);
    const spread = /an agent's p50 ([\d.]+) ms, p99 ([\d.]+) ms; the last agent's p50 ([\d.]+) ms, p99 ([\d.]+) ms/
      .source;
    const heard = figures(new RegExp(`heard by all ${HOSTS}: ${spread}`));
    const applied = figures(new RegExp(`flows acknowledged, ${HOSTS - 1} that have the network: ${spread}`));
    for (const [each50 = 0, each99 = 0, last50 = 0, last99 = 0] of [heard, applied]) {
      expect(each50).toBeGreaterThan(0);
      expect(last50).toBeGreaterThanOrEqual(each50);
      expect(last99).toBeGreaterThanOrEqual(each99);
    }
  });
});
