import { EventEmitter } from 'node:events';
import { type AmqpConnector, type AmqpMessage, connectRabbit } from './amqp';
import { CallTimeouts } from './backoff';
import { type CallOptions, RpcClient, type RpcTarget } from './client';
import { type Binding, Consumer } from './consumer';
import type { RpcContext } from './context';
import { decodeMessage, newId } from './envelope';
import { describe, EnvelopeError } from './errors';
import { type Findings, guardOf, type LookTimes } from './exchange-guards';
import { Link } from './link';
import { resolveRabbitOptions } from './options';
import { Publisher } from './publisher';
import { ReplySender } from './reply-sender';
import { ResourceClient } from './resources';
import { compressionOf, Dispatcher, type Endpoints, type Listening, type RpcProblem } from './server';
import { controlExchange, type Exchange, fanoutExchange } from './topology';
import { hostAndPort, parseTransportUrl } from './transport-url';
import { type DeletionReport, deleteIfUnused } from './unused-queues';

export interface MessagingOptions {
  /** rabbit://user:password@host:port/virtual_host, with several hosts and overrides of options if need be. */
  readonly transportUrl: string;
  /** [oslo_messaging_rabbit], as text or typed. */
  readonly rabbit?: Readonly<Record<string, unknown>>;
  /** control_exchange; "neutron" unless given. */
  readonly controlExchange?: string;
  /** rpc_response_timeout and rpc_response_max_timeout, in milliseconds; 60 000 and 600 000 unless given. */
  readonly responseTimeoutMs?: number;
  readonly maxResponseTimeoutMs?: number;
  /** rpc_ping_enabled: every topic answers oslo_rpc_server_ping with "pong". */
  readonly pingEnabled?: boolean;
  /** When exchanges are looked after; see LOOK_TIMES. */
  readonly looks?: LookTimes;
  /** Shown by the broker's management tools, and first part of the notification queue's name. */
  readonly connectionName?: string;
  /** The in-memory broker of the tests comes in here. */
  readonly connect?: AmqpConnector;
  readonly random?: () => number;
}

export interface MessagingEvents {
  /** Both connections and all queues stand, for the first time. */
  connected: [];
  /** Messages cannot arrive at present. */
  lost: [interruption: { readonly reason: string }];
  /** They can again. If `queuesSurvived` is false, notifications were lost: resynchronise. */
  restored: [restored: { readonly queuesSurvived: boolean }];
  /** Notifications may have been lost though messages could arrive, `deleted` because these exchanges were: resynchronise. */
  missed: [missed: { readonly deleted: readonly string[] }];
  /** The broker takes no messages (memory or disk alarm); what is published waits. */
  blocked: [blocked: { readonly reason: string }];
  unblocked: [];
  /** A broker could not be reached or set up. */
  unreachable: [failure: { readonly broker: string; readonly reason: string; readonly retryInMs: number }];
  /** A message that was dropped. */
  problem: [problem: RpcProblem];
  /** An exchange exists with other attributes than the options ask for, and was taken as it is. Once for each exchange. */
  mismatch: [mismatch: { readonly exchange: string; readonly durableExpected: boolean }];
}

export interface MessagingStats {
  /** Messages can arrive and leave: both connections and the queues stand. */
  readonly connected: boolean;
  readonly connections: number;
  readonly queues: number;
  /** Milliseconds since the last message arrived; undefined before the first. */
  readonly ageOfLastMessageMs: number | undefined;
  /** Messages and answers that came, since the start. */
  readonly received: number;
  /** Messages and answers that the broker took, since the start. */
  readonly sent: number;
  readonly pendingCalls: number;
  readonly blocked: boolean;
}

export interface Listener {
  /** Resolves when bound on the present connection; at once while there is none. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * oslo.messaging for one process: two connections (one consumes, one publishes) and two queues. Connects in the background and never
 * throws for an unreachable broker; throws TransportUrlError or RabbitOptionError for options that cannot be used.
 */
export class Messaging extends EventEmitter<MessagingEvents> {
  /** Versioned objects from the server. */
  readonly resources: ResourceClient;
  /** Names of options given that have no effect. */
  readonly meaninglessOptions: readonly string[];
  /** Names of this process's own queues: the same for its whole life. */
  readonly queueNames: { readonly reply: string; readonly notifications: string };
  private readonly control: Exchange;
  private readonly fanoutOf: (topic: string) => Exchange;
  private readonly consuming: Link;
  private readonly publishing: Link;
  private readonly consumer: Consumer;
  private readonly client: RpcClient;
  private readonly replies: ReplySender;
  private readonly dispatcher: Dispatcher;
  private readonly timeouts: CallTimeouts;
  private readonly mismatched = new Set<string>();
  private lastMessageAt: number | undefined;
  private received = 0;
  private sent = 0;

  constructor(settings: MessagingOptions) {
    super();
    const url = parseTransportUrl(settings.transportUrl);
    const { options, meaningless } = resolveRabbitOptions(settings.rabbit ?? {}, url);
    const name = settings.connectionName ?? 'patchbay';
    const random = settings.random ?? Math.random;
    this.meaninglessOptions = meaningless;
    this.control = controlExchange(settings.controlExchange ?? 'neutron', options);
    this.fanoutOf = (topic) => fanoutExchange(topic, options);
    this.timeouts = new CallTimeouts({
      initialMs: settings.responseTimeoutMs ?? 60_000,
      maxMs: settings.maxResponseTimeoutMs ?? 600_000,
      random,
    });
    const onMismatch = (exchange: Exchange) => this.mismatch(exchange);
    this.consumer = new Consumer({
      options,
      queuePrefix: name,
      random,
      onReply: (message) => this.replyArrived(message),
      onNotification: (message) => this.notificationArrived(message),
      onMismatch,
      onRestored: (restored) => this.restored(restored),
      onInterrupted: (reason) => this.emit('lost', { reason }),
      onMissed: (missed) => this.emit('missed', missed),
      onUnguarded: (refused) => this.unguarded(refused),
      ...(settings.looks && { looks: settings.looks }),
    });
    this.queueNames = { reply: this.consumer.replyQueue, notifications: this.consumer.notificationQueue };
    const connect = settings.connect ?? connectRabbit;
    const link = (purpose: string, prepare: Link['options']['prepare']) =>
      new Link({
        endpoints: url.endpoints,
        failover: options.kombu_failover_strategy,
        retry: {
          first: options.rabbit_retry_interval,
          step: options.rabbit_retry_backoff,
          max: options.rabbit_interval_max,
        },
        open: (endpoint) =>
          connect({
            endpoint,
            virtualHost: url.virtualHost,
            connectionName: `${name}:${process.pid}:${purpose}:${newId()}`,
            options,
          }),
        prepare,
        random,
      });
    this.consuming = link('consume', (connection) => this.consumer.prepare(connection));
    this.publishing = link('publish', () => this.consumer.stood);
    const publisher = new Publisher(this.publishing, { compress: options.kombu_compression !== '', onMismatch });
    const publish: Publisher['publish'] = async (message, signal) => {
      await publisher.publish(message, signal);
      this.sent += 1;
    };
    this.client = new RpcClient({
      controlExchange: this.control,
      fanoutExchange: this.fanoutOf,
      replyQueue: this.consumer.replyQueue,
      timeouts: this.timeouts,
      publish,
      onStrayReply: () => undefined,
    });
    this.replies = new ReplySender({
      publish,
      mandatory: options.direct_mandatory_flag,
      patienceMs: options.kombu_missing_consumer_retry_timeout * 1000,
      onAbandoned: (queue, reason) =>
        this.problem({ code: 'reply-undeliverable', field: '_reply_q', message: `${queue}: ${describe(reason)}` }),
    });
    this.dispatcher = new Dispatcher({
      controlExchange: this.control.name,
      pingEnabled: settings.pingEnabled ?? false,
      replies: this.replies,
      onProblem: (problem) => this.problem(problem),
    });
    this.resources = new ResourceClient((target, method, args, how) => this.call(target, method, args, how));
    this.consumer.watch(this.consuming);
    this.relay(this.consuming);
    this.relay(this.publishing);
    this.consuming.once('up', () => {
      if (this.publishing.connected) this.emit('connected');
      else this.publishing.once('up', () => this.emit('connected'));
    });
    this.consuming.start();
    this.publishing.start();
  }

  /** Asks one server and resolves with its answer; see RpcClient.call for how it fails. Waits for a broker as long as its timeout. */
  call(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    options?: CallOptions,
  ): Promise<unknown> {
    return this.client.call(target, method, args, options);
  }

  cast(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    context?: RpcContext,
  ): Promise<void> {
    return this.client.cast(target, method, args, context);
  }

  fanout(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    context?: RpcContext,
  ): Promise<void> {
    return this.client.fanout(target, method, args, context);
  }

  /** Registers endpoints and binds for them. Of several listeners of a topic the first answers calls; all hear the rest. */
  listen(listening: Listening, endpoints: Endpoints): Listener {
    const remove = this.dispatcher.add(listening, endpoints);
    const bindings: Binding[] = [];
    if (listening.fanout ?? true)
      bindings.push({ exchange: this.fanoutOf(listening.topic), routingKey: listening.topic });
    if (listening.host !== undefined) {
      bindings.push({ exchange: this.control, routingKey: `${listening.topic}.${listening.host}` });
    }
    const steps = bindings.map((binding) => this.consumer.bind(binding));
    if (listening.shared) steps.push(this.consumer.share(listening.topic, this.control));
    const ready = Promise.all(steps).then(() => undefined);
    ready.catch(() => undefined);
    return {
      ready,
      close: async () => {
        remove();
        for (const binding of bindings) await this.consumer.unbind(binding).catch(() => undefined);
      },
    };
  }

  /** Removes queues that another agent left on the broker, if nobody consumes them. */
  async deleteIfUnused(names: readonly string[], signal?: AbortSignal): Promise<DeletionReport> {
    return deleteIfUnused(await this.consuming.connection(signal), names);
  }

  stats(): MessagingStats {
    return {
      connected: this.consumer.isReady && this.publishing.connected,
      connections: [this.consuming, this.publishing].filter((link) => link.connected).length,
      queues: this.consumer.queues,
      ageOfLastMessageMs:
        this.lastMessageAt === undefined ? undefined : Math.round(performance.now() - this.lastMessageAt),
      received: this.received,
      sent: this.sent,
      pendingCalls: this.client.pending,
      blocked: this.publishing.blocked || this.consuming.blocked,
    };
  }

  /** Fails what is under way with MessagingClosed, deletes its queues and disconnects. */
  async close(): Promise<void> {
    this.client.close();
    this.replies.close();
    await this.consumer.close();
    await Promise.all([this.consuming.close(), this.publishing.close()]);
  }

  private relay(link: Link): void {
    link.on('blocked', (reason) => this.emit('blocked', { reason }));
    link.on('unblocked', () => this.emit('unblocked'));
    link.on('failed', ({ endpoint, reason, retryInMs }) => {
      this.emit('unreachable', { broker: hostAndPort(endpoint), reason: describe(reason), retryInMs });
    });
  }

  private replyArrived(message: AmqpMessage): void {
    this.lastMessageAt = performance.now();
    this.received += 1;
    try {
      const reply = decodeMessage(message.content, compressionOf(message));
      if (reply.kind !== 'reply') throw new EnvelopeError('_msg_id', 'a request in the reply queue');
      this.client.receive(reply);
    } catch (reason) {
      const field = reason instanceof EnvelopeError ? reason.field : 'body';
      this.problem({ code: 'envelope-invalid', field, message: describe(reason) });
    }
  }

  private notificationArrived(message: AmqpMessage): void {
    this.lastMessageAt = performance.now();
    this.received += 1;
    this.dispatcher.receive(message);
  }

  private restored(restored: { readonly queuesSurvived: boolean }): void {
    if (!restored.queuesSurvived) this.client.replyQueueLost();
    this.emit('restored', restored);
  }

  private mismatch({ name, options }: Exchange): void {
    if (this.mismatched.has(name)) return;
    this.mismatched.add(name);
    this.emit('mismatch', { exchange: name, durableExpected: options.durable });
  }

  private unguarded(refused: Findings['refused']): void {
    for (const { exchange, reason } of refused)
      this.problem({
        code: 'exchange-unguarded',
        field: guardOf({ name: exchange }).name,
        message: `${reason}: what is lost where somebody deletes ${exchange} may stay lost`,
      });
  }

  private problem(problem: RpcProblem): void {
    this.emit('problem', problem);
  }
}

export function createMessaging(options: MessagingOptions): Messaging {
  return new Messaging(options);
}
