import { createMessaging, type Messaging, type MessagingOptions, type RpcProblem } from '../../../core/rpc';

/** A broker under test, and what its operator can do to it. */
export interface BrokerUnderTest {
  readonly options: Pick<MessagingOptions, 'transportUrl' | 'connect'>;
  closeConnections(): Promise<void>;
  restart(): Promise<void>;
  setBlocked(blocked: boolean): Promise<void>;
  deleteQueue(name: string): Promise<void>;
  queueNames(): Promise<readonly string[]>;
  declareExchange(name: string, type: string, options: { durable: boolean; autoDelete: boolean }): Promise<void>;
  deleteExchange(name: string): Promise<void>;
  exchangeNames(): Promise<readonly string[]>;
  declareQueue(name: string): Promise<void>;
}

/** What holds on a real RabbitMQ and on the broker in memory alike. */
export function messagingContract(start: () => Promise<BrokerUnderTest>): void {
  let broker: BrokerUnderTest;
  let opened: Messaging[] = [];

  beforeAll(async () => {
    broker = await start();
  });

  afterEach(async () => {
    await Promise.all(opened.map((messaging) => messaging.close()));
    opened = [];
  });

  const open = (more: Partial<MessagingOptions> = {}): Messaging => {
    const messaging = createMessaging({
      ...broker.options,
      responseTimeoutMs: 20_000,
      random: () => 0,
      ...more,
      rabbit: { rabbit_retry_interval: 0.2, rabbit_retry_backoff: 0, kombu_reconnect_delay: 0.05, ...more.rabbit },
    });
    opened.push(messaging);
    return messaging;
  };
  const restored = (messaging: Messaging) =>
    new Promise<{ readonly queuesSurvived: boolean }>((resolve) => messaging.once('restored', resolve));
  const connected = async (messaging: Messaging) => {
    if (messaging.stats().connections < 2) await new Promise<void>((resolve) => messaging.once('connected', resolve));
    return messaging;
  };
  const echo = { echo: (_: unknown, args: unknown) => args };
  const server = async (topic: string, more?: Partial<MessagingOptions>) => {
    const messaging = await connected(open(more));
    await messaging.listen(
      { topic, shared: true, version: '1.2' },
      { ...echo, fail: () => Promise.reject(new Error('no such thing')) },
    ).ready;
    return messaging;
  };

  it('answers a call with what the endpoint returns', async () => {
    await server('c1');
    const client = open();
    await expect(client.call({ topic: 'c1', version: '1.1' }, 'echo', { word: 'grün' })).resolves.toEqual({
      word: 'grün',
    });
  });

  it('answers with the failure of an endpoint', async () => {
    await server('c2');
    const call = open().call({ topic: 'c2', version: '1.0' }, 'fail');
    await expect(call).rejects.toMatchObject({ code: 'remote-error', remoteClass: 'Error', message: 'no such thing' });
  });

  it('answers an unknown method and a newer version as oslo.messaging does', async () => {
    await server('c3');
    const client = open();
    await expect(client.call({ topic: 'c3', version: '1.0' }, 'missing')).rejects.toMatchObject({
      remoteClass: 'NoSuchMethod',
    });
    await expect(client.call({ topic: 'c3', version: '1.3' }, 'echo')).rejects.toMatchObject({
      remoteClass: 'UnsupportedVersion',
    });
  });

  it('delivers a fanout to every listener and a cast for one host to that host alone', async () => {
    const arrived: string[] = [];
    for (const host of ['a', 'b']) {
      const agent = await connected(open());
      const note = (word: string) => () => arrived.push(`${host} ${word}`);
      await agent.listen({ topic: 'c4', host, version: '1.0' }, { all: note('all'), one: note('one') }).ready;
    }
    const sender = open();
    await sender.cast({ topic: 'c4', host: 'b', version: '1.0' }, 'one');
    await sender.fanout({ topic: 'c4', version: '1.0' }, 'all');
    await until(() => arrived.length === 3);
    expect(arrived.sort()).toEqual(['a all', 'b all', 'b one']);
  });

  it('keeps the order of the messages of one sender', async () => {
    const agent = await connected(open());
    const arrived: unknown[] = [];
    await agent.listen({ topic: 'c5', version: '1.0' }, { note: (_, args) => arrived.push(args.number) }).ready;
    const sender = await connected(open());
    const numbers = Array.from({ length: 50 }, (_, number) => number);
    await Promise.all(numbers.map((number) => sender.fanout({ topic: 'c5', version: '1.0' }, 'note', { number })));
    await until(() => arrived.length === numbers.length);
    expect(arrived).toEqual(numbers);
  });

  it('uses two connections and two queues however many topics it listens to', async () => {
    const agent = await connected(open());
    const before = await broker.queueNames();
    for (let topic = 0; topic < 12; topic += 1)
      await agent.listen({ topic: `c6-${topic}`, host: 'h', version: '1.0' }, echo).ready;
    expect(agent.stats()).toMatchObject({ connections: 2, queues: 2 });
    expect((await broker.queueNames()).length - before.length).toBe(1);
  });

  it('leaves no queue behind when it is closed', async () => {
    const before = await broker.queueNames();
    const agent = await connected(open({ connectionName: 'tidy' }));
    await agent.listen({ topic: 'c7', version: '1.0' }, echo).ready;
    await agent.close();
    expect((await broker.queueNames()).filter((name) => !before.includes(name))).toEqual([]);
  });

  it('receives after its connections were closed what was sent meanwhile', async () => {
    const agent = await connected(open());
    const arrived: unknown[] = [];
    await agent.listen({ topic: 'c8', version: '1.0' }, { note: (_, args) => arrived.push(args.word) }).ready;
    const again = restored(agent);
    await broker.closeConnections();
    const sender = open();
    await sender.fanout({ topic: 'c8', version: '1.0' }, 'note', { word: 'late' });
    await expect(again).resolves.toEqual({ queuesSurvived: true });
    await until(() => arrived.length === 1);
    expect(arrived).toEqual(['late']);
  });

  it('sets everything up again after a broker restart, and says that messages were lost', async () => {
    const agent = await server('c9');
    const client = await connected(open());
    const again = Promise.all([restored(agent), restored(client)]);
    await broker.restart();
    await expect(again).resolves.toEqual([{ queuesSurvived: false }, { queuesSurvived: false }]);
    await expect(client.call({ topic: 'c9', version: '1.0' }, 'echo', { a: 1 })).resolves.toEqual({ a: 1 });
  });

  it('asks again what may be asked twice when the broker lost the reply queue under the call', async () => {
    let asked = 0;
    const agent = await connected(open());
    let answer: (() => void) | undefined;
    const first = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = () => {
      asked += 1;
      answer?.();
      return asked === 1 ? new Promise(() => undefined) : 'second';
    };
    await agent.listen({ topic: 'c10', shared: true, version: '1.0' }, { slow }).ready;
    const call = (await connected(open())).call({ topic: 'c10', version: '1.0' }, 'slow', {}, { idempotent: true });
    await first;
    await broker.restart();
    await expect(call).resolves.toBe('second');
  });

  it.each(['notification', 'reply'])('sets its %s queue up again when somebody deletes it', async (kind) => {
    const agent = await server(`c11-${kind}`, { connectionName: `deleted-${kind}` });
    const again = restored(agent);
    await broker.deleteQueue(kind === 'reply' ? agent.queueNames.reply : agent.queueNames.notifications);
    await expect(again).resolves.toEqual({ queuesSurvived: false });
    await expect(agent.call({ topic: `c11-${kind}`, version: '1.0' }, 'echo', { a: 1 })).resolves.toEqual({ a: 1 });
  });

  it('takes an exchange of the other durability as it is, and says so once', async () => {
    await broker.declareExchange('c12_fanout', 'fanout', { durable: true, autoDelete: true });
    const agent = await connected(open());
    const mismatches: unknown[] = [];
    agent.on('mismatch', (mismatch) => mismatches.push(mismatch));
    const arrived: unknown[] = [];
    await agent.listen({ topic: 'c12', version: '1.0' }, { note: (_, args) => arrived.push(args.word) }).ready;
    await agent.fanout({ topic: 'c12', version: '1.0' }, 'note', { word: 'here' });
    await until(() => arrived.length === 1);
    expect(mismatches).toEqual([{ exchange: 'c12_fanout', durableExpected: false }]);
  });

  describe('an exchange of pushes', () => {
    const NAME = 'c17_fanout';
    const GUARD = 'patchbay_guard_c17_fanout';
    const LIKE_THE_SERVER = { durable: false, autoDelete: true };
    const SOON = { everyMs: 50, guardAfterMs: 200 };
    const missed = (messaging: Messaging) =>
      new Promise<{ readonly deleted: readonly string[] }>((resolve) => messaging.once('missed', resolve));
    const listening = async (arrived: unknown[] = [], looks = SOON) => {
      const agent = await connected(open({ looks }));
      const guarded = missed(agent);
      await agent.listen({ topic: 'c17', version: '1.0' }, { note: (_, args) => arrived.push(args.word) }).ready;
      return { agent, guarded };
    };

    it('is guarded once it was not for a while, and what was lost until then is not known', async () => {
      const { guarded } = await listening();
      await expect(guarded).resolves.toEqual({ deleted: [] });
      expect(await broker.exchangeNames()).toContain(GUARD);
    });

    it('that is deleted is bound again, and what it was to bring counts as lost', async () => {
      const arrived: unknown[] = [];
      const { agent, guarded } = await listening(arrived);
      await guarded;
      const lost = missed(agent);
      await broker.deleteExchange(NAME);
      await expect(lost).resolves.toEqual({ deleted: [NAME] });
      await open().fanout({ topic: 'c17', version: '1.0' }, 'note', { word: 'here' });
      await until(() => arrived.length === 1);
    });

    it('counts as deleted with every agent though its sender made it anew before any of them looked', async () => {
      const arrived: unknown[] = [];
      // The second one is to look before the first makes the guard again, however slow the machine is.
      const looks = { everyMs: 50, guardAfterMs: 3_000 };
      const agents = [await listening(arrived, looks), await listening(arrived, looks)];
      await Promise.all(agents.map(({ guarded }) => guarded));
      const lost = Promise.all(agents.map(({ agent }) => missed(agent)));
      await broker.deleteExchange(NAME);
      await broker.declareExchange(NAME, 'fanout', LIKE_THE_SERVER);
      await expect(lost).resolves.toEqual([{ deleted: [NAME] }, { deleted: [NAME] }]);
      await open().fanout({ topic: 'c17', version: '1.0' }, 'note', { word: 'here' });
      await until(() => arrived.length === 2);
    });

    it('takes its guard along when the last agent leaves', async () => {
      const { agent, guarded } = await listening();
      await guarded;
      await agent.close();
      const left = await broker.exchangeNames();
      expect(left).not.toContain(NAME);
      expect(left).not.toContain(GUARD);
    });
  });

  it('waits while the broker is blocked and goes on afterwards', async () => {
    await server('c13');
    const client = await connected(open());
    await client.call({ topic: 'c13', version: '1.0' }, 'echo');
    const blocked = new Promise((resolve) => client.once('blocked', resolve));
    const unblocked = new Promise<void>((resolve) => client.once('unblocked', resolve));
    await broker.setBlocked(true);
    // RabbitMQ says so to who publishes next; whether that message still gets through is its own affair.
    const first = client.call({ topic: 'c13', version: '1.0' }, 'echo', { a: 1 });
    await blocked;
    const second = client.call({ topic: 'c13', version: '1.0' }, 'echo', { a: 2 });
    await until(() => client.stats().pendingCalls > 0);
    expect(client.stats()).toMatchObject({ blocked: true });
    await broker.setBlocked(false);
    await unblocked;
    await expect(Promise.all([first, second])).resolves.toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('gives up a reply whose caller is gone, and reports it once', async () => {
    const agent = await connected(open({ rabbit: { kombu_missing_consumer_retry_timeout: 1 } }));
    const problems: RpcProblem[] = [];
    agent.on('problem', (problem) => problems.push(problem));
    const caller = await connected(open());
    const leave = () => caller.close();
    await agent.listen({ topic: 'c14', shared: true, version: '1.0' }, { leave }).ready;
    await expect(caller.call({ topic: 'c14', version: '1.0' }, 'leave')).rejects.toMatchObject({
      code: 'messaging-closed',
    });
    await until(() => problems.length > 0);
    expect(problems).toMatchObject([{ code: 'reply-undeliverable', field: '_reply_q' }]);
  });

  it('deletes the queues nobody uses and tells of the others', async () => {
    await broker.declareQueue('left.behind');
    const user = await server('in.use');
    const report = await user.deleteIfUnused(['left.behind', 'never.was', 'in.use']);
    expect(report).toEqual({ deleted: ['left.behind'], absent: ['never.was'], inUse: ['in.use'], refused: [] });
  });

  it('compresses as kombu does, both ways', async () => {
    await server('c16', { rabbit: { kombu_compression: 'gzip' } });
    const client = open({ rabbit: { kombu_compression: 'gzip' } });
    await expect(client.call({ topic: 'c16', version: '1.0' }, 'echo', { a: 'x'.repeat(5000) })).resolves.toEqual({
      a: 'x'.repeat(5000),
    });
  });
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
