import { createMessaging, type Messaging, resolveRabbitOptions } from '../../../core/rpc';
import { deleteIfUnused } from '../../../core/rpc/unused-queues';
import { MemoryBroker } from '../../support/memory-broker';

const hosts = ['h1', 'h2', 'h3'];
let messaging: Messaging | undefined;
afterEach(() => messaging?.close());

function open(broker: MemoryBroker, rabbit: Record<string, unknown> = {}) {
  const transportUrl = `rabbit://u:p@${hosts.join(',u:p@')}/`;
  const retry = { rabbit_retry_interval: 0.01, rabbit_retry_backoff: 0, rabbit_interval_max: 0.01 };
  messaging = createMessaging({
    transportUrl,
    connect: broker.connect,
    rabbit: { ...retry, ...rabbit },
    random: () => 0.999,
  });
  return messaging;
}

const connected = (opened: Messaging) => new Promise<void>((resolve) => opened.once('connected', resolve));
const attempted = (broker: MemoryBroker) =>
  broker.attempts.filter((each) => each.includes(':consume:')).map((each) => each.split(' ')[0]);

describe('several brokers', () => {
  it.each(['round-robin', 'shuffle'])('are tried until one answers (%s)', async (kombu_failover_strategy) => {
    const broker = new MemoryBroker();
    broker.answerOn((host) => host === 'h3');
    await connected(open(broker, { kombu_failover_strategy }));
    expect(attempted(broker).at(-1)).toBe('h3');
  });

  it('are all tried before a pause, and told of one by one', async () => {
    const broker = new MemoryBroker();
    broker.answerOn(() => false);
    const pauses: number[] = [];
    const opened = open(broker);
    const told = new Promise<void>((resolve) => {
      opened.on('unreachable', ({ retryInMs }) => {
        pauses.push(retryInMs);
        if (pauses.length >= 12) resolve();
      });
    });
    await told;
    expect(pauses.slice(0, 12).filter((pause) => pause > 0)).toHaveLength(4);
    expect(new Set(attempted(broker))).toEqual(new Set(hosts));
  });

  it('are left for another when the present one goes', async () => {
    const broker = new MemoryBroker();
    const opened = open(broker);
    await connected(opened);
    const first = attempted(broker).at(-1);
    broker.answerOn((host) => host !== first);
    const restored = new Promise((resolve) => opened.once('restored', resolve));
    broker.closeConnections();
    await restored;
    expect(attempted(broker).at(-1)).not.toBe(first);
  });

  it('need not be there when the messaging is made', () => {
    const broker = new MemoryBroker();
    broker.answerOn(() => false);
    expect(open(broker).stats()).toEqual({
      connected: false,
      connections: 0,
      queues: 0,
      ageOfLastMessageMs: undefined,
      pendingCalls: 0,
      blocked: false,
      received: 0,
      sent: 0,
    });
  });

  it('may come back while a call waits', async () => {
    const broker = new MemoryBroker();
    broker.answerOn(() => false);
    const opened = open(broker);
    opened.listen({ topic: 't', shared: true, version: '1.0' }, { m: () => 'here' });
    const call = opened.call({ topic: 't', version: '1.0' }, 'm', {}, { idempotent: true });
    broker.answerOn(() => true);
    await expect(call).resolves.toBe('here');
    expect(opened.stats().ageOfLastMessageMs).toBeGreaterThanOrEqual(0);
  });
});

describe('a request before the queues stand', () => {
  it('waits for them: what is pushed after the answer was made is not to be missed', async () => {
    const broker = new MemoryBroker();
    const server = open(broker);
    const asked = jest.fn(() => 'here');
    await server.listen({ topic: 't', shared: true, version: '1.0' }, { m: asked }).ready;
    await connected(server);
    let letIn: () => void = () => undefined;
    const admitted = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    const agent = createMessaging({
      transportUrl: 'rabbit://u:p@h1/',
      connect: async (target) => {
        if (target.connectionName.includes(':consume:')) await admitted;
        return broker.connect(target);
      },
    });
    const call = agent.call({ topic: 't', version: '1.0' }, 'm');
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(asked).not.toHaveBeenCalled();
    letIn();
    await expect(call).resolves.toBe('here');
    await agent.close();
  });
});

describe('the queue for notifications', () => {
  it('has one consumer also when the last listener left and another came', async () => {
    const broker = new MemoryBroker();
    const opened = open(broker);
    await connected(opened);
    for (let times = 0; times < 3; times += 1) {
      const listener = opened.listen({ topic: 't', version: '1.0' }, {});
      await listener.ready;
      await listener.close();
    }
    expect(broker.queues.get(opened.queueNames.notifications)?.consumers).toHaveLength(1);
  });
});

describe('queue names', () => {
  it('are those of the queue manager if asked for, and stay when the messaging is closed', async () => {
    const broker = new MemoryBroker();
    const opened = open(broker, { use_queue_manager: true, hostname: 'compute-1', processname: 'agent' });
    expect(opened.queueNames).toEqual({
      reply: 'reply_compute-1:agent:1',
      notifications: 'patchbay_fanout_compute-1:agent:1',
    });
    await connected(opened);
    await opened.close();
    expect([...broker.queues.keys()]).toEqual(['reply_compute-1:agent:1']);
  });
});

describe('queues to be removed', () => {
  it('are not called refused by the broker because the connection was lost', async () => {
    const broker = new MemoryBroker();
    const endpoint = { host: 'h1', port: 5672, username: 'u', password: 'p' };
    const { options } = resolveRabbitOptions({});
    const connection = await broker.connect({ endpoint, virtualHost: '/', connectionName: 'test', options });
    broker.closeConnections();
    await expect(deleteIfUnused(connection, ['left.behind'])).rejects.toThrow('Connection closed');
  });
});

describe('an exchange that is deleted under a listener', () => {
  afterEach(() => jest.useRealTimers());

  it('is found missing within a minute, made again, and what it was to bring counts as lost', async () => {
    const doNotFake = [
      'setTimeout',
      'clearTimeout',
      'setImmediate',
      'clearImmediate',
      'queueMicrotask',
      'nextTick',
    ] as const;
    jest.useFakeTimers({ doNotFake: [...doNotFake, 'Date', 'performance'] });
    const broker = new MemoryBroker();
    const opened = open(broker, { kombu_reconnect_delay: 0, kombu_reconnect_splay: 0 });
    await connected(opened);
    await opened.listen({ topic: 'neutron-vo-Port-1.7', version: '1.0' }, {}).ready;
    const [[name] = ['']] = [...broker.exchanges].filter(([, { type }]) => type === 'fanout');
    broker.deleteExchange(name);
    const missed = new Promise((resolve) => opened.once('missed', resolve));
    jest.advanceTimersByTime(60_000);
    expect(await missed).toEqual({ deleted: [name] });
    expect(broker.exchanges.get(name)?.bindings).toHaveLength(1);
  });
});
