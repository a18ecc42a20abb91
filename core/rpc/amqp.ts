import * as amqplib from 'amqplib';
import { tlsOptions } from './options';
import type { RabbitOptions } from './rabbit-options';
import type { BrokerEndpoint } from './transport-url';

export interface AmqpMessage {
  readonly content: Buffer;
  readonly fields: { readonly exchange: string; readonly routingKey: string };
  readonly properties: {
    readonly messageId?: string | undefined;
    readonly headers?: Readonly<Record<string, unknown>> | undefined;
  };
}

export interface ExchangeOptions {
  readonly durable: boolean;
  readonly autoDelete: boolean;
}

export interface QueueOptions {
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusive: boolean;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

export interface PublishOptions {
  readonly mandatory?: boolean;
  readonly expiration?: string;
  readonly messageId?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly deliveryMode?: number;
  readonly priority?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The part of an AMQP 0-9-1 channel that is used here; amqplib's confirm channel is one, and so is the tests' in-memory broker's. */
export interface AmqpChannel {
  assertExchange(name: string, type: string, options: ExchangeOptions): Promise<unknown>;
  checkExchange(name: string): Promise<unknown>;
  assertQueue(name: string, options: QueueOptions): Promise<unknown>;
  checkQueue(name: string): Promise<{ readonly messageCount: number; readonly consumerCount: number }>;
  deleteQueue(name: string, options?: { readonly ifUnused?: boolean }): Promise<unknown>;
  bindQueue(queue: string, exchange: string, routingKey: string): Promise<unknown>;
  unbindQueue(queue: string, exchange: string, routingKey: string): Promise<unknown>;
  /** Messages of `source` come to `destination` too (RabbitMQ's extension of AMQP 0-9-1). */
  bindExchange(destination: string, source: string, routingKey: string): Promise<unknown>;
  prefetch(count: number): Promise<unknown>;
  consume(
    queue: string,
    deliver: (message: AmqpMessage | null) => void,
    options: { readonly noAck: boolean; readonly arguments?: Readonly<Record<string, unknown>> },
  ): Promise<unknown>;
  ack(message: AmqpMessage): void;
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: PublishOptions,
    confirmed: (reason: unknown) => void,
  ): boolean;
  close(): Promise<unknown>;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (reason: Error) => void): unknown;
  on(event: 'return', listener: (message: AmqpMessage) => void): unknown;
}

export interface AmqpConnection {
  createConfirmChannel(): Promise<AmqpChannel>;
  close(): Promise<unknown>;
  on(event: 'close', listener: (reason?: Error) => void): unknown;
  on(event: 'error', listener: (reason: Error) => void): unknown;
  on(event: 'blocked', listener: (reason: string) => void): unknown;
  on(event: 'unblocked', listener: () => void): unknown;
}

export interface ConnectTarget {
  readonly endpoint: BrokerEndpoint;
  readonly virtualHost: string;
  readonly connectionName: string;
  readonly options: RabbitOptions;
}

/** Opens one connection to one broker, or rejects. */
export type AmqpConnector = (target: ConnectTarget) => Promise<AmqpConnection>;

/** A broker that has not finished the AMQP handshake by then is passed over for the next one. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The real one: amqplib. */
export const connectRabbit: AmqpConnector = async ({ endpoint, virtualHost, connectionName, options }) => {
  const tls = tlsOptions(options);
  const connection = await amqplib.connect(
    {
      protocol: tls ? 'amqps' : 'amqp',
      hostname: endpoint.host,
      port: endpoint.port,
      username: endpoint.username,
      password: endpoint.password,
      vhost: encodeURIComponent(virtualHost),
      heartbeat: options.heartbeat_timeout_threshold,
    },
    {
      ...tls,
      timeout: CONNECT_TIMEOUT_MS,
      noDelay: true,
      keepAlive: true,
      credentials: credentials(endpoint, options),
      clientProperties: { connection_name: connectionName },
    },
  );
  return connection as unknown as AmqpConnection;
};

function credentials({ username, password }: BrokerEndpoint, options: RabbitOptions) {
  switch (options.rabbit_login_method) {
    case 'EXTERNAL':
      return amqplib.credentials.external();
    case 'PLAIN':
      return amqplib.credentials.plain(username, password);
    default:
      return amqplib.credentials.amqplain(username, password);
  }
}
