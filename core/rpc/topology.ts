import type { AmqpChannel, AmqpConnection, ExchangeOptions, QueueOptions } from './amqp';
import type { RabbitOptions } from './rabbit-options';

/** Where a message is published, or a queue bound. */
export interface Exchange {
  readonly name: string;
  readonly type: 'topic' | 'fanout';
  readonly options: ExchangeOptions;
}

/** The exchange `neutron` (control_exchange), as oslo.messaging declares it. */
export function controlExchange(name: string, options: RabbitOptions): Exchange {
  return {
    name,
    type: 'topic',
    options: {
      durable: options.amqp_durable_queues || options.rabbit_quorum_queue,
      autoDelete: options.amqp_auto_delete,
    },
  };
}

/** The exchange `<topic>_fanout`: gone with its last queue. */
export function fanoutExchange(topic: string, options: RabbitOptions): Exchange {
  return {
    name: `${topic}_fanout`,
    type: 'fanout',
    options: { durable: options.rabbit_transient_quorum_queue, autoDelete: true },
  };
}

/** A queue of one process: it outlives a lost connection by rabbit_transient_queues_ttl, and no broker restart. */
export function transientQueue(options: RabbitOptions): QueueOptions {
  const quorum = options.rabbit_transient_quorum_queue;
  const ttl = options.rabbit_transient_queues_ttl;
  return {
    durable: quorum,
    autoDelete: false,
    exclusive: false,
    arguments: {
      ...haArguments(options),
      ...(quorum ? quorumArguments(options) : {}),
      ...(ttl > 0 ? { 'x-expires': ttl * 1000 } : {}),
    },
  };
}

/** The queue `<topic>` that the workers of an RPC server share. */
export function sharedQueue(options: RabbitOptions): QueueOptions {
  const quorum = options.rabbit_quorum_queue;
  return {
    durable: options.amqp_durable_queues || quorum,
    autoDelete: options.amqp_auto_delete,
    exclusive: false,
    arguments: { ...haArguments(options), ...(quorum ? quorumArguments(options) : {}) },
  };
}

function haArguments(options: RabbitOptions): Record<string, unknown> {
  return options.rabbit_ha_queues ? { 'x-ha-policy': 'all' } : {};
}

function quorumArguments(options: RabbitOptions): Record<string, unknown> {
  const length = options.rabbit_quorum_max_memory_length || options.rabbit_quroum_max_memory_length;
  const bytes = options.rabbit_quorum_max_memory_bytes || options.rabbit_quroum_max_memory_bytes;
  return {
    'x-queue-type': 'quorum',
    ...(options.rabbit_quorum_delivery_limit > 0 ? { 'x-delivery-limit': options.rabbit_quorum_delivery_limit } : {}),
    ...(length > 0 ? { 'x-max-in-memory-length': length } : {}),
    ...(bytes > 0 ? { 'x-max-in-memory-bytes': bytes } : {}),
  };
}

/** AMQP 0-9-1 reply codes that matter here. */
export const NOT_FOUND = 404;
export const PRECONDITION_FAILED = 406;

/** The AMQP reply code of a failed channel operation, if it is one. */
export function replyCode(reason: unknown): number | undefined {
  const code = typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** A channel whose errors are taken from the rejected operations; the event would otherwise end the process. */
export async function openChannel(connection: AmqpConnection): Promise<AmqpChannel> {
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => undefined);
  return channel;
}

/**
 * Declares exchanges on channels of its own, since a refusal closes the channel. When an exchange exists with the other durability
 * (or other attributes altogether) the existing one is taken as it is and `onMismatch` is told.
 */
export class ExchangeDeclarer {
  private readonly declared = new Map<string, Promise<void>>();

  constructor(
    private readonly connection: AmqpConnection,
    private readonly onMismatch: (exchange: Exchange) => void,
  ) {}

  declare(exchange: Exchange): Promise<void> {
    const known = this.declared.get(exchange.name);
    if (known) return known;
    const declaring = this.attempt(exchange);
    this.declared.set(exchange.name, declaring);
    declaring.catch(() => this.declared.delete(exchange.name));
    return declaring;
  }

  /** The exchange may be gone: one that deletes itself goes with its last binding. */
  forget({ name }: Exchange): void {
    this.declared.delete(name);
  }

  private async attempt({ name, type, options }: Exchange): Promise<void> {
    const same = (channel: AmqpChannel) => channel.assertExchange(name, type, options);
    const other = (channel: AmqpChannel) =>
      channel.assertExchange(name, type, { ...options, durable: !options.durable });
    const present = (channel: AmqpChannel) => channel.checkExchange(name);
    try {
      await onOwnChannel(this.connection, same);
    } catch (refusal) {
      if (replyCode(refusal) !== PRECONDITION_FAILED) throw refusal;
      this.onMismatch({ name, type, options });
      await onOwnChannel(this.connection, other).catch((again) => {
        if (replyCode(again) !== PRECONDITION_FAILED) throw again;
        return onOwnChannel(this.connection, present);
      });
    }
  }
}

/** Runs one operation on a fresh channel and closes it. */
export async function onOwnChannel<T>(
  connection: AmqpConnection,
  operation: (channel: AmqpChannel) => Promise<T>,
): Promise<T> {
  const channel = await openChannel(connection);
  const outcome = await operation(channel);
  await channel.close();
  return outcome;
}
