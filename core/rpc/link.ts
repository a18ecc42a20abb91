import { EventEmitter } from 'node:events';
import type { AmqpConnection } from './amqp';
import { pause, pauseAfterLossMs, type RetryOptions, retryDelayMs, waitAtMost } from './backoff';
import { MessagingClosed } from './errors';
import type { BrokerEndpoint } from './transport-url';

export interface LinkOptions {
  readonly endpoints: readonly [BrokerEndpoint, ...BrokerEndpoint[]];
  /** Which broker comes after a failure: the next one, or any. The first is always drawn, to spread agents over brokers. */
  readonly failover: 'round-robin' | 'shuffle';
  readonly retry: RetryOptions;
  readonly open: (endpoint: BrokerEndpoint) => Promise<AmqpConnection>;
  /** Sets up what belongs on a new connection. If it fails, the connection is given up and the next broker tried. */
  readonly prepare: (connection: AmqpConnection) => Promise<void>;
  readonly random?: () => number;
}

interface LinkEvents {
  up: [endpoint: BrokerEndpoint];
  down: [reason: Error | undefined];
  failed: [failure: { readonly endpoint: BrokerEndpoint; readonly reason: unknown; readonly retryInMs: number }];
  blocked: [reason: string];
  unblocked: [];
}

/** A broker that does not answer the farewell is left without it. */
const FAREWELL_MS = 2_000;

/** One AMQP connection that comes back by itself, to whichever broker answers, until it is closed. */
export class Link extends EventEmitter<LinkEvents> {
  private readonly stopping = new AbortController();
  private readonly random: () => number;
  private readonly order: BrokerEndpoint[];
  private current: AmqpConnection | undefined;
  private readonly waiting = new Set<() => void>();
  private running: Promise<void> | undefined;
  private isBlocked = false;

  constructor(private readonly options: LinkOptions) {
    super();
    this.random = options.random ?? Math.random;
    this.order = shuffled(options.endpoints, this.random);
  }

  get connected(): boolean {
    return this.current !== undefined;
  }

  get blocked(): boolean {
    return this.isBlocked;
  }

  /** How many wait for a connection. */
  get waitingForConnection(): number {
    return this.waiting.size;
  }

  /** Connects in the background; returns at once and never fails. */
  start(): void {
    this.running ??= this.run();
  }

  /** The present connection, or the next. Rejects when the signal aborts or the link is closed. */
  async connection(signal?: AbortSignal): Promise<AmqpConnection> {
    for (;;) {
      if (this.stopping.signal.aborted) throw new MessagingClosed();
      if (signal?.aborted) throw signal.reason;
      if (this.current) return this.current;
      await new Promise<void>((resolve) => {
        const resume = () => {
          this.waiting.delete(resume);
          signal?.removeEventListener('abort', resume);
          resolve();
        };
        this.waiting.add(resume);
        signal?.addEventListener('abort', resume, { once: true });
      });
    }
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.wake();
    const farewell = this.current?.close().catch(() => undefined);
    await waitAtMost(FAREWELL_MS, Promise.all([farewell, this.running]));
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const { retry } = this.options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const endpoint = this.candidate(attempt);
      const outcome = await this.attempt(endpoint);
      if (outcome.closed) {
        const upSince = performance.now();
        await outcome.closed;
        attempt = -1;
        this.order.push(...this.order.splice(0, 1));
        await pause(pauseAfterLossMs(retry, performance.now() - upSince, this.random), signal);
        continue;
      }
      if (signal.aborted) return;
      const completesRound = (attempt + 1) % this.order.length === 0;
      const round = Math.floor(attempt / this.order.length);
      const retryInMs = completesRound ? retryDelayMs(retry, round, this.random) : 0;
      this.emit('failed', { endpoint, reason: outcome.reason, retryInMs });
      if (retryInMs > 0) await pause(retryInMs, signal);
    }
  }

  /** Connects and prepares. On success, `closed` settles when that connection is gone. */
  private async attempt(endpoint: BrokerEndpoint): Promise<{ closed?: Promise<void>; reason?: unknown }> {
    let connection: AmqpConnection | undefined;
    try {
      connection = await this.options.open(endpoint);
      const gone = this.watch(connection);
      await Promise.race([
        this.options.prepare(connection),
        gone.then((reason) => Promise.reject(reason ?? new Error('connection closed'))),
      ]);
      if (this.stopping.signal.aborted) throw new MessagingClosed();
      this.current = connection;
      this.emit('up', endpoint);
      this.wake();
      return {
        closed: gone.then((reason) => {
          this.current = undefined;
          this.isBlocked = false;
          this.emit('down', reason);
        }),
      };
    } catch (reason) {
      connection?.close().catch(() => undefined);
      return { reason };
    }
  }

  private watch(connection: AmqpConnection): Promise<Error | undefined> {
    let failure: Error | undefined;
    connection.on('error', (reason) => {
      failure = reason;
    });
    connection.on('blocked', (reason) => {
      this.isBlocked = true;
      this.emit('blocked', reason);
    });
    connection.on('unblocked', () => {
      this.isBlocked = false;
      this.emit('unblocked');
    });
    return new Promise((resolve) => connection.on('close', (reason) => resolve(failure ?? reason)));
  }

  private candidate(attempt: number): BrokerEndpoint {
    const { length } = this.order;
    const index = this.options.failover === 'shuffle' ? Math.floor(this.random() * length) : attempt % length;
    return this.order[Math.min(index, length - 1)] ?? this.options.endpoints[0];
  }

  private wake(): void {
    for (const resume of [...this.waiting]) resume();
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const drawn = [...items];
  for (let last = drawn.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [drawn[last], drawn[other]];
    if (a !== undefined && b !== undefined) [drawn[last], drawn[other]] = [b, a];
  }
  return drawn;
}
