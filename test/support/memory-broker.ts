import { EventEmitter } from 'node:events';
import type {
  AmqpConnection,
  AmqpConnector,
  AmqpMessage,
  ExchangeOptions,
  PublishOptions,
  QueueOptions,
} from '../../core/rpc/amqp';
import { MemoryChannel } from './memory-broker-channel';

export interface MemoryExchange {
  readonly type: string;
  readonly options: ExchangeOptions;
  readonly bindings: { readonly queue: string; readonly routingKey: string }[];
}

export interface MemoryConsumer {
  readonly channel: MemoryChannel;
  readonly deliver: (message: AmqpMessage | null) => void;
}

export interface MemoryQueue {
  readonly options: QueueOptions;
  readonly messages: AmqpMessage[];
  consumers: MemoryConsumer[];
}

/** An AMQP broker in memory with RabbitMQ's manners: what it refuses, what a restart loses, when it cancels and what it returns. */
export class MemoryBroker {
  readonly exchanges = new Map<string, MemoryExchange>();
  readonly queues = new Map<string, MemoryQueue>();
  /** Bindings of exchanges to exchanges. Nothing is routed along them: nobody sends to a source. */
  private links: { readonly source: string; readonly destination: string }[] = [];
  readonly connections = new Set<MemoryConnection>();
  blocked = false;
  /** Every connection attempt: host and connection name. */
  readonly attempts: string[] = [];
  private reachable: (host: string) => boolean = () => true;

  readonly connect: AmqpConnector = async ({ endpoint, connectionName }) => {
    await turn();
    this.attempts.push(`${endpoint.host} ${connectionName}`);
    if (!this.reachable(endpoint.host)) throw new Error(`connect ECONNREFUSED ${endpoint.host}`);
    const connection = new MemoryConnection(this);
    this.connections.add(connection);
    return connection;
  };

  /** Which hosts answer from now on. */
  answerOn(reachable: (host: string) => boolean): void {
    this.reachable = reachable;
  }

  closeConnections(reason = 'CONNECTION_FORCED - closed by the test'): void {
    for (const connection of [...this.connections]) connection.end(new Error(reason));
  }

  /** Everything that is not durable is gone. */
  restart(): void {
    this.closeConnections('the broker restarts');
    for (const [name, { options }] of this.queues) if (!options.durable) this.dropQueue(name);
    for (const [name, { options }] of this.exchanges) if (!options.durable) this.deleteExchange(name);
  }

  setBlocked(blocked: boolean): void {
    this.blocked = blocked;
    for (const connection of this.connections) connection.emit(blocked ? 'blocked' : 'unblocked', 'low on memory');
    if (!blocked) for (const connection of this.connections) connection.flush();
  }

  dropQueue(name: string): void {
    const queue = this.queues.get(name);
    this.queues.delete(name);
    for (const { deliver } of queue?.consumers ?? []) deliver(null);
    for (const [exchangeName, exchange] of this.exchanges) {
      this.unbind(exchangeName, exchange, (binding) => binding.queue === name);
    }
  }

  unbind(
    name: string,
    exchange: MemoryExchange,
    matches: (binding: { queue: string; routingKey: string }) => boolean,
  ): void {
    const left = exchange.bindings.filter((binding) => !matches(binding));
    const removed = left.length < exchange.bindings.length;
    exchange.bindings.splice(0, exchange.bindings.length, ...left);
    if (removed && left.length === 0 && exchange.options.autoDelete) this.deleteExchange(name);
  }

  link(source: string, destination: string): void {
    if (this.links.some((link) => link.source === source && link.destination === destination)) return;
    this.links.push({ source, destination });
  }

  /** Its bindings go with it, and with its last binding each exchange that deletes itself. */
  deleteExchange(name: string): void {
    this.exchanges.delete(name);
    const sources = this.links.filter(({ destination }) => destination === name).map(({ source }) => source);
    this.links = this.links.filter(({ source, destination }) => source !== name && destination !== name);
    for (const source of sources) {
      const isBound = this.links.some((link) => link.source === source);
      if (!isBound && this.exchanges.get(source)?.options.autoDelete) this.deleteExchange(source);
    }
  }

  /** False if no queue takes the message; throws nothing for a missing exchange, the channel checks that. */
  route(exchangeName: string, routingKey: string, content: Buffer, properties: PublishOptions): boolean {
    const message: AmqpMessage = { content, fields: { exchange: exchangeName, routingKey }, properties };
    const names =
      exchangeName === ''
        ? [routingKey]
        : (this.exchanges.get(exchangeName)?.bindings ?? [])
            .filter(
              (binding) => this.exchanges.get(exchangeName)?.type === 'fanout' || binding.routingKey === routingKey,
            )
            .map(({ queue }) => queue);
    const queues = [...new Set(names)].map((name) => this.queues.get(name)).filter((queue) => queue !== undefined);
    for (const queue of queues) {
      queue.messages.push(message);
      deliverAll(queue);
    }
    return queues.length > 0;
  }
}

/** Round-robin over consumers, as RabbitMQ does. */
export function deliverAll(queue: MemoryQueue): void {
  while (queue.messages.length > 0 && queue.consumers.length > 0) {
    const message = queue.messages.shift();
    const consumer = queue.consumers.shift();
    if (!message || !consumer) return;
    queue.consumers.push(consumer);
    setImmediate(() => {
      if (consumer.channel.open) consumer.deliver(message);
      else queue.messages.push(message);
    });
  }
}

export class MemoryConnection extends EventEmitter implements AmqpConnection {
  readonly channels = new Set<MemoryChannel>();
  open = true;

  constructor(readonly broker: MemoryBroker) {
    super();
  }

  async createConfirmChannel(): Promise<MemoryChannel> {
    await turn();
    if (!this.open) throw new Error('Connection closed');
    const channel = new MemoryChannel(this);
    this.channels.add(channel);
    return channel;
  }

  async close(): Promise<void> {
    await turn();
    this.end();
  }

  end(reason?: Error): void {
    if (!this.open) return;
    this.open = false;
    this.broker.connections.delete(this);
    for (const channel of [...this.channels]) channel.end();
    this.emit('close', reason);
  }

  flush(): void {
    for (const channel of this.channels) channel.flush();
  }
}

/** A round trip to the broker. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
