import type { RpcProblem } from '../../../core/rpc';
import { encodeRequest, type RequestFields } from '../../../core/rpc/envelope';
import type { Outgoing } from '../../../core/rpc/publisher';
import { ReplySender } from '../../../core/rpc/reply-sender';
import { Dispatcher, isCompatible } from '../../../core/rpc/server';
import { bodyOf, recorded } from '../../support/recorded-messages';

function setUp(pingEnabled = false) {
  const problems: RpcProblem[] = [];
  const replies: Record<string, unknown>[] = [];
  const publish = async ({ body, routingKey }: Outgoing) => {
    replies.push({ queue: routingKey, ...JSON.parse(JSON.parse(body)['oslo.message']) });
  };
  const dispatcher = new Dispatcher({
    controlExchange: 'neutron',
    pingEnabled,
    replies: new ReplySender({ publish, mandatory: true, patienceMs: 1000, onAbandoned: () => undefined }),
    onProblem: (problem) => problems.push(problem),
  });
  const deliver = (exchange: string, routingKey: string, content: Buffer) =>
    dispatcher.receive({ content, fields: { exchange, routingKey }, properties: {} });
  const request = (exchange: string, routingKey: string, more: Partial<RequestFields> = {}) =>
    deliver(
      exchange,
      routingKey,
      Buffer.from(encodeRequest({ method: 'm', args: {}, version: '1.0', namespace: undefined, context: {}, ...more })),
    );
  return { dispatcher, problems, replies, deliver, request };
}

const reply = { queue: 'reply_x', messageId: 'id' };

describe('the dispatcher', () => {
  it('hands a recorded push to its endpoint', () => {
    const { dispatcher, deliver, problems } = setUp();
    const push = jest.fn();
    dispatcher.add({ topic: 'neutron-vo-Port-1.7', version: '1.1' }, { push });
    const message = recorded('port-push');
    deliver(message.exchange, '', bodyOf(message));
    expect(push).toHaveBeenCalledWith(
      expect.objectContaining({ is_admin: true }),
      expect.objectContaining({ event_type: 'updated' }),
    );
    expect(problems).toEqual([]);
  });

  it('drops a message that it saw before', () => {
    const { dispatcher, deliver } = setUp();
    const push = jest.fn();
    dispatcher.add({ topic: 'neutron-vo-Port-1.7', version: '1.1' }, { push });
    const message = recorded('port-push');
    deliver(message.exchange, '', bodyOf(message));
    deliver(message.exchange, '', bodyOf(message));
    expect(push).toHaveBeenCalledTimes(1);
  });

  it('tells namespaces and versions of one topic apart', () => {
    const { dispatcher, request } = setUp();
    const called: string[] = [];
    dispatcher.add({ topic: 't', host: 'h', version: '1.2' }, { m: () => called.push('plain') });
    dispatcher.add({ topic: 't', host: 'h', version: '2.0' }, { m: () => called.push('two') });
    dispatcher.add({ topic: 't', host: 'h', version: '1.0', namespace: 'n' }, { m: () => called.push('n') });
    request('neutron', 't.h', { namespace: 'n' });
    request('neutron', 't.h', { version: '2.0' });
    request('t_fanout', '', { version: '1.2' });
    expect(called).toEqual(['n', 'two', 'plain']);
  });

  it('hands what wants no answer to every listener of its topic, and a call to the first', () => {
    const { dispatcher, request } = setUp();
    const called: string[] = [];
    dispatcher.add({ topic: 't', version: '1.1' }, { m: () => called.push('first') });
    dispatcher.add({ topic: 't', version: '1.1' }, { m: () => called.push('second'), n: () => called.push('n') });
    request('t_fanout', '');
    request('t_fanout', '', { reply });
    request('t_fanout', '', { method: 'n' });
    expect(called).toEqual(['first', 'second', 'first', 'n']);
  });

  it.each([
    ['a message for another host', 'neutron', 't.other', {}, 'message-for-another-host', 'routing key'],
    ['a topic nobody listens to', 'u_fanout', '', {}, 'unknown-topic', 'exchange'],
    ['an unknown method', 't_fanout', '', { method: 'other' }, 'method-unknown', 'method'],
    ['a newer version', 't_fanout', '', { version: '1.9' }, 'version-not-supported', 'version'],
    ['another namespace', 't_fanout', '', { namespace: 'n' }, 'version-not-supported', 'version'],
  ])('reports %s once and drops it', (_, exchange, routingKey, more, code, field) => {
    const { dispatcher, request, problems } = setUp();
    const m = jest.fn();
    dispatcher.add({ topic: 't', host: 'h', version: '1.2' }, { m });
    request(exchange, routingKey, more);
    expect(problems).toEqual([expect.objectContaining({ code, field })]);
    expect(m).not.toHaveBeenCalled();
  });

  it.each([
    '{',
    '{"oslo.version":"9.0","oslo.message":"{}"}',
    '{"_msg_id":"x","result":1}',
  ])('reports the bad envelope %s once', (body) => {
    const { deliver, problems } = setUp();
    deliver('t_fanout', '', Buffer.from(body));
    expect(problems).toEqual([expect.objectContaining({ code: 'envelope-invalid', topic: 't_fanout' })]);
  });

  it('answers a call, and a call it cannot serve with the failure of oslo.messaging', async () => {
    const { dispatcher, request, replies } = setUp();
    dispatcher.add({ topic: 't', version: '1.0' }, { m: async () => ({ fine: true }) });
    request('t_fanout', '', { reply });
    request('t_fanout', '', { reply, version: '3.0' });
    await new Promise((resolve) => setImmediate(resolve));
    const failure = expect.stringContaining('"class":"UnsupportedVersion"');
    expect(replies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          queue: 'reply_x',
          _msg_id: 'id',
          result: { fine: true },
          failure: null,
          ending: true,
        }),
        expect.objectContaining({ result: null, failure, ending: true }),
      ]),
    );
  });

  it('reports an endpoint that fails and goes on', () => {
    const { dispatcher, request, problems } = setUp();
    dispatcher.add(
      { topic: 't', version: '1.0' },
      {
        m: () => {
          throw new Error('broken');
        },
      },
    );
    request('t_fanout', '');
    request('t_fanout', '');
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['endpoint-failed', 'broken'],
      ['endpoint-failed', 'broken'],
    ]);
  });

  it('answers a ping only if asked to', () => {
    const ping = { method: 'oslo_rpc_server_ping', reply };
    for (const enabled of [true, false]) {
      const { dispatcher, request, replies, problems } = setUp(enabled);
      dispatcher.add({ topic: 't', version: '1.0' }, {});
      request('t_fanout', '', ping);
      expect(replies[0]?.result).toBe(enabled ? 'pong' : null);
      expect(problems.length).toBe(enabled ? 0 : 1);
    }
  });

  it('gives signs of life to a caller that asked for them', async () => {
    const { dispatcher, request, replies } = setUp();
    let finish = (_: unknown) => undefined as unknown;
    dispatcher.add({ topic: 't', version: '1.0' }, { m: () => new Promise((resolve) => (finish = resolve)) });
    request('t_fanout', '', { reply, callMonitorTimeout: 0.01 });
    while (replies.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    finish('done');
    while (replies.at(-1)?.ending !== true) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(replies[0]).toMatchObject({ result: null, failure: null, ending: false });
    expect(replies.at(-1)).toMatchObject({ result: 'done' });
  });

  it('no longer serves a topic that was given up', () => {
    const { dispatcher, request, problems } = setUp();
    dispatcher.add({ topic: 't', version: '1.0' }, { m: () => undefined })();
    request('t_fanout', '');
    expect(problems).toMatchObject([{ code: 'unknown-topic' }]);
  });
});

describe('version rule', () => {
  it.each([
    ['1.9', '1.6', true],
    ['1.9', '1.10', false],
    ['1.9', '1.9', true],
    ['2.0', '1.0', false],
  ])('an endpoint of %s asked in %s: %s', (offered, requested, fits) => {
    expect(isCompatible(offered, requested)).toBe(fits);
  });
});
