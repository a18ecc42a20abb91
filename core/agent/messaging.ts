import type {
  LeftQueues,
  MessagingConnector,
  MessagingOptions,
  ObjectCache,
  RpcCallOptions,
  RpcConnection,
  RpcState,
  RpcTarget,
  Unsubscribe,
} from '@patchbay/sdk';
import {
  type AmqpConnector,
  createMessaging,
  decodePush,
  type Listener,
  type Messaging,
  PUSH_VERSION,
  parseTransportUrl,
  type ReadObjects,
  redactTransportUrl,
  resolveRabbitOptions,
  resourceTopic,
} from '../rpc';
import { FollowedObjects, type ObjectPush, type Watch } from './followed-objects';
import { OnceAnHour } from './once-an-hour';
import type { UnreadableResource } from './resource-cache';

type Fields = Readonly<Record<string, unknown>>;
type Methods = Readonly<Record<string, (args: Fields, cause: string) => unknown>>;
type Problem = { readonly code: string; readonly field: string; readonly detail: string };

/** `everything`, or only what changes nothing at the server and on the broker: for a plan beside a running agent. */
export type MessagingScope = 'everything' | 'reading';

/** RPC as plugins see it, on oslo.messaging. `connect` reaches a broker other than by AMQP. */
export function messagingConnector(scope: MessagingScope, connect?: AmqpConnector): MessagingConnector {
  return { connect: (options) => new BrokerConnection(options, scope, connect) };
}

/** Methods of the server that change nothing there. */
const READING: ReadonlySet<string> = new Set(['pull', 'bulk_pull', 'has_alive_neutron_server', 'get_network_details']);

class BrokerConnection implements RpcConnection {
  private messaging: Messaging | undefined;
  private readonly followed: FollowedObjects;
  private readonly restoredListeners = new Set<() => void>();
  private readonly problemListeners = new Set<(problem: Problem) => void>();
  private readonly problems = new OnceAnHour();
  /** Why the broker is not connected, where it is not. */
  private trouble = 'not connected yet';

  /** Throws TransportUrlError or RabbitOptionError for options that cannot be used; opens nothing. */
  constructor(
    private readonly options: MessagingOptions,
    private readonly scope: MessagingScope,
    private readonly connect: AmqpConnector | undefined,
  ) {
    resolveRabbitOptions(options.rabbit, parseTransportUrl(options.transportUrl));
    this.followed = new FollowedObjects({
      own: options.objectVersions,
      ...(options.chosenVersions && { chosen: options.chosenVersions }),
      chunkSize: options.pullStep,
      pull: (type, version, filter) => this.readObjects(type, version, filter),
      watch: (type, version, listener) => this.watch(type, version, listener),
      onUnreadable: (unreadable) => this.complainOf(unreadable),
      onListenerFailed: (type, reason) => this.onceAnHour('listener-failed', type, reason),
    });
  }

  get objects(): ObjectCache {
    return this.followed;
  }

  open(): void {
    const messaging = createMessaging({
      transportUrl: this.options.transportUrl,
      controlExchange: this.options.controlExchange,
      rabbit: this.options.rabbit,
      responseTimeoutMs: this.options.callTimeoutMs,
      maxResponseTimeoutMs: this.options.maxCallTimeoutMs,
      pingEnabled: this.options.pingEnabled,
      connectionName: `patchbay-${this.options.host}`,
      ...(this.connect && { connect: this.connect }),
    });
    this.messaging = messaging;
    messaging.on('restored', () => {
      this.trouble = 'connecting again';
      for (const listener of this.restoredListeners) listener();
    });
    messaging.on('missed', ({ deleted }) => {
      for (const exchange of deleted)
        this.problem({ code: 'exchange-deleted', field: exchange, detail: 'what was pushed meanwhile is asked for' });
      for (const listener of this.restoredListeners) listener();
    });
    messaging.on('lost', ({ reason }) => {
      this.trouble = `lost the broker: ${reason}`;
    });
    messaging.on('unreachable', ({ broker, reason }) => {
      this.trouble = `cannot reach ${broker}: ${reason}`;
    });
    messaging.on('blocked', ({ reason }) => {
      this.trouble = `the broker takes no messages: ${reason}`;
    });
    messaging.on('problem', ({ code, field, message }) => this.onceAnHour(code, field, message));
    messaging.on('mismatch', ({ exchange, durableExpected }) =>
      this.problem({
        code: 'exchange-mismatch',
        field: 'amqp_durable_queues',
        detail: `exchange ${exchange} is ${durableExpected ? 'not durable' : 'durable'} on the broker; taken as it is`,
      }),
    );
    this.followed.open();
  }

  call(target: RpcTarget, method: string, args: Fields, options: RpcCallOptions = {}): Promise<unknown> {
    if (this.scope === 'reading' && !READING.has(method)) {
      return Promise.reject(new Error(`${method} is not asked: nothing may be changed`));
    }
    return this.opened().call({ version: '1.0', ...target }, method, args, options);
  }

  cast(target: RpcTarget, method: string, args: Fields): Promise<void> {
    if (this.scope === 'reading') return Promise.reject(new Error(`${method} is not sent: nothing may be changed`));
    const messaging = this.opened();
    const full = { version: '1.0', ...target };
    return target.fanout === true ? messaging.fanout(full, method, args) : messaging.cast(full, method, args);
  }

  listen(target: RpcTarget, methods: Methods): Unsubscribe {
    const listener = this.listener(target, methods);
    return () => void listener.close();
  }

  watchObjects(type: string, version: string, listener: (push: ObjectPush) => void): Unsubscribe {
    return this.watch(type, version, listener).end;
  }

  pullObject(type: string, version: string, id: string): Promise<Fields | undefined> {
    return this.opened().resources.pull(type as never, version, id) as Promise<Fields | undefined>;
  }

  async pullObjects(
    type: string,
    version: string,
    filter: Readonly<Record<string, readonly unknown[]>> | null,
  ): Promise<readonly Fields[]> {
    const { objects, unreadable } = await this.readObjects(type, version, filter);
    this.complainOf(unreadable);
    return objects;
  }

  onRestored(listener: () => void): Unsubscribe {
    this.restoredListeners.add(listener);
    return () => this.restoredListeners.delete(listener);
  }

  onProblem(listener: (problem: Problem) => void): void {
    this.problemListeners.add(listener);
  }

  async removeUnusedQueues(names: readonly string[]): Promise<LeftQueues> {
    if (this.scope === 'reading') return { removed: [], inUse: [], refused: [] };
    const { deleted, inUse, refused } = await this.opened().deleteIfUnused(names);
    return { removed: deleted, inUse, refused: refused.map(({ name }) => name) };
  }

  async state(): Promise<RpcState> {
    const stats = this.messaging?.stats();
    const url = redactTransportUrl(this.options.transportUrl);
    const connected = stats?.connected === true && !stats.blocked;
    return {
      connected,
      connections: stats?.connections ?? 0,
      queues: stats?.queues ?? 0,
      lastReceivedMsAgo: stats?.ageOfLastMessageMs ?? null,
      received: stats?.received ?? 0,
      sent: stats?.sent ?? 0,
      unanswered: stats?.pendingCalls ?? 0,
      detail: connected ? url : `${url}: ${this.trouble}`,
    };
  }

  async close(): Promise<void> {
    await this.messaging?.close();
  }

  private listener(target: RpcTarget, methods: Methods): Listener {
    const endpoints = Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [
        name,
        (context: Fields, args: Fields) => method(args, String(context.request_id ?? name)),
      ]),
    );
    return this.opened().listen({ version: '1.0', host: this.options.host, ...target }, endpoints);
  }

  private watch(type: string, version: string, listener: (push: ObjectPush) => void): Watch {
    const { ready, close } = this.listener(
      { topic: resourceTopic(type, version), version: PUSH_VERSION, fanout: true },
      {
        push: (args, cause) => {
          const { event, objects, unreadable } = decodePush(args);
          this.complainOf(unreadable);
          listener({ event, objects: objects.map(({ object }) => object), cause });
        },
      },
    );
    return { bound: ready, end: () => void close() };
  }

  private async readObjects(
    type: string,
    version: string,
    filter: Readonly<Record<string, readonly unknown[]>> | null,
  ): Promise<ReadObjects<Fields>> {
    const read = this.opened().resources.bulkPull(type as never, version, filter ?? undefined);
    return read as Promise<ReadObjects<Fields>>;
  }

  private complainOf(unreadable: readonly UnreadableResource[]): void {
    for (const { id, error } of unreadable) {
      const { code, field, message } = error;
      this.onceAnHour(code, field, id === undefined ? message : `${message} (${id})`);
    }
  }

  private onceAnHour(code: string, field: string, message: string): void {
    this.problems.say(`${code} ${field} ${message}`, (before) =>
      this.problem({ code, field, detail: before > 0 ? `${message} (and ${before} times before)` : message }),
    );
  }

  private problem(problem: Problem): void {
    for (const listener of this.problemListeners) listener(problem);
  }

  private opened(): Messaging {
    if (this.messaging === undefined)
      throw new Error('RPC was used before open(): use it from start(), not from the constructor');
    return this.messaging;
  }
}
