import { agentContext } from '../../../core/rpc';
import { DEFLATED, decodeMessage, deflated, encodeReply, encodeRequest } from '../../../core/rpc/envelope';
import { bodyOf, recorded, recordedMessages } from '../../support/recorded-messages';

const wrapped = (inner: unknown) =>
  Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) }));

describe('the envelope', () => {
  it.each(recordedMessages.map(({ name }) => name))('of the recorded %s is read', (name) => {
    const message = recorded(name);
    const decoded = decodeMessage(bodyOf(message));
    expect(decoded.kind).toBe(message.exchange === '' ? 'reply' : 'request');
    expect(decoded.uniqueId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('of a call has the keys that the reference agent writes', () => {
    const body = encodeRequest({
      method: 'has_alive_neutron_server',
      args: {},
      version: '1.2',
      namespace: undefined,
      context: agentContext(),
      reply: { queue: 'reply_x', messageId: 'y' },
    });
    const ours = Object.keys(JSON.parse(JSON.parse(body)['oslo.message']));
    const theirs = Object.keys(JSON.parse(recorded('has-alive-call').body['oslo.message']));
    expect(theirs.filter((key) => !ours.includes(key))).toEqual([]);
  });

  it('carries context, namespace and reply address of a call there and back', () => {
    const fields = {
      method: 'm',
      args: { a: [1] },
      version: '1.1',
      namespace: 'trunk',
      context: { is_admin: true, roles: ['admin'] },
      reply: { queue: 'reply_q', messageId: 'id' },
      callMonitorTimeout: 30,
    };
    expect(decodeMessage(Buffer.from(encodeRequest(fields)))).toMatchObject({ kind: 'request', ...fields });
  });

  it('carries a failure there and back', () => {
    const decoded = decodeMessage(Buffer.from(encodeReply('id', { failure: new TypeError('bad') })));
    expect(decoded).toMatchObject({
      messageId: 'id',
      ending: true,
      failure: { remoteClass: 'TypeError', module: 'patchbay', message: 'bad' },
    });
  });

  it('takes a body without an envelope as a bare message of version 1.0', () => {
    expect(decodeMessage(Buffer.from('{"method":"m"}'))).toMatchObject({ method: 'm', version: '1.0', args: {} });
  });

  it('takes any minor of its own major version', () => {
    const body = Buffer.from(JSON.stringify({ 'oslo.version': '2.7', 'oslo.message': '{"method":"m"}' }));
    expect(decodeMessage(body)).toMatchObject({ method: 'm' });
  });

  it('inflates what kombu deflated', () => {
    expect(decodeMessage(deflated(wrapped({ method: 'm' })), DEFLATED)).toMatchObject({ method: 'm' });
  });

  it.each([
    ['no JSON', Buffer.from('{'), 'body'],
    ['a list', Buffer.from('[]'), 'body'],
    ['another version', Buffer.from('{"oslo.version":"3.0","oslo.message":"{}"}'), 'oslo.version'],
    ['an inner object', Buffer.from('{"oslo.version":"2.0","oslo.message":{}}'), 'oslo.message'],
    ['inner text that is no JSON', Buffer.from('{"oslo.version":"2.0","oslo.message":"x"}'), 'oslo.message'],
    ['args that are no object', wrapped({ method: 'm', args: [] }), 'args'],
    ['a call without reply queue', wrapped({ method: 'm', _msg_id: 'x' }), '_reply_q'],
    ['a version that is a number', wrapped({ method: 'm', version: 1 }), 'version'],
    ['neither method nor reply', wrapped({}), 'method'],
  ])('with %s is refused by field', (_, body, field) => {
    expect(() => decodeMessage(body)).toThrow(expect.objectContaining({ code: 'envelope-invalid', field }));
  });

  it('of an unknown compression is refused by field', () => {
    const field = 'headers.compression';
    expect(() => decodeMessage(Buffer.from(''), 'application/x-bz2')).toThrow(expect.objectContaining({ field }));
  });
});
