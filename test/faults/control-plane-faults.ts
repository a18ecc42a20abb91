import { readFileSync } from 'node:fs';
import { run, until } from '../support/bed-command';
import type { Fault } from './fault';
import { underRule } from './rules';
import { pause, type Stage } from './stage';

const service = (name: string) => run(['test/bed/service', name]);

/** RabbitMQ writes its process id beside its database. */
async function brokerPid(): Promise<number> {
  const file = (await run(['bash', '-c', 'ls /var/lib/rabbitmq/mnesia/*.pid'])).trim();
  return Number(readFileSync(file, 'utf8'));
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => run(['bash', '-c', `! kill -0 ${pid} 2>/dev/null && echo gone`]));
}

/** All of the server's processes. The brackets keep the pattern from meeting the shell that looks for it. */
async function serverPids(): Promise<readonly number[]> {
  const pids = await run(['bash', '-c', "pgrep -f '[n]eutron-server'"]);
  return pids.trim().split('\n').map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // A worker that ended with its parent.
  }
}

/** Queues that have come since `before`: those of an agent that was started meanwhile. */
async function queues(): Promise<readonly string[]> {
  return (await run(['rabbitmqctl', '--quiet', '--no-table-headers', 'list_queues', 'name'])).trim().split('\n');
}

const underOutage = (stage: Stage, outage: () => Promise<void>) =>
  stage.under(async () => {
    await outage();
    await stage.probe();
  });

export const controlPlaneFaults: readonly Fault[] = [
  {
    name: 'broker killed, started again',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        await kill(await brokerPid());
        await service('broker');
      }),
  },
  {
    name: 'broker silent for 20 s (half-open connections)',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const pid = await brokerPid();
        process.kill(pid, 'SIGSTOP');
        await pause(20_000);
        process.kill(pid, 'SIGCONT');
      }),
  },
  {
    name: 'queues of the agents deleted',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const agents = (await queues()).filter((name) => /fanout|^reply_|host1/.test(name));
        for (const queue of agents) await run(['rabbitmqctl', '--quiet', 'delete_queue', queue]).catch(() => '');
      }),
  },
  {
    name: 'the exchanges of pushes deleted',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const all = await run(['rabbitmqctl', '--quiet', '--no-table-headers', 'list_exchanges', 'name']);
        // Not the topic exchange: without it the server hears nobody any more, until it is restarted.
        const names = all.split('\n').filter((name) => name.endsWith('_fanout'));
        const erlang = names.map((name) => `<<"${name}">>`).join(', ');
        const each = `rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, Name), false, <<"test">>)`;
        await run(['rabbitmqctl', '--quiet', 'eval', `[${each} || Name <- [${erlang}]].`]);
        // Patchbay looks every minute whether they are there.
        await pause(65_000);
        await underRule(stage, async () => undefined);
      }),
  },
  {
    name: 'server stopped for 10 s, then slow to answer what piled up',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const pids = await serverPids();
        for (const pid of pids) signal(pid, 'SIGSTOP');
        await pause(10_000);
        for (const pid of pids) signal(pid, 'SIGCONT');
      }),
  },
  {
    name: 'server killed, started again',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        for (const pid of await serverPids()) signal(pid, 'SIGKILL');
        await pause(1_000);
        await service('neutron');
      }),
  },
  serverGone('45 s', 45_000),
  { ...serverGone('ten minutes', 600_000), long: true },
  {
    name: 'server slow: stopped nine tenths of the time, for 20 s',
    bar: 0,
    run: (stage) =>
      stage.under(async () => {
        const pids = await serverPids();
        const port = stage.probe();
        for (let second = 0; second < 20; second++) {
          for (const pid of pids) signal(pid, 'SIGSTOP');
          await pause(900);
          for (const pid of pids) signal(pid, 'SIGCONT');
          await pause(100);
        }
        await port;
      }),
  },
  {
    name: 'server failing whatever it is asked, for 10 s',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const instance = await stage.prepared();
        await run(['mariadb', 'neutron', '-e', 'rename table ports to ports_away']);
        await instance.plug();
        await pause(10_000);
        await run(['mariadb', 'neutron', '-e', 'rename table ports_away to ports']);
        await stage.untilServed(instance);
      }),
  },
];

/** A port is plugged while the server is away, and served when it is back. */
function serverGone(howLong: string, ms: number): Fault {
  return {
    name: `server gone for ${howLong}, a port plugged meanwhile`,
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const instance = await stage.prepared();
        for (const pid of await serverPids()) signal(pid, 'SIGKILL');
        await instance.plug();
        await pause(ms);
        await service('neutron');
        await stage.untilServed(instance);
      }),
  };
}
