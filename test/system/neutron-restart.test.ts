import { Bed, type NeutronPort, type Resource, type Running, until } from '../support/bed';
import type { Guest } from '../support/bed-guest';
import { addressOf, createAndPlug, createNetworkOf, NO_FIREWALL, plug, wiringOf } from '../support/bed-ports';
import { untilNothingIsToWrite } from '../support/bed-settled';

jest.setTimeout(240_000);

const BRIDGES = ['br-int', 'br-tun', 'br-ex'] as const;

describe('an agent that is stopped and started again', () => {
  let bed: Bed;
  let agent: Running;
  let vxlan: Resource;
  let vlan: Resource;
  const plugged: { readonly port: NeutronPort; readonly guest: Guest }[] = [];

  const start = async (): Promise<void> => {
    agent = bed.host(1).startPatchbay({ ini: NO_FIREWALL });
    await agent.untilLogged(/Synchronised/);
  };

  beforeAll(async () => {
    bed = await Bed.start({ server: true });
    await start();
    await bed.rest.untilAgentIsAlive('host1');
    vxlan = await createNetworkOf(bed, 'vxlan', 401, '10.0.0.0/24');
    vlan = await createNetworkOf(bed, 'vlan', 402, '10.1.0.0/24');
    for (const network of [vxlan, vlan, vxlan, vlan]) plugged.push(await createAndPlug(bed, network.id));
    await bed.rest.untilPortsAre(
      'ACTIVE',
      plugged.map(({ port }) => port.id),
    );
  });
  afterAll(() => bed.stop());

  const pingWithin = async (): Promise<void> => {
    const [first, , third] = plugged;
    await first?.guest.untilReaches(addressOf(third?.port as NeutronPort), { count: 1 });
  };

  /** The switch as it is once the agent has written all that it wants. */
  const settledSnapshot = async (): Promise<Snapshot> => {
    await untilNothingIsToWrite(bed.host(1));
    return snapshot(bed);
  };

  test('stops on SIGTERM within 5 s and leaves every flow and row', async () => {
    const before = await settledSnapshot();

    // A machine that pauses may take the time; it does not do so again and again.
    for (let attempt = 1; ; attempt += 1) {
      const started = performance.now();
      await expect(agent.stop('SIGTERM')).resolves.toEqual({ status: 0, signal: null });
      const tookMs = performance.now() - started;
      if (tookMs < 5_000) break;
      if (attempt === 3) throw new Error(`stopped within ${Math.round(tookMs)} ms`);
      await start();
    }

    expectUntouched(await snapshot(bed), before);
    await pingWithin();
  });

  test('started again it writes nothing: every flow and cookie, every local VLAN and row stays', async () => {
    const before = await snapshot(bed);

    await start();
    await bed.rest.untilPortsAre(
      'ACTIVE',
      plugged.map(({ port }) => port.id),
    );
    await settle();

    expectUntouched(await snapshot(bed), before);
    expect(agent.log()).not.toMatch(/added [1-9]|changed [1-9]|removed [1-9]/);
    const complaints = agent
      .log()
      .split('\n')
      .filter((line) => / (WARNING|ERROR) /.test(line));
    // Options of the ini that Patchbay has no use for, and what a machine does that pauses.
    const meant = (line: string) => !/of no meaning here|The event loop was blocked/.test(line);
    expect(complaints.filter(meant)).toEqual([]);
  });

  test('killed and started again it writes nothing either', async () => {
    const before = await settledSnapshot();
    await agent.crash();

    await start();
    await settle();

    expectUntouched(await snapshot(bed), before);
  });

  test('wires what was plugged while it was down, and sweeps what was unplugged', async () => {
    await agent.stop();
    const [, , , last] = plugged;
    await last?.guest.unplug();
    const late = await createAndPlug(bed, vxlan.id);

    await start();

    await bed.rest.untilPortsAre('ACTIVE', [late.port.id]);
    await until(async () => !(await bed.host(1).dumpFlows('br-int')).join().includes(last?.guest.interfaceName ?? ''));
    plugged.push(late);
    plugged.splice(3, 1, { port: last?.port as NeutronPort, guest: await plug(bed, last?.port as NeutronPort) });
    await bed.rest.untilPortsAre('ACTIVE', [last?.port.id ?? '']);
  });

  test('sweeps what belonged to ports and a network deleted while it was down', async () => {
    const network = await createNetworkOf(bed, 'vlan', 403, '10.3.0.0/24');
    const { port, guest } = await createAndPlug(bed, network.id);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    await agent.stop();
    await bed.rest.remove('ports', port.id);
    await bed.rest.remove('networks', network.id);

    await start();

    await until(async () => (await wiringOf(bed, guest)).tag === 4095);
    await until(async () => {
      const flows = await Promise.all(BRIDGES.map((bridge) => bed.host(1).dumpFlows(bridge)));
      return !new RegExp(`dl_vlan=403\\b|->vlan_vid:4499|${guest.interfaceName}`).test(flows.flat().join('\n'));
    });
    await guest.unplug();
    await pingWithin();
  });

  test('writes all again when the switch has lost its flows', async () => {
    const before = await settledSnapshot();

    await bed.host(1).restartSwitch();

    await until(async () => {
      const now = await snapshot(bed);
      return JSON.stringify([...now.flows.keys()]) === JSON.stringify([...before.flows.keys()]);
    });
    await pingWithin();
    await bed.rest.untilPortsAre(
      'ACTIVE',
      plugged.map(({ port }) => port.id),
    );
  });
});

/** Time for an agent to do what it should not. */
const settle = (): Promise<void> => new Promise((wake) => setTimeout(wake, 2_000));

interface Snapshot {
  /** Bridge, cookie, match and actions of each flow, sorted, with how long it has been there (in seconds) and what it has seen. */
  readonly flows: ReadonlyMap<string, { readonly duration: number; readonly packets: number }>;
  readonly rows: unknown;
}

async function snapshot(bed: Bed): Promise<Snapshot> {
  const host = bed.host(1);
  const flows: [string, { duration: number; packets: number }][] = [];
  for (const bridge of BRIDGES) {
    for (const line of (await host.ofctl('--names', 'dump-flows', bridge)).split('\n')) {
      const [, cookie, duration, table, packets, rest] =
        /^ cookie=(\S+), duration=([\d.]+)s, (table=\d+), n_packets=(\d+), n_bytes=\d+, (.*)$/.exec(line) ?? [];
      if (cookie === undefined) continue;
      const text = `${bridge} ${cookie} ${table} ${rest?.replace(/(idle|hard)_age=\d+, /g, '')}`;
      flows.push([text, { duration: Number(duration), packets: Number(packets) }]);
    }
  }
  flows.sort(([one], [other]) => (one < other ? -1 : 1));
  const tables = ['Bridge', 'Port', 'Interface', 'Controller'] as const;
  return { flows: new Map(flows), rows: await Promise.all(tables.map((table) => host.rows(table))) };
}

/** A flow that was written again has a younger duration, or fewer packets, than before. */
function expectUntouched(now: Snapshot, before: Snapshot): void {
  expect([...now.flows.keys()]).toEqual([...before.flows.keys()]);
  const younger = [...now.flows].filter(([flow, { duration, packets }]) => {
    const then = before.flows.get(flow);
    return then !== undefined && (duration < then.duration || packets < then.packets);
  });
  expect(younger).toEqual([]);
  expect(now.rows).toEqual(before.rows);
}
