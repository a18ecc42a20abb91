import { readFileSync } from 'node:fs';
import { until } from '../support/bed';
import { patchbay } from '../support/bed-agent';
import { controlPlaneFaults } from './control-plane-faults';
import { type AgentKind, type Measurement, pause, type Stage } from './stage';
import { killDaemon, restartAsControl, restartWithFlows, startDatabase, startSwitch } from './switch-faults';

export interface Fault {
  readonly name: string;
  /** Agents that it is for; both if not given. */
  readonly only?: AgentKind;
  /** Packets that may be lost with Patchbay; any number if not given. */
  readonly bar?: number;
  run(stage: Stage, kind: AgentKind): Promise<Measurement>;
}

const tapOf = (stage: Stage): string => stage.instance(0).interfaceName;
const ofctl = (stage: Stage, ...words: readonly string[]) => stage.host.ofctl(...words);

async function stopAgent(stage: Stage, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (how === 'SIGTERM') await stage.agent?.stop('SIGTERM');
  else await stage.agent?.crash();
}

const restart = (how: 'SIGTERM' | 'SIGKILL'): Fault => ({
  name: `agent ${how}, started again`,
  bar: 0,
  run: (stage, kind) =>
    stage.under(
      async () => {
        await stopAgent(stage, how);
        stage.startAgent(kind);
      },
      { synced: () => stage.agentSynced(kind) },
    ),
});

/** The moments, in milliseconds after a port was plugged, at which the agent is killed. */
const KILLS_MS = [3, 60];

const AGENT: readonly Fault[] = [
  { name: 'none (control)', bar: 0, run: (stage) => stage.under(() => pause(3_000)) },
  restart('SIGTERM'),
  restart('SIGKILL'),
  {
    name: `agent SIGKILL ${KILLS_MS.length} times while it wires a port`,
    only: 'patchbay',
    bar: 0,
    run: (stage, kind) =>
      stage.under(
        async () => {
          for (const delay of KILLS_MS) {
            const instance = await stage.instanceOn(stage.host, stage.vlan);
            await pause(delay);
            await stopAgent(stage, 'SIGKILL');
            stage.startAgent(kind);
            await stage.agentSynced(kind);
            await stage.bed.rest.untilPortsAre('ACTIVE', [instance.portId]);
            await instance.unplug();
            await pause(delay);
            await stopAgent(stage, 'SIGKILL');
            stage.startAgent(kind);
            await stage.agentSynced(kind);
            await stage.bed.rest.deletePort(instance.portId);
          }
        },
        { patienceMs: 20_000 },
      ),
  },
];

const SWITCH: readonly Fault[] = [
  {
    name: 'the switch alone: ovs-vswitchd killed, flows restored, no agent',
    run: async (stage, kind) => {
      await stopAgent(stage, 'SIGTERM');
      const measured = await stage.under(() => restartWithFlows(stage.host), { rewritten: true });
      stage.startAgent(kind);
      await stage.agentSynced(kind);
      return measured;
    },
  },
  {
    name: 'ovs-vswitchd restarted as ovs-ctl does, flow-restore-wait',
    run: (stage) => stage.under(() => restartAsControl(stage.host), { rewritten: true }),
  },
  {
    name: 'ovs-vswitchd killed, started again',
    run: (stage) =>
      stage.under(
        async () => {
          await killDaemon(stage.host, 'ovs-vswitchd');
          await startSwitch(stage.host);
        },
        { rewritten: true },
      ),
  },
  {
    name: 'the switch alone: ovsdb-server killed, started again after 3 s, no agent',
    run: async (stage, kind) => {
      await stopAgent(stage, 'SIGTERM');
      const measured = await stage.under(async () => {
        await killDaemon(stage.host, 'ovsdb-server');
        await pause(3_000);
        await startDatabase(stage.host);
      });
      stage.startAgent(kind);
      await stage.agentSynced(kind);
      return measured;
    },
  },
  {
    name: 'ovsdb-server killed, started again after 3 s',
    run: (stage) =>
      stage.under(async () => {
        await killDaemon(stage.host, 'ovsdb-server');
        await pause(3_000);
        await startDatabase(stage.host);
        await stage.probe();
      }),
  },
  {
    name: 'ovsdb-server and ovs-vswitchd killed, started again',
    run: (stage) =>
      stage.under(
        async () => {
          await killDaemon(stage.host, 'ovsdb-server');
          await killDaemon(stage.host, 'ovs-vswitchd');
          await startDatabase(stage.host);
          await startSwitch(stage.host);
        },
        { rewritten: true },
      ),
  },
  {
    name: 'br-tun deleted',
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('del-br', 'br-tun')), {
        flows: 'any',
        rewritten: true,
      }),
  },
  {
    name: 'ofport of the instance renumbered',
    run: (stage) =>
      stage.under(
        async () => {
          const port = tapOf(stage);
          await stage.host.vsctl('set', 'Interface', port, 'ofport_request=1234');
          await until(async () => (await stage.host.vsctl('get', 'Interface', port, 'ofport')).trim() === '1234');
        },
        { flows: 'any' },
      ),
  },
  {
    name: 'ofport of the provider uplink renumbered',
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('set', 'Interface', 'int-br-ex', 'ofport_request=2345')), {
        flows: 'any',
      }),
  },
];

const DRIFT: readonly Fault[] = [
  {
    name: 'a translation flow deleted by hand',
    run: (stage) => stage.under(async () => void (await ofctl(stage, 'del-flows', 'br-int', 'table=0,dl_vlan=100'))),
  },
  {
    name: 'a translation flow changed by hand',
    run: (stage) =>
      stage.under(async () => void (await ofctl(stage, 'mod-flows', 'br-int', 'table=0,dl_vlan=100 actions=drop'))),
  },
  {
    name: 'a dropping flow added by hand',
    run: (stage) =>
      stage.under(
        async () =>
          void (await ofctl(stage, 'add-flow', 'br-int', 'table=60,priority=65000,cookie=0xbad actions=drop')),
      ),
  },
  {
    name: 'every flow of br-int deleted by hand',
    run: (stage) => stage.under(async () => void (await ofctl(stage, 'del-flows', 'br-int')), { rewritten: true }),
  },
  {
    name: 'the tag of the port edited',
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('set', 'Port', tapOf(stage), 'tag=99')), {
        flows: 'any',
      }),
  },
  {
    name: 'the peer of the provider uplink edited',
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('set', 'Interface', 'int-br-ex', 'options:peer=nowhere')), {
        flows: 'any',
      }),
  },
];

/** Of the first host's agent, in MiB. */
function residentMemory({ agent }: Stage): number {
  const text = readFileSync(`/proc/${agent?.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024);
}

const PORTS: readonly Fault[] = [
  {
    name: 'a port that the switch cannot make, another plugged beside it',
    bar: 0,
    run: (stage) =>
      stage.under(async () => {
        const port = await stage.bed.rest.createPort(stage.vlan.id, 'host1');
        const name = `tap${port.id.slice(0, 11)}`;
        const marks = [`external_ids:iface-id=${port.id}`, `external_ids:attached-mac="${port.mac_address}"`];
        const plugged = ['add-port', 'br-int', name, '--', 'set', 'Interface', name, ...marks];
        await stage.host.exec(['ovs-vsctl', '--no-wait', ...plugged]);
        await stage.probe();
        await stage.host.vsctl('del-port', name);
        await stage.bed.rest.deletePort(port.id);
      }),
  },
  {
    name: '10 cycles of plug and unplug',
    bar: 0,
    run: async (stage) => {
      // The first cycles fill caches and pools.
      for (let cycle = 0; cycle < 5; cycle++) await stage.probe();
      const before = residentMemory(stage);
      const measured = await stage.under(async () => {
        for (let cycle = 0; cycle < 10; cycle++) await stage.probe();
      });
      return {
        ...measured,
        detail: `${measured.detail} resident memory ${before} → ${residentMemory(stage)} MiB`.trim(),
      };
    },
  },
];

const RESOURCES: readonly Fault[] = [
  {
    name: 'the disk of the log full, then started again with it so',
    only: 'patchbay',
    bar: 0,
    run: async (stage, kind) => {
      const folder = '/run/tiny';
      await stage.host.exec(`mkdir -p ${folder} && mount -t tmpfs -o size=16k none ${folder}`);
      await stopAgent(stage, 'SIGTERM');
      const ini = { DEFAULT: { log_dir: folder, debug: true } };
      stage.agent = stage.host.startPatchbay({ ini });
      await stage.agentSynced(kind);
      await stage.host.exec(`head -c 64k /dev/zero > ${folder}/filler || true`);
      const measured = await stage.under(async () => {
        await stage.probe();
        await stopAgent(stage, 'SIGKILL');
        stage.agent = stage.host.startPatchbay({ ini });
        await stage.agentSynced(kind);
        await stage.probe();
      });
      await stopAgent(stage, 'SIGTERM');
      stage.startAgent(kind);
      await stage.agentSynced(kind);
      return measured;
    },
  },
];

const TAKE_OVER: readonly Fault[] = [
  {
    name: 'taken over from the reference agent',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => takeOver(stage), { flows: 'any' }),
  },
  {
    name: 'given back to the reference agent',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => giveBack(stage), { flows: 'any' }),
  },
  {
    name: 'taken over from the reference agent, tunnelled network',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => takeOver(stage), { flows: 'any', network: 'vxlan' }),
  },
  {
    name: 'given back to the reference agent, tunnelled network',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => giveBack(stage), { flows: 'any', network: 'vxlan' }),
  },
];

/** The reference agent stops, Patchbay starts with the same files, and everything of the reference agent's is gone. */
export async function takeOver(stage: Stage): Promise<void> {
  await stopAgent(stage, 'SIGTERM');
  stage.startAgent('patchbay');
  await stage.agentSynced('patchbay');
  await until(async () => (await stage.status()).switch.takingOver.length === 0, {
    what: 'the take-over is complete',
    timeoutMs: 10_000,
  });
}

/** The upper half of every cookie of Patchbay's. */
const OURS = /cookie=0x50617463/;

export async function giveBack(stage: Stage): Promise<void> {
  await patchbay(stage.host, 'release');
  await until(() => stage.agent?.isRunning === false, { what: 'Patchbay has stopped', timeoutMs: 10_000 });
  stage.startAgent('reference');
  await stage.agentSynced('reference');
  const isSwept = async (): Promise<true> => {
    const left = (await stage.host.ofctl('--no-stats', 'dump-flows', 'br-int'))
      .split('\n')
      .filter((flow) => OURS.test(flow));
    if (left.length > 0) throw new Error(left.slice(0, 3).join('; '));
    return true;
  };
  await until(isSwept, { what: 'the reference agent has swept', timeoutMs: 15_000 });
}

export const FAULTS: readonly Fault[] = [
  ...AGENT,
  ...SWITCH,
  ...DRIFT,
  ...PORTS,
  ...RESOURCES,
  ...controlPlaneFaults,
  ...TAKE_OVER,
];
