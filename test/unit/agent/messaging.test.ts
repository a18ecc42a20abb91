import type { RpcConnection } from '@patchbay/sdk';
import { messagingConnector } from '../../../core/agent/messaging';
import { OnceAnHour } from '../../../core/agent/once-an-hour';
import { type AmqpConnection, type AmqpConnector, createMessaging } from '../../../core/rpc';
import { MemoryBroker } from '../../support/memory-broker';

const rabbit = { rabbit_retry_interval: 0.01, rabbit_retry_backoff: 0, rabbit_interval_max: 0.01 };
const opened: RpcConnection[] = [];
afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.close();
});

function open(connect: AmqpConnector, objectVersions: Readonly<Record<string, string>> = {}): RpcConnection {
  const connection = messagingConnector('everything', connect).connect({
    transportUrl: 'rabbit://u:p@h1/',
    controlExchange: 'neutron',
    host: 'host1',
    callTimeoutMs: 1000,
    maxCallTimeoutMs: 1000,
    rabbit,
    pingEnabled: false,
    objectVersions,
    pullStep: 20,
  });
  opened.push(connection);
  connection.open();
  return connection;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('the connection to the broker, as a status shows it', () => {
  it('is no longer failing once its publishing half alone was lost and came back', async () => {
    const broker = new MemoryBroker();
    let publishing: AmqpConnection | undefined;
    const connection = open(async (target) => {
      const made = await broker.connect(target);
      if (target.connectionName.includes(':publish:')) publishing = made;
      return made;
    });
    await until(async () => (await connection.state()).connected);
    broker.answerOn(() => false);
    await publishing?.close();
    await until(async () => (await connection.state()).detail.includes('cannot reach h1'));
    expect(await connection.state()).toMatchObject({ connected: false, connections: 1 });
    broker.answerOn(() => true);
    await until(async () => (await connection.state()).connections === 2);
    expect(await connection.state()).toMatchObject({ connected: true, detail: 'rabbit://u:***@h1:5672/' });
  });

  it('says that the broker takes no messages, for as long as it does not', async () => {
    const broker = new MemoryBroker();
    const connection = open(broker.connect);
    await until(async () => (await connection.state()).connected);
    broker.setBlocked(true);
    expect(await connection.state()).toMatchObject({ connected: false });
    expect((await connection.state()).detail).toContain('the broker takes no messages: low on memory');
    broker.setBlocked(false);
    expect(await connection.state()).toMatchObject({ connected: true });
  });
});

describe('pushes of a type of object', () => {
  it('reach each who watches it, and go on reaching the cache when another no longer does', async () => {
    const broker = new MemoryBroker();
    const connection = open(broker.connect, { Port: '1.7' });
    const heard: string[] = [];
    connection.watchObjects('Port', '1.7', () => heard.push('cache'));
    const unwatch = connection.watchObjects('Port', '1.7', () => heard.push('plugin'));
    await until(async () => (await connection.state()).connected);
    const server = createMessaging({ transportUrl: 'rabbit://u:p@h1/', connect: broker.connect });
    const push = () =>
      server.fanout({ topic: 'neutron-vo-Port-1.7', version: '1.1' }, 'push', {
        event_type: 'updated',
        resource_list: [],
      });
    await push();
    await until(async () => heard.length >= 2);
    expect(heard).toEqual(['cache', 'plugin']);
    unwatch();
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    await push();
    await until(async () => heard.length >= 3);
    expect(heard).toEqual(['cache', 'plugin', 'cache']);
    await server.close();
  });
});

describe('what comes with every message', () => {
  it('is told once an hour, with how often it came meanwhile', () => {
    let now = 0;
    const once = new OnceAnHour(() => now);
    const told: string[] = [];
    const say = (text: string) => once.say(text, (heldBack) => told.push(`${text} ${heldBack}`));
    for (let time = 0; time < 3; time += 1) say('unknown method');
    say('bad envelope');
    now = 3_600_000;
    say('unknown method');
    expect(told).toEqual(['unknown method 0', 'bad envelope 0', 'unknown method 2']);
  });
});
