import { Bed, type Guest, type Host, type Running, until } from '../support/bed';
import { addressOf, patchbay, startedPatchbay, untilStatus } from '../support/bed-agent';
import { lostDuring } from '../support/bed-losses';
import { untilNothingIsToWrite, untilReferenceIsIdle } from '../support/bed-settled';
import { Overheard } from '../support/overheard';

jest.setTimeout(300_000);

const OPTIONS = { securitygroup: { firewall_driver: 'noop' }, agent: { polling_interval: 1 } };
const BRIDGES = ['br-int', 'br-tun', 'br-ex'] as const;

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
});
afterAll(() => bed.stop());

interface Wired {
  readonly portIds: readonly string[];
  /** A guest on each host, and the address of the one on host 2. */
  readonly here: Guest;
  readonly there: Guest;
  readonly address: string;
}

async function wired(networkType: 'vxlan' | 'vlan', cidr: string): Promise<Wired> {
  const physical = networkType === 'vlan' ? { 'provider:physical_network': 'physnet1' } : {};
  const network = await bed.rest.createNetwork({ 'provider:network_type': networkType, ...physical });
  await bed.rest.createSubnet(network.id, cidr);
  const ports = [
    await bed.rest.createPort(network.id, 'host1'),
    await bed.rest.createPort(network.id, 'host2'),
  ] as const;
  const plug = (index: 0 | 1) =>
    bed
      .host(index + 1)
      .plug(ports[index].id, ports[index].mac_address, { addresses: [`${addressOf(ports[index])}/24`] });
  const [here, there] = [await plug(0), await plug(1)];
  const portIds = ports.map(({ id }) => id);
  await bed.rest.untilPortsAre('ACTIVE', portIds);
  const address = addressOf(ports[1]);
  await here.untilReaches(address, { count: 1 });
  return { portIds, here, there, address };
}

/** All of the switch that agents write, but what the switch learned by itself. */
async function contents(host: Host): Promise<string> {
  const flows = await Promise.all(BRIDGES.map((bridge) => host.dumpFlows(bridge, 'with cookies')));
  const rows = await Promise.all(
    (['Bridge', 'Port', 'Interface', 'Controller'] as const).map((table) => host.rows(table)),
  );
  return JSON.stringify([flows.flat().filter((flow) => !/table=20, hard_timeout/.test(flow)), rows], null, 1);
}

/** What must survive a change of agents: who has which local VLAN, and every port of every bridge with its number. */
async function wiring(host: Host): Promise<string> {
  const ports = (await host.rows('Port')).map(({ name, tag }) => `${name} ${tag}`);
  const numbers = await host.vsctl('--columns=name,ofport', '--format=csv', '--no-headings', 'list', 'Interface');
  return [...ports, ...numbers.trim().split('\n').sort()].join('\n');
}

describe('a host of the reference agent', () => {
  let host: Host;
  let reference: Running;
  let agent: Running;
  let networks: readonly Wired[];

  const pings = () => Promise.all(networks.map(({ here, address }) => here.pingOn(address)));
  const giveBack = async () => {
    await agent.stop();
    reference = host.startReferenceAgent(OPTIONS);
    await untilReferenceHasWritten(host);
    await untilReferenceIsIdle(reference);
  };
  const expectPortsUp = () =>
    bed.rest.untilPortsAre(
      'ACTIVE',
      networks.flatMap(({ portIds }) => portIds),
    );

  const untilWiringIs = (wanted: string) =>
    until(async () => (await wiring(host)) === wanted).catch(async () => expect(await wiring(host)).toBe(wanted));

  beforeAll(async () => {
    host = bed.host(1);
    reference = host.startReferenceAgent(OPTIONS);
    bed.host(2).startReferenceAgent(OPTIONS);
    await Promise.all(bed.hosts.map(({ name }) => bed.rest.untilAgentIsAlive(name)));
    networks = [await wired('vxlan', '10.0.0.0/24'), await wired('vlan', '10.0.1.0/24')];
    await untilReferenceIsIdle(reference);
  });

  test('is left as it is by a plan made beside it, which says what would change', async () => {
    const before = await contents(host);
    const reports = await Overheard.listen(bed.amqpUrl, 'q-reports-plugin');

    const plan = await patchbay(host, 'plan', ...host.configurationFiles());

    expect(plan).toMatch(/^ovs-vsctl set-controller br-int unix:/m);
    expect(plan).toMatch(/^br-int \+ cookie=0x50617463[0-9a-f]{8},table=0/m);
    expect(plan).toMatch(/^would change \d+ rows; add \d+, change \d+, remove \d+ flows/m);
    expect(plan).toContain('? tunnel endpoints that the switch has no port for yet');
    await expect(contents(host)).resolves.toBe(before);
    // Those that are there go on reporting; which versions it takes, an agent says in its first report alone.
    const first = reports.calls('report_state').filter((call) => JSON.stringify(call).includes('resource_versions'));
    expect(first).toEqual([]);
    await reports.close();
  });

  test('is refused by Patchbay as long as that agent is connected: nothing is written, and the server hears nothing', async () => {
    const before = await contents(host);
    const agent = host.startPatchbay({ ini: OPTIONS });
    await untilStatus(
      host,
      'held, failing, and without a word to the server',
      ({ switch: { writing }, ready, health, rpc }) =>
        writing.includes('another agent') && !ready && health === 'failing' && rpc === null,
    );

    await expect(agent.ended).resolves.toMatchObject({ status: 1 });

    expect(agent.log()).toMatch(
      /PB-SWITCH-TAKEN: another agent is connected to br-int \(controller tcp:127.0.0.1:6633\)/,
    );
    await expect(contents(host)).resolves.toBe(before);
  });

  test('is taken over without a lost frame, with its local VLANs, patch ports, tunnels and port numbers', async () => {
    const before = await wiring(host);
    const takeOver = async () => {
      await reference.stop();
      agent = await startedPatchbay(host, { ini: OPTIONS });
      await expectPortsUp();
    };

    expect(await lostDuring(bed, pings, takeOver, giveBack)).toEqual([0, 0]);

    await untilWiringIs(before);
    await untilStatus(host, 'all is well', ({ switch: { writing }, health }) => writing === 'yes' && health === 'ok', {
      timeoutMs: 90_000,
    });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('loses no frame while Patchbay is restarted with %s', async (signal) => {
    await untilNothingIsToWrite(host);
    const before = await contents(host);
    const restart = async () => {
      await agent.stop(signal);
      agent = await startedPatchbay(host, { ini: OPTIONS });
    };

    expect(await lostDuring(bed, pings, restart)).toEqual([0, 0]);
    await expect(contents(host)).resolves.toBe(before);
    await expectPortsUp();
  });

  test('is left to a reference agent that appears, whose ports stay up, and taken again when it leaves', async () => {
    const intruder = host.startReferenceAgent(OPTIONS);
    await untilStatus(
      host,
      'stopped writing',
      ({ switch: { writing }, health }) => writing.includes('another agent') && health === 'failing',
    );
    await untilReferenceHasWritten(host);
    await expectPortsUp();

    await intruder.crash();

    await untilStatus(host, 'writes again', ({ switch: { writing } }) => writing === 'yes');
    await expectPortsUp();
  });

  test('is left to the Patchbay that was there first', async () => {
    const second = host.startPatchbay({
      ini: { ...OPTIONS, patchbay: { run_dir: `${host.folder}/second`, state_dir: `${host.folder}/second` } },
    });
    const said = () => patchbay(host, 'status', '--run-dir', `${host.folder}/second`);
    await until(async () => /another Patchbay holds the switch/.test(await said()));

    await agent.stop();

    await until(async () => /writing: yes/.test(await said()));
    await second.stop();
  });

  // What is lost meanwhile is the reference agent's own: at each start it takes the peers off its patch ports for a while.
  test('is given back to the reference agent, with its local VLANs, patch ports, tunnels and port numbers', async () => {
    const before = await wiring(host);

    reference = host.startReferenceAgent(OPTIONS);
    await untilReferenceHasWritten(host);

    await expectPortsUp();
    for (const { here, address } of networks) await here.untilReaches(address);
    await untilWiringIs(before);
  });
});

/**
 * The reference agent wires ports in its first loop and then removes what bears another start's cookie, in the tables that it knows:
 * table 58, which later ones have, leads nowhere then.
 */
async function untilReferenceHasWritten(host: Host): Promise<void> {
  await until(
    async () => {
      const flows = (await host.dumpFlows('br-int', 'with cookies')).filter((flow) => !/table=58/.test(flow));
      const cookies = new Set(flows.map((flow) => /cookie=(0x[0-9a-f]+)/.exec(flow)?.[1]));
      if (cookies.size === 1) return true;
      throw new Error(flows.join('\n'));
    },
    { what: 'br-int has flows of one cookie', timeoutMs: 60_000 },
  );
}
