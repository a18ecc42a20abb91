import { readFileSync } from 'node:fs';
import { atBroker, rabbitmqctl } from '../support/bed-broker';
import { run, until } from '../support/bed-command';
import type { Fault } from './fault';
import { service, underOutage, untilItSaysWhy } from './outage';
import { createdRule } from './rules';
import { pause, type Stage } from './stage';

/** RabbitMQ writes its process id beside its database. */
async function brokerPid(): Promise<number> {
  const file = (await run(['bash', '-c', 'ls /var/lib/rabbitmq/mnesia/*.pid'])).trim();
  return Number(readFileSync(file, 'utf8'));
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => run(['bash', '-c', `! kill -0 ${pid} 2>/dev/null && echo gone`]), {
    what: 'the broker is gone',
  });
}

/** The broker forgets its connections to the host, and nobody tells the host: for its kernel they stand. */
async function halfOpen(stage: Stage): Promise<void> {
  const { connections } = await atBroker(stage.host);
  if (connections.length === 0) throw new Error('the host has no connection to the broker');
  await stage.host.exec('ip link set management down');
  await run(['ss', '--kill', '--tcp', 'dst', stage.host.management, 'sport', '=', ':5672']);
  await until(async () => (await atBroker(stage.host)).connections.length === 0, { what: 'the broker has forgotten' });
  await stage.host.exec('ip link set management up');
  const open = await stage.host.exec(`ss --tcp --numeric --no-header state established dst 198.18.0.1 | wc -l`);
  if (Number(open) === 0) throw new Error('the host knows that its connections are gone');
}

export const brokerFaults: readonly Fault[] = [
  {
    name: 'broker killed, started again',
    bar: 0,
    run: (stage, kind) =>
      underOutage(stage, async () => {
        await kill(await brokerPid());
        await untilItSaysWhy(stage, kind, 'neutron', /broker/);
        await service('broker');
      }),
  },
  {
    name: 'broker silent for 20 s, a port plugged meanwhile',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const instance = await stage.prepared();
        const pid = await brokerPid();
        process.kill(pid, 'SIGSTOP');
        await instance.plug();
        await pause(20_000);
        process.kill(pid, 'SIGCONT');
        await stage.untilServed(instance);
      }),
  },
  { name: 'connections to the broker half open', bar: 0, run: (stage) => underOutage(stage, () => halfOpen(stage)) },
  {
    name: 'queues of the agent deleted',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        const { queues } = await atBroker(stage.host);
        if (queues.length === 0) throw new Error('the agent has no queue');
        for (const queue of queues) await rabbitmqctl('delete_queue', queue);
      }),
  },
  {
    name: 'the exchanges of pushes deleted',
    bar: 0,
    run: (stage) =>
      underOutage(stage, async () => {
        await deletePushExchanges();
        // Patchbay looks every minute whether they are there.
        await pause(65_000);
      }),
  },
  {
    name: 'the exchanges of pushes deleted, and made anew by the server before the agent looks',
    bar: 0,
    long: true,
    run: async (stage, kind) => {
      // Patchbay guards an exchange once it was there for five minutes.
      if (kind === 'patchbay') await until(areGuarded, { timeoutMs: 420_000, what: 'the exchanges are guarded' });
      return stage.under(async () => {
        await deletePushExchanges();
        // The first push finds no exchange, and the server makes it for the second.
        const rules = [await createdRule(stage), await createdRule(stage, 'udp')];
        const areThere = async () => (await Promise.all(rules.map((rule) => rule.isThere()))).every(Boolean);
        await until(areThere, { timeoutMs: 90_000, what: 'the rules that nobody heard of are there' }).finally(() =>
          Promise.all(rules.map((rule) => rule.remove())),
        );
      });
    },
  },
];

async function exchanges(suffix: string): Promise<readonly string[]> {
  const all = await rabbitmqctl('--no-table-headers', 'list_exchanges', 'name');
  return all.split('\n').filter((name) => name.endsWith(suffix));
}

const areGuarded = async (): Promise<boolean> =>
  (await exchanges('_fanout')).some((name) => name.startsWith('patchbay_guard_'));

/** Not the topic exchange: without it the server hears nobody any more, until it is restarted. */
async function deletePushExchanges(): Promise<void> {
  const names = (await exchanges('_fanout')).filter((name) => !name.startsWith('patchbay_guard_'));
  if (names.length === 0) throw new Error('there is no exchange of pushes');
  const erlang = names.map((name) => `<<"${name}">>`).join(', ');
  const each = `rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, Name), false, <<"test">>)`;
  await rabbitmqctl('eval', `[${each} || Name <- [${erlang}]].`);
}
