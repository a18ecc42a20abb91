import { parseTransportUrl, redactTransportUrl, type TransportUrlError } from '../../../core/rpc';

describe('transport_url', () => {
  it('reads several hosts with credentials of their own, a virtual host and overrides', () => {
    expect(parseTransportUrl('rabbit://u1:p1@h1:5671,u2:p2@h2/neutron?ssl=1&rabbit_quorum_queue=true')).toEqual({
      endpoints: [
        { host: 'h1', port: 5671, username: 'u1', password: 'p1' },
        { host: 'h2', port: 5672, username: 'u2', password: 'p2' },
      ],
      virtualHost: 'neutron',
      query: { ssl: '1', rabbit_quorum_queue: 'true' },
    });
  });

  it('reads bracketed IPv6 addresses', () => {
    const { endpoints } = parseTransportUrl('rabbit://u:p@[2001:db8::1]:5673,u:p@[::1]/');
    expect(endpoints.map(({ host, port }) => [host, port])).toEqual([
      ['2001:db8::1', 5673],
      ['::1', 5672],
    ]);
  });

  it('decodes percent-encoding in user, password and virtual host', () => {
    const { endpoints, virtualHost } = parseTransportUrl('rabbit://a%40b:p%3A%2F%40%2C%23@h/%2Fneutron');
    expect(endpoints[0]).toMatchObject({ username: 'a@b', password: 'p:/@,#' });
    expect(virtualHost).toBe('/neutron');
  });

  it.each(['rabbit://', 'rabbit:///'])('takes %s as the local broker with its default account', (text) => {
    expect(parseTransportUrl(text)).toEqual({
      endpoints: [{ host: 'localhost', port: 5672, username: 'guest', password: 'guest' }],
      virtualHost: '/',
      query: {},
    });
  });

  it('joins an override given twice by a comma', () => {
    expect(parseTransportUrl('rabbit://h/?a=1&a=2').query).toEqual({ a: '1,2' });
  });

  it.each([
    ['amqp://h/', 'scheme'],
    ['kafka://h/', 'scheme'],
    ['h:5672', 'scheme'],
    ['rabbit://u:p@h:no/', 'port'],
    ['rabbit://u:p@h:0/', 'port'],
    ['rabbit://u:p@2001:db8::1/', 'host'],
    ['rabbit://u:p@[::1/', 'host'],
    ['rabbit://u:se#cret@h/', 'password'],
    ['rabbit://u:se%zzcret@h/', 'password'],
    ['rabbit://u:12/secret@h/', 'password'],
  ])('refuses %s and names the %s', (text, field) => {
    expect(() => parseTransportUrl(text)).toThrow(expect.objectContaining({ code: 'transport-url-invalid', field }));
  });

  it.each([
    'rabbit://u:secret@h:x/',
    'rabbit://u:secret/part@h/',
    'rabbit://u:secret#@h/',
    'rabbit://u:sec%ret@h/',
  ])('never puts the password of %s into an error', (text) => {
    let message = '';
    try {
      parseTransportUrl(text);
    } catch (reason) {
      message = (reason as TransportUrlError).message;
    }
    expect(message).not.toMatch(/sec/);
  });

  it('is printed without passwords', () => {
    expect(redactTransportUrl('rabbit://u1:secret@h1:5671,u2:secret@[::1]/v?ssl=1')).toBe(
      'rabbit://u1:***@h1:5671,u2:***@[::1]:5672/v?ssl=1',
    );
  });

  it('loses everything before the last @ when it cannot be read', () => {
    expect(redactTransportUrl('rabbit://u:sec/ret#@h:x/')).toBe('rabbit://***@h:x/');
    expect(redactTransportUrl('complete nonsense')).toBe('***');
  });
});
