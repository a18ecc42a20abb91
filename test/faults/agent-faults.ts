import { type Fault, stopAgent } from './fault';
import { pause } from './stage';

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

export const agentFaults: readonly Fault[] = [
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
