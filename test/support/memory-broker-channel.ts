import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { AmqpChannel, AmqpMessage, ExchangeOptions, PublishOptions, QueueOptions } from '../../core/rpc/amqp';
import { deliverAll, type MemoryConnection, turn } from './memory-broker';

/** A channel of the broker in memory. A refusal closes it, as AMQP has it. */
export class MemoryChannel extends EventEmitter implements AmqpChannel {
  open = true;
  private readonly held: (() => void)[] = [];
  private readonly unconfirmed = new Set<(reason: unknown) => void>();

  constructor(private readonly connection: MemoryConnection) {
    super();
  }

  private get broker() {
    return this.connection.broker;
  }

  async assertExchange(name: string, type: string, options: ExchangeOptions): Promise<void> {
    await this.roundTrip();
    const present = this.broker.exchanges.get(name);
    if (!present) this.broker.exchanges.set(name, { type, options, bindings: [] });
    else if (present.type !== type || !isDeepStrictEqual(present.options, options))
      this.refuse(406, `inequivalent arg for ${name}`);
  }

  async checkExchange(name: string): Promise<void> {
    await this.roundTrip();
    if (!this.broker.exchanges.has(name)) this.refuse(404, `no exchange ${name}`);
  }

  async assertQueue(name: string, options: QueueOptions): Promise<void> {
    await this.roundTrip();
    const present = this.broker.queues.get(name);
    if (!present) this.broker.queues.set(name, { options, messages: [], consumers: [] });
    else if (!isDeepStrictEqual(present.options, options)) this.refuse(406, `inequivalent arg for ${name}`);
  }

  async checkQueue(name: string): Promise<{ messageCount: number; consumerCount: number }> {
    const queue = await this.present(name);
    return { messageCount: queue.messages.length, consumerCount: queue.consumers.length };
  }

  async deleteQueue(name: string, options?: { readonly ifUnused?: boolean }): Promise<void> {
    await this.roundTrip();
    const queue = this.broker.queues.get(name);
    if (options?.ifUnused && queue && queue.consumers.length > 0) this.refuse(406, `queue ${name} in use`);
    this.broker.dropQueue(name);
  }

  async bindQueue(queue: string, exchange: string, routingKey: string): Promise<void> {
    await this.present(queue);
    const target = this.broker.exchanges.get(exchange) ?? this.refuse(404, `no exchange ${exchange}`);
    if (!target.bindings.some((binding) => binding.queue === queue && binding.routingKey === routingKey)) {
      target.bindings.push({ queue, routingKey });
    }
  }

  async unbindQueue(queue: string, exchange: string, routingKey: string): Promise<void> {
    await this.roundTrip();
    const target = this.broker.exchanges.get(exchange);
    if (target)
      this.broker.unbind(exchange, target, (binding) => binding.queue === queue && binding.routingKey === routingKey);
  }

  async bindExchange(destination: string, source: string): Promise<void> {
    await this.roundTrip();
    for (const name of [source, destination])
      if (!this.broker.exchanges.has(name)) this.refuse(404, `no exchange ${name}`);
    this.broker.link(source, destination);
  }

  async prefetch(): Promise<void> {
    await this.roundTrip();
  }

  async consume(name: string, deliver: (message: AmqpMessage | null) => void): Promise<void> {
    const queue = await this.present(name);
    queue.consumers.push({ channel: this, deliver });
    deliverAll(queue);
  }

  ack(): void {
    if (!this.open) throw new Error('Channel closed');
  }

  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: PublishOptions,
    confirmed: (reason: unknown) => void,
  ): boolean {
    if (!this.open) throw new Error('Channel closed');
    this.unconfirmed.add(confirmed);
    this.held.push(() => this.accept(exchange, routingKey, content, options, confirmed));
    setImmediate(() => this.flush());
    return true;
  }

  flush(): void {
    if (this.broker.blocked) return;
    for (const publish of this.held.splice(0)) publish();
  }

  async close(): Promise<void> {
    await turn();
    this.end();
  }

  end(): void {
    if (!this.open) return;
    this.open = false;
    this.connection.channels.delete(this);
    for (const queue of this.broker.queues.values()) {
      queue.consumers = queue.consumers.filter(({ channel }) => channel !== this);
    }
    for (const confirmed of this.unconfirmed) confirmed(new Error('channel closed'));
    this.emit('close');
  }

  private accept(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: PublishOptions,
    confirmed: (reason: unknown) => void,
  ): void {
    if (!this.open) return;
    if (exchange !== '' && !this.broker.exchanges.has(exchange)) {
      this.failWith(404, `no exchange ${exchange}`);
      return;
    }
    const routed = this.broker.route(exchange, routingKey, content, options);
    if (!routed && options.mandatory)
      this.emit('return', { content, fields: { exchange, routingKey }, properties: options });
    this.unconfirmed.delete(confirmed);
    confirmed(null);
  }

  private async present(name: string) {
    await this.roundTrip();
    return this.broker.queues.get(name) ?? this.refuse(404, `no queue ${name}`);
  }

  private async roundTrip(): Promise<void> {
    if (!this.open) throw new Error('Channel closed');
    await turn();
    if (!this.open) throw new Error('Channel closed');
  }

  private refuse(code: number, text: string): never {
    throw this.failWith(code, text);
  }

  private failWith(code: number, text: string): Error {
    const failure = Object.assign(new Error(`Channel closed by server: ${code} ${text}`), { code });
    this.emit('error', failure);
    this.end();
    return failure;
  }
}
