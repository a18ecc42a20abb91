import { z } from 'zod';

/**
 * What becomes of an option: `honoured`; `meaningless` (accepted, without effect, because what it tunes does not exist here);
 * `refused` (a value other than those allowed stops the start, because ignoring it would break what the operator relies on).
 */
export type RabbitOptionVerdict = 'honoured' | 'meaningless' | 'refused';

export interface RabbitOption {
  readonly name: string;
  readonly verdict: RabbitOptionVerdict;
  readonly reason: string;
  /** Accepts what a configuration file or a transport_url query holds (text) and what a program gives; has oslo.messaging's default. */
  readonly schema: z.ZodType;
}

/** oslo.config's spellings of a boolean. */
const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  on: true,
  yes: true,
  false: false,
  '0': false,
  off: false,
  no: false,
};

const boolean = (fallback: boolean) =>
  z
    .preprocess(
      (given) => {
        if (typeof given === 'string') return WORDS[given.trim().toLowerCase()] ?? given;
        return given === 1 ? true : given === 0 ? false : given;
      },
      z.boolean({ error: 'is no boolean: write true or false' }),
    )
    .default(fallback);

const number = (fallback: number, what: z.ZodNumber) =>
  z
    .preprocess((given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given), what)
    .default(fallback);

const notNegative = () => z.number({ error: 'is no number' }).min(0, 'must not be negative');
const whole = () => notNegative().int('must be a whole number');

const path = () => z.string().default('');
const choice = <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` }).default(fallback as never);
const onlyFalse = (why: string) => boolean(false).refine((value) => value === false, why);

/** Every option of [oslo_messaging_rabbit] from Zed to 2026.1. */
const shape = {
  ssl: boolean(false),
  ssl_version: choice(['', 'TLSv1', 'TLSv1_1', 'TLSv1_2', 'SSLv23'], ''),
  ssl_key_file: path(),
  ssl_cert_file: path(),
  ssl_ca_file: path(),
  ssl_enforce_hostname_verification: boolean(true),
  ssl_enforce_fips_mode: onlyFalse(
    'FIPS mode belongs to the OpenSSL of the Node.js process: start node with --enable-fips',
  ),
  heartbeat_timeout_threshold: number(60, whole()),
  heartbeat_rate: number(3, whole()),
  heartbeat_in_pthread: boolean(false),
  rabbit_login_method: choice(['AMQPLAIN', 'PLAIN', 'EXTERNAL'], 'AMQPLAIN'),
  rabbit_retry_interval: number(1, notNegative()),
  rabbit_retry_backoff: number(2, notNegative()),
  rabbit_interval_max: number(30, notNegative()),
  kombu_reconnect_delay: number(1, notNegative()),
  kombu_reconnect_splay: number(0, notNegative()),
  kombu_compression: choice(['', 'gzip', 'zlib'], ''),
  kombu_missing_consumer_retry_timeout: number(60, whole()),
  kombu_failover_strategy: choice(['round-robin', 'shuffle'], 'round-robin'),
  amqp_durable_queues: boolean(false),
  amqp_auto_delete: boolean(false),
  rabbit_ha_queues: boolean(false),
  rabbit_quorum_queue: boolean(false),
  rabbit_transient_quorum_queue: boolean(false),
  rabbit_quorum_delivery_limit: number(0, whole()),
  rabbit_quorum_max_memory_length: number(0, whole()),
  rabbit_quorum_max_memory_bytes: number(0, whole()),
  rabbit_quroum_max_memory_length: number(0, whole()),
  rabbit_quroum_max_memory_bytes: number(0, whole()),
  rabbit_transient_queues_ttl: number(1800, whole()),
  rabbit_qos_prefetch_count: number(0, whole()),
  rabbit_stream_fanout: boolean(false),
  direct_mandatory_flag: boolean(true),
  enable_cancel_on_failover: boolean(false),
  use_queue_manager: boolean(false),
  hostname: z.string().default(''),
  processname: z.string().default('patchbay'),
  rpc_conn_pool_size: number(30, whole()),
  conn_pool_min_size: number(2, whole()),
  conn_pool_ttl: number(1200, whole()),
} as const;

export type RabbitOptionName = keyof typeof shape;
export const rabbitOptionShape = z.strictObject(shape);
export type RabbitOptions = Readonly<z.infer<typeof rabbitOptionShape>>;

const honoured = (reason: string) => ({ verdict: 'honoured', reason }) as const;
const meaningless = (reason: string) => ({ verdict: 'meaningless', reason }) as const;
const refused = (reason: string) => ({ verdict: 'refused', reason }) as const;

const NO_POOL = 'there is no pool: one connection consumes and one publishes, whatever the load';
const SHARED_ONLY = 'argument of the shared queue <topic> of an RPC server; the queues of an agent are transient';

const verdicts: Record<RabbitOptionName, { readonly verdict: RabbitOptionVerdict; readonly reason: string }> = {
  ssl: honoured('TLS to every broker of the transport_url'),
  ssl_version: honoured(
    'the one TLS version offered; SSLv23 and an empty value leave the choice to the two sides; SSLv2 and SSLv3 are gone',
  ),
  ssl_key_file: honoured('key of the client certificate'),
  ssl_cert_file: honoured('client certificate'),
  ssl_ca_file: honoured(
    'the broker is verified against it; without it TLS encrypts and verifies nothing, as in oslo.messaging',
  ),
  ssl_enforce_hostname_verification: honoured(
    'the certificate must name the host of the transport_url, if ssl_ca_file is set',
  ),
  ssl_enforce_fips_mode: refused('FIPS mode belongs to the OpenSSL of the Node.js process'),
  heartbeat_timeout_threshold: honoured(
    'offered as the AMQP heartbeat, in seconds; the broker may lower it; 0 turns it off',
  ),
  heartbeat_rate: meaningless('the AMQP library sends two heartbeats in each interval by itself'),
  heartbeat_in_pthread: meaningless('the event loop serves heartbeats; there is no thread to choose'),
  rabbit_login_method: honoured(
    'AMQPLAIN, PLAIN or EXTERNAL; RABBIT-CR-DEMO is refused: a demonstration mechanism that no broker enables',
  ),
  rabbit_retry_interval: honoured(
    'seconds after the first round over all brokers; up to half of each pause is taken off by chance, and a lost connection is made again after up to this long',
  ),
  rabbit_retry_backoff: honoured('seconds added at each further round'),
  rabbit_interval_max: honoured('longest pause between rounds, in seconds'),
  kombu_reconnect_delay: honoured('seconds before consumers are set up again after the broker cancelled them'),
  kombu_reconnect_splay: honoured('random seconds added to kombu_reconnect_delay'),
  kombu_compression: honoured('gzip (which in kombu is zlib) both ways; bz2, lzma and zstd are refused'),
  kombu_missing_consumer_retry_timeout: honoured(
    'seconds during which a reply is offered again while its queue is missing',
  ),
  kombu_failover_strategy: honoured('which broker of the transport_url is tried next'),
  amqp_durable_queues: honoured(
    'of the exchange `neutron` and of a shared queue; the queues of an agent are transient and resynchronised instead',
  ),
  amqp_auto_delete: honoured('of the exchange `neutron` and of a shared queue'),
  rabbit_ha_queues: honoured('x-ha-policy on every queue; RabbitMQ ignores it since 3.0 and wants a policy'),
  rabbit_quorum_queue: honoured(SHARED_ONLY),
  rabbit_transient_quorum_queue: honoured(
    'reply and notification queue become durable quorum queues, fanout exchanges durable',
  ),
  rabbit_quorum_delivery_limit: honoured('x-delivery-limit of quorum queues'),
  rabbit_quorum_max_memory_length: honoured('x-max-in-memory-length of quorum queues'),
  rabbit_quorum_max_memory_bytes: honoured('x-max-in-memory-bytes of quorum queues'),
  rabbit_quroum_max_memory_length: honoured("Zed's spelling of rabbit_quorum_max_memory_length"),
  rabbit_quroum_max_memory_bytes: honoured("Zed's spelling of rabbit_quorum_max_memory_bytes"),
  rabbit_transient_queues_ttl: honoured('x-expires of reply and notification queue, in seconds; 0 lets them stay'),
  rabbit_qos_prefetch_count: honoured('prefetch of the consuming channel'),
  rabbit_stream_fanout: meaningless(
    'the server still publishes to the exchange <topic>_fanout, to which our one queue is bound; no stream is read, a resynchronisation takes its place',
  ),
  direct_mandatory_flag: honoured('replies are mandatory, so that a missing reply queue is noticed'),
  enable_cancel_on_failover: honoured(
    'x-cancel-on-ha-failover on consumers of mirrored queues; a cancelled consumer is set up again',
  ),
  use_queue_manager: honoured(
    'queue names are <hostname>:<processname>:1 instead of random, and the queues stay when the process ends',
  ),
  hostname: honoured('first part of queue names with use_queue_manager; the host name of the machine if empty'),
  processname: honoured('second part of queue names with use_queue_manager; two agents on one host need two'),
  rpc_conn_pool_size: meaningless(NO_POOL),
  conn_pool_min_size: meaningless(NO_POOL),
  conn_pool_ttl: meaningless(NO_POOL),
};

/** Every option with its verdict, in the order of the documentation. */
export const rabbitOptions: readonly RabbitOption[] = (Object.keys(shape) as RabbitOptionName[]).map((name) => ({
  name,
  schema: shape[name],
  ...verdicts[name],
}));
