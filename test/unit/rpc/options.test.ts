import { parseTransportUrl, rabbitOptions, resolveRabbitOptions } from '../../../core/rpc';
import { tlsOptions } from '../../../core/rpc/options';
import { controlExchange, fanoutExchange, sharedQueue, transientQueue } from '../../../core/rpc/topology';

const resolved = (given: Record<string, unknown> = {}) => resolveRabbitOptions(given).options;

describe('oslo_messaging_rabbit options', () => {
  it('have the defaults of oslo.messaging', () => {
    expect(resolved()).toMatchObject({
      rabbit_retry_interval: 1,
      rabbit_retry_backoff: 2,
      rabbit_interval_max: 30,
      heartbeat_timeout_threshold: 60,
      rabbit_transient_queues_ttl: 1800,
      rabbit_login_method: 'AMQPLAIN',
      direct_mandatory_flag: true,
      ssl: false,
    });
  });

  it('are read from text as oslo.config writes it', () => {
    expect(
      resolved({ ssl: 'Yes', amqp_durable_queues: 'True', rabbit_retry_interval: '3', kombu_reconnect_delay: '0.5' }),
    ).toMatchObject({
      ssl: true,
      amqp_durable_queues: true,
      rabbit_retry_interval: 3,
      kombu_reconnect_delay: 0.5,
    });
  });

  it('are overridden by the query of the transport_url', () => {
    const url = parseTransportUrl('rabbit://h/?ssl=1&heartbeat_timeout_threshold=20');
    expect(resolveRabbitOptions({ ssl: false }, url).options).toMatchObject({
      ssl: true,
      heartbeat_timeout_threshold: 20,
    });
  });

  it.each([
    [{ ssl: 'maybe' }, 'option-invalid', 'ssl'],
    [{ rabbit_retry_interval: '-1' }, 'option-invalid', 'rabbit_retry_interval'],
    [{ rabbit_qos_prefetch_count: '1.5' }, 'option-invalid', 'rabbit_qos_prefetch_count'],
    [{ rabbit_login_method: 'RABBIT-CR-DEMO' }, 'option-invalid', 'rabbit_login_method'],
    [{ kombu_compression: 'bz2' }, 'option-invalid', 'kombu_compression'],
    [{ ssl_enforce_fips_mode: true }, 'option-refused', 'ssl_enforce_fips_mode'],
    [{ rabbit_hosts: 'h' }, 'option-invalid', 'rabbit_hosts'],
  ])('refuse %j by name', (given, code, field) => {
    expect(() => resolveRabbitOptions(given)).toThrow(expect.objectContaining({ code, field }));
  });

  it('name those that were set and have no effect', () => {
    expect(resolveRabbitOptions({ rpc_conn_pool_size: 10, ssl: false }).meaningless).toEqual(['rpc_conn_pool_size']);
  });

  it('have a verdict and a reason each', () => {
    for (const { name, verdict, reason } of rabbitOptions) {
      expect([name, ['honoured', 'meaningless', 'refused'].includes(verdict), reason.length > 10]).toEqual([
        name,
        true,
        true,
      ]);
    }
  });

  it('verify the broker when a CA is given, and the host name unless told otherwise', () => {
    const given = { ssl: true, ssl_ca_file: __filename };
    expect(tlsOptions(resolved(given))).toMatchObject({ rejectUnauthorized: true });
    expect(tlsOptions(resolved(given))).not.toHaveProperty('checkServerIdentity');
    expect(tlsOptions(resolved({ ...given, ssl_enforce_hostname_verification: false }))).toHaveProperty(
      'checkServerIdentity',
    );
    expect(tlsOptions(resolved({ ssl: true, ssl_version: 'TLSv1_2' }))).toEqual({
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
    });
    expect(tlsOptions(resolved())).toBeUndefined();
  });

  it('name the TLS file that cannot be read', () => {
    expect(() => tlsOptions(resolved({ ssl: true, ssl_ca_file: '/nowhere/ca.pem' }))).toThrow(
      expect.objectContaining({ field: 'ssl_ca_file' }),
    );
  });
});

describe('what is declared on the broker', () => {
  it('is transient with an expiry by default', () => {
    expect(transientQueue(resolved())).toEqual({
      durable: false,
      autoDelete: false,
      exclusive: false,
      arguments: { 'x-expires': 1_800_000 },
    });
    expect(controlExchange('neutron', resolved())).toEqual({
      name: 'neutron',
      type: 'topic',
      options: { durable: false, autoDelete: false },
    });
    expect(fanoutExchange('t', resolved())).toEqual({
      name: 't_fanout',
      type: 'fanout',
      options: { durable: false, autoDelete: true },
    });
  });

  it('follows the quorum options', () => {
    const options = resolved({
      rabbit_quorum_queue: true,
      rabbit_transient_quorum_queue: true,
      rabbit_quorum_delivery_limit: 3,
    });
    const quorum = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 };
    expect(transientQueue(options)).toMatchObject({ durable: true, arguments: { ...quorum, 'x-expires': 1_800_000 } });
    expect(sharedQueue(options)).toMatchObject({ durable: true, arguments: quorum });
    expect(controlExchange('neutron', options).options.durable).toBe(true);
    expect(fanoutExchange('t', options).options.durable).toBe(true);
  });

  it('follows the durability and mirroring options, and expires never with a ttl of 0', () => {
    const options = resolved({ amqp_durable_queues: true, rabbit_ha_queues: true, rabbit_transient_queues_ttl: 0 });
    expect(sharedQueue(options)).toMatchObject({ durable: true, arguments: { 'x-ha-policy': 'all' } });
    expect(transientQueue(options)).toMatchObject({ durable: false, arguments: { 'x-ha-policy': 'all' } });
    expect(transientQueue(options).arguments).not.toHaveProperty('x-expires');
  });
});
