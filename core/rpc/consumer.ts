import { hostname } from 'node:os';
import type { AmqpChannel, AmqpConnection, AmqpMessage } from './amqp';
import { pause, waitAtMost } from './backoff';
import { newId } from './envelope';
import { Attempts, ExchangeGuards, type Findings, LOOK_TIMES, type LookTimes } from './exchange-guards';
import type { Link } from './link';
import type { RabbitOptions } from './rabbit-options';
import {
  type Exchange,
  ExchangeDeclarer,
  NOT_FOUND,
  onOwnChannel,
  openChannel,
  replyCode,
  sharedQueue,
  transientQueue,
} from './topology';

export interface Binding {
  readonly exchange: Exchange;
  readonly routingKey: string;
}

export interface ConsumerSettings {
  readonly options: RabbitOptions;
  /** First part of the notification queue's name. */
  readonly queuePrefix: string;
  readonly onReply: (message: AmqpMessage) => void;
  readonly onNotification: (message: AmqpMessage) => void;
  readonly onMismatch: (exchange: Exchange) => void;
  /** Everything stands again after an interruption; `queuesSurvived` is false if messages may have been lost. */
  readonly onRestored: (restored: { readonly queuesSurvived: boolean }) => void;
  readonly onInterrupted: (reason: string) => void;
  /** Messages may have been lost although the queues stood. */
  readonly onMissed: (missed: Pick<Findings, 'deleted'>) => void;
  /** The broker permits no guard of exchanges: that one was deleted may go unnoticed. */
  readonly onUnguarded: (refused: Findings['refused']) => void;
  readonly looks?: LookTimes;
  readonly random?: () => number;
}

interface Station {
  readonly connection: AmqpConnection;
  readonly channel: AmqpChannel;
  readonly exchanges: ExchangeDeclarer;
  hasNotifications: boolean;
}

/** A broker that does not confirm the deletion of queues is left with them; they expire. */
const FAREWELL_MS = 2_000;

/**
 * The queues of one agent: one for replies and one for notifications, the latter bound to every exchange that a listener asks for.
 * Their names stay the same for the life of the process, and they outlive a lost connection, so that nothing sent meanwhile is lost.
 * An RPC server has besides the shared queue of each of its topics.
 */
export class Consumer {
  readonly replyQueue: string;
  readonly notificationQueue: string;
  /** Each with how many asked for it: the last one to leave unbinds. */
  private readonly bindings = new Map<string, { readonly binding: Binding; users: number }>();
  private readonly shared = new Map<string, Binding>();
  private readonly random: () => number;
  private readonly looks: LookTimes;
  private readonly guards: ExchangeGuards;
  private isLooking = false;
  private station: Station | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private connectionGone = new AbortController();
  private everReady = false;
  private closed = false;
  private stands: () => void = () => undefined;
  /** The queues stood for the first time, or never will: what is asked before would be answered with what a push has overtaken. */
  readonly stood = new Promise<void>((resolve) => {
    this.stands = resolve;
  });
  private renewal: NodeJS.Timeout | undefined;

  constructor(private readonly settings: ConsumerSettings) {
    const { options, queuePrefix } = settings;
    this.random = settings.random ?? Math.random;
    this.looks = settings.looks ?? LOOK_TIMES;
    this.guards = new ExchangeGuards(this.looks.guardAfterMs);
    const suffix = options.use_queue_manager ? `${options.hostname || hostname()}:${options.processname}:1` : newId();
    this.replyQueue = `reply_${suffix}`;
    this.notificationQueue = `${queuePrefix}_fanout_${suffix}`;
  }

  /** Its queues stand and are consumed. */
  get isReady(): boolean {
    return this.station !== undefined;
  }

  /** How many queues of this process exist while it is connected. */
  get queues(): number {
    return this.station ? 1 + (this.bindings.size > 0 ? 1 : 0) + this.shared.size : 0;
  }

  /** Sets everything up on a connection; called by the link for each new one, and by the consumer itself when only a channel was lost. */
  prepare(connection: AmqpConnection): Promise<void> {
    this.connectionGone = new AbortController();
    return this.inTurn(() => this.setUp(connection));
  }

  /** Binds the notification queue. Resolves once bound, or at once while disconnected: the next set-up binds it. */
  bind(binding: Binding): Promise<void> {
    return this.inTurn(async () => {
      const present = this.bindings.get(keyOf(binding));
      if (present) present.users += 1;
      if (present) return;
      this.bindings.set(keyOf(binding), { binding, users: 1 });
      if (!this.station) return;
      const { channel, exchanges, hasNotifications } = this.station;
      if (!hasNotifications) await channel.assertQueue(this.notificationQueue, transientQueue(this.settings.options));
      await exchanges.declare(binding.exchange);
      await channel.bindQueue(this.notificationQueue, binding.exchange.name, binding.routingKey);
      if (hasNotifications) return;
      this.station.hasNotifications = true;
      await this.consume(channel, this.notificationQueue, this.settings.onNotification);
    });
  }

  unbind(binding: Binding): Promise<void> {
    return this.inTurn(async () => {
      const present = this.bindings.get(keyOf(binding));
      if (present) present.users -= 1;
      if (!present || present.users > 0) return;
      this.bindings.delete(keyOf(binding));
      if (!this.station) return;
      const { channel, exchanges } = this.station;
      await channel.unbindQueue(this.notificationQueue, binding.exchange.name, binding.routingKey);
      exchanges.forget(binding.exchange);
      this.guards.forget(binding.exchange);
    });
  }

  /** Consumes the shared queue `<topic>` as an RPC server does. */
  share(topic: string, exchange: Exchange): Promise<void> {
    return this.inTurn(async () => {
      const binding = { exchange, routingKey: topic };
      this.shared.set(topic, binding);
      if (this.station) await this.setUpShared(this.station.channel, this.station.exchanges, binding);
    });
  }

  /**
   * Binds again what is bound, for an exchange that is deleted takes its bindings along and tells nobody, and looks whether anything was
   * lost meanwhile. A lost connection tells of itself.
   */
  async renew(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    await this.inTurn(() => this.look()).catch(() => undefined);
    this.isLooking = false;
  }

  private async look(): Promise<void> {
    const { station } = this;
    if (station === undefined || this.bindings.size === 0) return;
    const attempts = new Attempts(station.connection);
    const gone = new Set<string>();
    const watched = new Map<string, Exchange>();
    for (const { binding } of this.bindings.values()) {
      if (this.station !== station) return;
      watched.set(binding.exchange.name, binding.exchange);
      if (!(await this.boundAgain(station, attempts, binding))) gone.add(binding.exchange.name);
    }
    const { deleted, guarded, refused } = await this.guards.look(attempts, watched.values());
    await attempts.close();
    for (const name of deleted) gone.add(name);
    if (refused.length > 0) this.settings.onUnguarded(refused);
    if (gone.size + guarded.length > 0) this.settings.onMissed({ deleted: [...gone] });
  }

  /** False where the exchange was not there any more, and was made again. */
  private async boundAgain(station: Station, attempts: Attempts, { exchange, routingKey }: Binding): Promise<boolean> {
    const bind = (channel: AmqpChannel) => channel.bindQueue(this.notificationQueue, exchange.name, routingKey);
    if (await attempts.isFound(bind)) return true;
    station.exchanges.forget(exchange);
    await station.exchanges.declare(exchange);
    await attempts.isFound(bind);
    return false;
  }

  /** Deletes the queues of this process, unless the queue manager keeps their names. */
  async close(): Promise<void> {
    this.closed = true;
    this.stands();
    clearInterval(this.renewal);
    const { station } = this;
    this.station = undefined;
    if (!station || this.settings.options.use_queue_manager) return;
    const farewell = async () => {
      await station.channel.deleteQueue(this.replyQueue);
      await station.channel.deleteQueue(this.notificationQueue);
    };
    await waitAtMost(FAREWELL_MS, farewell());
  }

  /** Ties the consumer to its link: a lost connection is an interruption. */
  watch(link: Link): void {
    link.on('down', () => {
      this.connectionGone.abort();
      if (this.station) this.interrupted('the connection was lost');
    });
  }

  private async setUp(connection: AmqpConnection): Promise<void> {
    const survived = this.everReady && (await this.survived(connection));
    const { options } = this.settings;
    const exchanges = new ExchangeDeclarer(connection, this.settings.onMismatch);
    const channel = await openChannel(connection);
    channel.on('close', () => this.lost(channel, 'the channel was closed'));
    if (options.rabbit_qos_prefetch_count > 0) await channel.prefetch(options.rabbit_qos_prefetch_count);
    await channel.assertQueue(this.replyQueue, transientQueue(options));
    if (this.bindings.size > 0) {
      await channel.assertQueue(this.notificationQueue, transientQueue(options));
      for (const { binding } of this.bindings.values()) {
        await exchanges.declare(binding.exchange);
        await channel.bindQueue(this.notificationQueue, binding.exchange.name, binding.routingKey);
      }
      await this.consume(channel, this.notificationQueue, this.settings.onNotification);
    }
    await this.consume(channel, this.replyQueue, this.settings.onReply);
    for (const binding of this.shared.values()) await this.setUpShared(channel, exchanges, binding);
    this.station = { connection, channel, exchanges, hasNotifications: this.bindings.size > 0 };
    if (this.everReady) this.settings.onRestored({ queuesSurvived: survived });
    this.everReady = true;
    this.stands();
    this.renewal ??= setInterval(() => void this.renew(), this.looks.everyMs).unref();
  }

  private async setUpShared(
    channel: AmqpChannel,
    exchanges: ExchangeDeclarer,
    { exchange, routingKey }: Binding,
  ): Promise<void> {
    await channel.assertQueue(routingKey, sharedQueue(this.settings.options));
    await exchanges.declare(exchange);
    await channel.bindQueue(routingKey, exchange.name, routingKey);
    await this.consume(channel, routingKey, this.settings.onNotification);
  }

  /** The broker sends null when it cancels the consumer, as it does when the queue is deleted. Acknowledged before it is looked at. */
  private async consume(channel: AmqpChannel, queue: string, deliver: (message: AmqpMessage) => void): Promise<void> {
    const onMessage = (message: AmqpMessage | null) => {
      if (!message) return this.lost(channel, `the broker cancelled the consumer of ${queue}`);
      channel.ack(message);
      deliver(message);
    };
    const failover = this.settings.options.enable_cancel_on_failover;
    await channel.consume(queue, onMessage, {
      noAck: false,
      ...(failover && { arguments: { 'x-cancel-on-ha-failover': true } }),
    });
  }

  /** The channel is of no more use while the connection may well be: set up again on it, and give it up if that fails. */
  private lost(channel: AmqpChannel, reason: string): void {
    const { station } = this;
    if (this.closed || station?.channel !== channel) return;
    this.interrupted(reason);
    const { signal } = this.connectionGone;
    void this.inTurn(async () => {
      const { kombu_reconnect_delay: delay, kombu_reconnect_splay: splay } = this.settings.options;
      channel.close().catch(() => undefined);
      await pause((delay + splay * this.random()) * 1000, signal);
      if (this.closed || this.station || signal.aborted) return;
      await this.setUp(station.connection);
    }).catch(() => station.connection.close().catch(() => undefined));
  }

  private interrupted(reason: string): void {
    this.station = undefined;
    if (!this.closed) this.settings.onInterrupted(reason);
  }

  private async survived(connection: AmqpConnection): Promise<boolean> {
    const names = this.bindings.size > 0 ? [this.replyQueue, this.notificationQueue] : [this.replyQueue];
    for (const name of names) {
      try {
        await onOwnChannel(connection, (channel) => channel.checkQueue(name));
      } catch (reason) {
        if (replyCode(reason) === NOT_FOUND) return false;
        throw reason;
      }
    }
    return true;
  }

  private inTurn<T>(step: () => Promise<T>): Promise<T> {
    const next = this.turn.then(step, step);
    this.turn = next.catch(() => undefined);
    return next;
  }
}

function keyOf({ exchange, routingKey }: Binding): string {
  return `${exchange.name} ${routingKey}`;
}
