import { until } from '../support/bed';
import { type Fault, stopAgent } from './fault';
import { pause, type Stage } from './stage';

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

/** So many milliseconds after a port was plugged, or unplugged, the agent is killed: while it asks the server, writes, and waits for the switch. */
const KILLS_MS = [3, 60];
const MANY_KILLS_MS = Array.from({ length: 12 }, (_, index) => 2 + 7 * index);

const killsWhileWiring = (moments: readonly number[]): Fault => ({
  name: `agent SIGKILL ${2 * moments.length} times while it wires and unwires a port`,
  bar: 0,
  run: (stage, kind) =>
    stage.under(async () => {
      const again = async (delay: number): Promise<void> => {
        await pause(delay);
        await stopAgent(stage, 'SIGKILL');
        stage.startAgent(kind);
        await stage.agentSynced(kind);
      };
      for (const delay of moments) {
        const instance = await stage.instanceOn(stage.host, stage.vlan);
        await again(delay);
        await stage.bed.rest.untilPortsAre('ACTIVE', [instance.portId], { timeoutMs: stage.patienceMs });
        await instance.unplug();
        await again(delay);
        await stage.bed.rest.deletePort(instance.portId);
      }
    }),
});

export const agentFaults: readonly Fault[] = [
  { name: 'none (control)', bar: 0, run: (stage) => stage.under(() => pause(3_000)) },
  restart('SIGTERM'),
  restart('SIGKILL'),
  {
    name: 'agent SIGKILL, started again after a port was unplugged',
    bar: 0,
    run: async (stage, kind) => {
      const instance = await stage.instanceOn(stage.host, stage.vlan);
      await stage.bed.rest.untilPortsAre('ACTIVE', [instance.portId], { timeoutMs: stage.patienceMs });
      return stage.under(
        async () => {
          await stopAgent(stage, 'SIGKILL');
          await instance.unplug();
          stage.startAgent(kind);
        },
        {
          synced: async () => {
            await stage.agentSynced(kind);
            await until(() => isSwept(stage, instance.mac), {
              timeoutMs: stage.patienceMs,
              what: 'its flows are swept',
            });
            await stage.bed.rest.deletePort(instance.portId);
          },
          flows: 'any',
        },
      );
    },
  },
  killsWhileWiring(KILLS_MS),
  { ...killsWhileWiring(MANY_KILLS_MS), long: true },
];

const isSwept = async (stage: Stage, mac: string): Promise<boolean> =>
  !(await stage.host.ofctl('dump-flows', 'br-int')).includes(mac);
