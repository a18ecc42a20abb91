import {
  type CallOptions,
  CallTimeouts,
  MessageUndeliverable,
  RemoteError,
  resolveRabbitOptions,
} from '../../../core/rpc';
import { RpcClient } from '../../../core/rpc/client';
import type { Reply } from '../../../core/rpc/envelope';
import type { Outgoing } from '../../../core/rpc/publisher';
import { controlExchange, fanoutExchange } from '../../../core/rpc/topology';

const { options } = resolveRabbitOptions({});

const clients: RpcClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function setUp(publish: (message: Outgoing) => Promise<void> = async () => undefined, initialMs = 5000) {
  const sent: { outgoing: Outgoing; inner: Record<string, unknown> }[] = [];
  const strays: string[] = [];
  const client = new RpcClient({
    controlExchange: controlExchange('neutron', options),
    fanoutExchange: (topic) => fanoutExchange(topic, options),
    replyQueue: 'reply_mine',
    timeouts: new CallTimeouts({ initialMs, maxMs: 10_000, random: () => 0 }),
    publish: (outgoing) => {
      sent.push({ outgoing, inner: JSON.parse(JSON.parse(outgoing.body)['oslo.message']) });
      return publish(outgoing);
    },
    onStrayReply: (messageId) => strays.push(messageId),
  });
  clients.push(client);
  const call = (more?: CallOptions) => client.call({ topic: 't', version: '1.3' }, 'm', { a: 1 }, more);
  const reply = (more: Partial<Reply>) =>
    client.receive({
      kind: 'reply',
      messageId: String(sent.at(-1)?.inner._msg_id),
      result: null,
      failure: undefined,
      ending: true,
      uniqueId: undefined,
      ...more,
    });
  return { client, sent, strays, call, reply };
}

describe('a call', () => {
  it('is sent as oslo.messaging sends it', async () => {
    const { sent, call, reply } = setUp();
    const answered = call();
    reply({ result: 7 });
    await expect(answered).resolves.toBe(7);
    expect(sent[0]?.outgoing).toMatchObject({
      exchange: { name: 'neutron' },
      routingKey: 't',
      mandatory: false,
      expiration: 5000,
    });
    expect(sent[0]?.inner).toMatchObject({
      method: 'm',
      args: { a: 1 },
      version: '1.3',
      _reply_q: 'reply_mine',
      _timeout: null,
      _context_is_admin: true,
    });
    expect(sent[0]?.inner).not.toHaveProperty('namespace');
  });

  it('takes a null result for an answer', async () => {
    const { call, reply } = setUp();
    const answered = call();
    reply({});
    await expect(answered).resolves.toBeNull();
  });

  it('rejects with what the server raised', async () => {
    const { call, reply } = setUp();
    const answered = call();
    reply({ failure: new RemoteError('PortNotFound', 'neutron_lib.exceptions', 'gone', ['tb']) });
    await expect(answered).rejects.toMatchObject({
      remoteClass: 'PortNotFound',
      module: 'neutron_lib.exceptions',
      traceback: ['tb'],
    });
  });

  it('takes the two messages of an old server as one answer', async () => {
    const { call, reply } = setUp();
    const answered = call();
    reply({ result: 'first', ending: false });
    reply({});
    await expect(answered).resolves.toBe('first');
  });

  it('waits on while the server says that it is still working', async () => {
    const { call, reply, client } = setUp();
    const answered = call();
    reply({ ending: false });
    expect(client.pending).toBe(1);
    reply({ result: 1 });
    await expect(answered).resolves.toBe(1);
  });

  it('times out by its own timeout without growing that of the method', async () => {
    const { call, sent } = setUp();
    await expect(call({ timeoutMs: 5 })).rejects.toMatchObject({
      code: 'call-timed-out',
      topic: 't',
      method: 'm',
      timeoutMs: 5,
    });
    call().catch(() => undefined);
    expect(sent.at(-1)?.outgoing.expiration).toBe(5000);
  });

  it('waits twice as long after a timeout', async () => {
    const { call, sent } = setUp(undefined, 5);
    await expect(call()).rejects.toMatchObject({ code: 'call-timed-out' });
    await expect(call()).rejects.toMatchObject({ timeoutMs: 10 });
    expect(sent.map(({ outgoing }) => outgoing.expiration)).toEqual([5, 10]);
  });

  it('fails when the messaging is closed', async () => {
    const { call, client } = setUp();
    const answered = call();
    client.close();
    await expect(answered).rejects.toMatchObject({ code: 'messaging-closed' });
    await expect(call()).rejects.toMatchObject({ code: 'messaging-closed' });
  });

  it('is abandoned when its signal aborts', async () => {
    const { call, client } = setUp();
    const stop = new AbortController();
    const answered = call({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(answered).rejects.toThrow('enough');
    expect(client.pending).toBe(0);
  });

  it('that is idempotent is offered again while no server listens', async () => {
    let offers = 0;
    const { call, reply, sent } = setUp(async () => {
      offers += 1;
      if (offers === 1) throw new MessageUndeliverable('neutron', 't');
      setImmediate(() => reply({ result: 'late' }));
    });
    await expect(call({ idempotent: true })).resolves.toBe('late');
    expect(sent[0]?.outgoing.mandatory).toBe(true);
  });

  it('is sent again when the reply queue was lost only if it is idempotent', () => {
    const { call, client, sent } = setUp();
    call({ idempotent: true }).catch(() => undefined);
    call().catch(() => undefined);
    client.replyQueueLost();
    expect(sent.map(({ inner }) => inner._msg_id)).toEqual([
      sent[0]?.inner._msg_id,
      sent[1]?.inner._msg_id,
      sent[0]?.inner._msg_id,
    ]);
    client.close();
  });

  it('leaves a reply that nobody waits for aside', () => {
    const { strays, reply } = setUp();
    reply({ messageId: 'old' });
    expect(strays).toEqual(['old']);
  });
});

describe('a cast', () => {
  it('for one host carries no reply address and no expiration', async () => {
    const { client, sent } = setUp();
    await client.cast({ topic: 't', host: 'h1', version: '1.0', namespace: 'n' }, 'm', {});
    expect(sent[0]?.outgoing).toMatchObject({ routingKey: 't.h1' });
    expect(sent[0]?.outgoing).not.toHaveProperty('expiration');
    expect(sent[0]?.inner).toMatchObject({ namespace: 'n' });
    expect(sent[0]?.inner).not.toHaveProperty('_msg_id');
  });

  it('to all goes to the fanout exchange of its topic', async () => {
    const { client, sent } = setUp();
    await client.fanout({ topic: 't', version: '1.0' }, 'm', {});
    expect(sent[0]?.outgoing).toMatchObject({ exchange: { name: 't_fanout', type: 'fanout' } });
  });
});
