import { run, until } from '../support/bed-command';
import type { Fault } from './fault';
import { service, underOutage, untilItSaysWhy } from './outage';
import { type AgentKind, pause, type Stage } from './stage';

/** The server's processes that have not ended. The brackets keep the pattern from meeting the shell that looks for it. */
const LIVING = "pgrep --full --runstates D,R,S,T '[n]eutron-server'";

async function serverPids(): Promise<readonly number[]> {
  const pids = await run(['bash', '-c', LIVING]);
  return pids.trim().split('\n').map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // A worker that ended with its parent.
  }
}

const signalAll = (pids: readonly number[], name: NodeJS.Signals): void => {
  for (const pid of pids) signal(pid, name);
};

async function killServer(): Promise<void> {
  signalAll(await serverPids(), 'SIGKILL');
  await until(() => run(['bash', '-c', `! ${LIVING} && echo gone`]), { what: 'the server is gone' });
}

export const serverFaults: readonly Fault[] = [
  {
    name: 'server stopped for 10 s, a port plugged meanwhile, then slow to answer what piled up',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const instance = await stage.prepared();
        const pids = await serverPids();
        signalAll(pids, 'SIGSTOP');
        await instance.plug();
        await pause(10_000);
        signalAll(pids, 'SIGCONT');
        await stage.untilServed(instance);
      }),
  },
  {
    name: 'server killed, started again',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        await killServer();
        await service('neutron');
      }),
  },
  serverGone('45 s', 45_000),
  { ...serverGone('ten minutes', 600_000), long: true },
  {
    name: 'server slow: stopped nine tenths of the time, for 20 s',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const pids = await serverPids();
        const port = stage.probe();
        for (let second = 0; second < 20; second++) {
          signalAll(pids, 'SIGSTOP');
          await pause(900);
          signalAll(pids, 'SIGCONT');
          await pause(100);
        }
        await port;
      }),
  },
  {
    name: 'server failing whatever it is asked, for 10 s, a port plugged meanwhile',
    bar: 0,
    run: (stage, kind) =>
      underOutage(stage, async () => {
        const instance = await stage.prepared();
        await run(['mariadb', 'neutron', '-e', 'rename table ports to ports_away']);
        await instance.plug();
        await pause(10_000);
        await untilItSaysWhy(stage, kind, 'port-binding', /ports/);
        await run(['mariadb', 'neutron', '-e', 'rename table ports_away to ports']);
        await stage.untilServed(instance);
      }),
  },
];

/** A port is plugged while the server is away, and served when it is back. Calls run into their time-out after a minute. */
function serverGone(howLong: string, ms: number): Fault {
  const isLong = ms > 60_000;
  return {
    name: `server gone for ${howLong}, a port plugged meanwhile`,
    bar: 0,
    run: (stage, kind) =>
      underOutage(stage, async () => {
        const instance = await stage.prepared();
        await killServer();
        await instance.plug();
        await pause(ms);
        if (isLong) await saysThatItIsGone(stage, kind);
        await service('neutron');
        await stage.untilServed(instance);
      }),
  };
}

const saysThatItIsGone = (stage: Stage, kind: AgentKind): Promise<void> =>
  untilItSaysWhy(stage, kind, 'heartbeat', /report/);
