import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, until } from '../support/bed-command';
import type { Fault } from './fault';
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
        await run([join('test/bed/service'), 'neutron']);
      }),
  },
];
