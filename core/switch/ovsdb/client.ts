import { Backoff, type BackoffOptions, DEFAULT_BACKOFF } from './backoff';
import { openStream, type StreamSource } from './connect';
import { Emitter, type Unsubscribe } from './emitter';
import { OvsdbConnectionError, OvsdbTimeout } from './errors';
import { JsonRpcPeer } from './json-rpc';
import { Lock, type LockMode } from './lock';
import { type MonitorDialect, type MonitorReply, readNotification, startMonitor } from './monitor';
import type { OpenVSwitchTables } from './open-vswitch';
import { type ColumnSelection, type Replica, ReplicaStore, type RowChange } from './replica';
import { type DatabaseSchema, parseSchema } from './schema';
import { type MissingColumn, selectColumns } from './selection';
import type { TlsFiles } from './target';
import { readTransactionReply, Transaction, type TransactionResult } from './transaction';
import { WaitList } from './wait-list';

/** The tables to replicate, each with the columns to keep. A column that is not listed is not in the rows. */
export type TableSelection<Tables> = {
  readonly [Name in keyof Tables]?: 'all' | readonly (Exclude<keyof Tables[Name], '_uuid'> & string)[];
};

export interface OvsdbClientOptions<Tables> {
  readonly target: StreamSource;
  /** Needed for an `ssl:` target only. */
  readonly tls?: TlsFiles;
  /** `Open_vSwitch` unless told. */
  readonly database?: string;
  readonly tables: TableSelection<NoInfer<Tables>>;
  /** Silence in milliseconds after which the server is probed, and dropped after as much again; 0: never. Default 5000, as OVS has it. */
  readonly probeIntervalMs?: number;
  /** Milliseconds that connecting, and each request, may take where nothing else is said. Default 10 000. */
  readonly timeoutMs?: number;
  readonly backoff?: Partial<BackoffOptions>;
}

/** What one transaction of the server did to the replica, or one resynchronisation: always a consistent whole. */
export interface ChangeBatch {
  readonly cause: 'initial' | 'transaction' | 'resynchronised';
  readonly changes: readonly RowChange[];
}

export interface OvsdbEvents {
  /** A session is there and the replica is current. Comes before the changes that the session brought. */
  readonly connected: {
    readonly schema: DatabaseSchema;
    readonly dialect: MonitorDialect;
    readonly missingColumns: readonly MissingColumn[];
  };
  readonly disconnected: { readonly error: OvsdbConnectionError };
  /** An attempt to connect failed; the next comes after `retryInMs`. */
  readonly attemptFailed: { readonly error: Error; readonly retryInMs: number };
  readonly changes: ChangeBatch;
  /** Follows the changes, if any, of each new session. `continued`: the server sent only what we missed. */
  readonly resynchronised: { readonly by: 'first' | 'continued' | 'compared'; readonly changes: number };
}

export interface RequestOptions {
  readonly timeoutMs?: number;
}

interface Session {
  readonly peer: JsonRpcPeer;
  readonly schema: DatabaseSchema;
  readonly missingColumns: readonly MissingColumn[];
  readonly dialect: MonitorDialect;
}

/**
 * A client of one database of an OVSDB server (RFC 7047): holds a session, makes a new one when it is lost, and keeps a
 * replica of the tables it was asked for. While there is no session the replica stays readable as it last was.
 */
export class OvsdbClient<Tables = OpenVSwitchTables> {
  readonly replica: Replica<Tables>;
  private readonly store: ReplicaStore;
  private readonly selection: ColumnSelection;
  private readonly events = new Emitter<OvsdbEvents>();
  private readonly waits = new WaitList();
  private readonly locks = new Map<string, Lock>();
  private readonly stopping = new AbortController();
  private readonly backoff: Backoff;
  private readonly database: string;
  private readonly timeoutMs: number;
  private session: Session | undefined;
  private peer: JsonRpcPeer | undefined;
  private running: Promise<void> | undefined;
  private lastError: Error | undefined;
  /** Where the replica stands: the schema its rows were decoded by, and the transaction it has seen last. */
  private position: { readonly fingerprint: string; readonly lastTransaction: string | undefined } | undefined;

  constructor(private readonly options: OvsdbClientOptions<Tables>) {
    this.selection = options.tables as ColumnSelection;
    this.store = new ReplicaStore(Object.keys(this.selection));
    this.replica = this.store as unknown as Replica<Tables>;
    this.backoff = new Backoff({ ...DEFAULT_BACKOFF, ...options.backoff });
    this.database = options.database ?? 'Open_vSwitch';
    this.timeoutMs = options.timeoutMs ?? 10_000;
  }

  /** The schema of the present session, or undefined while there is none. */
  get schema(): DatabaseSchema | undefined {
    return this.session?.schema;
  }

  /** What was asked for and the server of the present session does not have. */
  get missingColumns(): readonly MissingColumn[] {
    return this.session?.missingColumns ?? [];
  }

  on<Name extends keyof OvsdbEvents>(name: Name, listener: (event: OvsdbEvents[Name]) => void): Unsubscribe {
    return this.events.on(name, listener);
  }

  /** Begins to connect, and keeps a session until `stop`. A client is started once. */
  start(): void {
    if (this.running !== undefined) throw new OvsdbConnectionError('stopped', 'an OVSDB client is started once');
    this.running = this.run();
  }

  /** Resolves once there is a session and the replica is current. @throws OvsdbTimeout (cause: the last failure), OvsdbConnectionError */
  ready(options: RequestOptions = {}): Promise<void> {
    const test = (): true | undefined => (this.session === undefined ? undefined : true);
    return this.waits
      .add(test, 'ready', options.timeoutMs ?? this.timeoutMs, () => this.lastError)
      .then(() => undefined);
  }

  /** Ends the session and leaves no timer or socket. What still waits is rejected with `stopped`. */
  async stop(): Promise<void> {
    const error = new OvsdbConnectionError('stopped', 'the OVSDB client was stopped');
    this.stopping.abort();
    this.waits.rejectAll(error);
    this.peer?.close(error);
    for (const lock of this.locks.values()) lock.abandon();
    this.locks.clear();
    await this.running;
  }

  /**
   * Sends what `build` put together as one transaction. When it resolves, the replica already shows its effect.
   * @throws OvsdbOperationError where the server refused it; OvsdbConnectionError and OvsdbTimeout with their outcome; what
   * `build` throws. Nothing is queued while there is no session.
   */
  async transact(
    build: (transaction: Transaction<Tables>) => void,
    options: RequestOptions = {},
  ): Promise<TransactionResult> {
    const { peer, schema } = this.live();
    const transaction = new Transaction<Tables>(schema);
    build(transaction);
    const encoded = transaction.encoded();
    return peer.request(
      'transact',
      [schema.name, ...encoded.operations],
      options.timeoutMs ?? this.timeoutMs,
      (reply) => readTransactionReply(encoded, reply),
    );
  }

  /**
   * Resolves with the first answer of `test` that is not undefined; asked now and after each batch of changes.
   * @param what names the awaited state in the error.
   * @throws OvsdbTimeout, OvsdbConnectionError (`stopped`)
   */
  waitFor<Result>(what: string, test: () => Result | undefined, options: RequestOptions = {}): Promise<Result> {
    return this.waits.add(test, what, options.timeoutMs ?? this.timeoutMs, () => this.lastError);
  }

  /** The databases the server has (RFC 7047 section 4.1.1). */
  async listDatabases(options: RequestOptions = {}): Promise<readonly string[]> {
    const { peer } = this.live();
    return peer.request('list_dbs', [], options.timeoutMs ?? this.timeoutMs, (names) =>
      Array.isArray(names) ? names : [],
    );
  }

  /** Asks for a lock, now and on each later session. One lock of a name for a client. */
  lock(name: string, mode: LockMode = 'queue'): Lock {
    const present = this.locks.get(name);
    if (present !== undefined) return present;
    const lock = new Lock(name, mode, {
      forget: () => this.locks.delete(name),
      request: async (method, id, accept) => {
        await this.session?.peer.request(method, [id], this.timeoutMs, accept);
      },
    });
    this.locks.set(name, lock);
    if (this.session !== undefined) this.askFor(lock);
    return lock;
  }

  private live(): Session {
    if (this.stopping.signal.aborted) throw new OvsdbConnectionError('stopped', 'the OVSDB client was stopped');
    if (this.session !== undefined) return this.session;
    throw new OvsdbConnectionError('not-connected', 'there is no session with the OVSDB server', 'not-sent', {
      cause: this.lastError,
    });
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const error = await this.attempt(signal);
      if (signal.aborted) return;
      this.lastError = error;
      const retryInMs = this.backoff.next();
      if (this.session === undefined) this.events.emit('attemptFailed', { error, retryInMs });
      else this.disconnected(error);
      await pause(retryInMs, signal);
    }
  }

  /** One session from its beginning to its end, which it returns. */
  private async attempt(signal: AbortSignal): Promise<Error> {
    let released: Promise<unknown> | undefined;
    try {
      const stream = await openStream(this.options.target, this.options.tls, this.timeoutMs, signal);
      released = new Promise((resolve) => stream.once('close', resolve));
      const peer = new JsonRpcPeer(stream, {
        probeIntervalMs: this.options.probeIntervalMs ?? 5000,
        onNotification: (method, params) => this.notified(peer, method, params),
      });
      this.peer = peer;
      if (signal.aborted) peer.close(new OvsdbConnectionError('stopped', 'the OVSDB client was stopped'));
      await this.establish(peer);
      return await peer.closed;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.peer?.close(new OvsdbConnectionError('protocol', error.message, 'unknown', { cause }));
      return error;
    } finally {
      await released;
      this.peer = undefined;
      if (signal.aborted) this.session = undefined;
    }
  }

  private async establish(peer: JsonRpcPeer): Promise<void> {
    const schema = await peer.request('get_schema', [this.database], this.timeoutMs, parseSchema);
    const { columns, missing } = selectColumns(schema, this.selection);
    const sameSchema = this.position?.fingerprint === schema.fingerprint;
    const lastTransaction = sameSchema ? this.position?.lastTransaction : undefined;
    const request = { schema, columns, lastTransaction, timeoutMs: this.timeoutMs };
    await startMonitor(peer, request, (reply, dialect) => {
      this.store.adopt(schema, columns);
      this.synchronise({ peer, schema, dialect, missingColumns: missing }, reply);
    });
  }

  private synchronise(session: Session, reply: MonitorReply): void {
    const continued = reply.covers === 'since';
    const changes = continued
      ? this.store.applyUpdate(reply.form, reply.updates)
      : this.store.applySnapshot(reply.form, reply.updates);
    const first = this.position === undefined;
    this.position = { fingerprint: session.schema.fingerprint, lastTransaction: reply.lastTransaction };
    this.session = session;
    this.backoff.reset();
    // Before any listener runs, for one that asks for a lock would otherwise have it asked for twice.
    for (const lock of this.locks.values()) this.askFor(lock);
    this.events.emit('connected', session);
    this.publish(first ? 'initial' : 'resynchronised', changes);
    const by = first ? 'first' : continued ? 'continued' : 'compared';
    this.events.emit('resynchronised', { by, changes: changes.length });
    this.waits.check();
  }

  private notified(peer: JsonRpcPeer, method: string, params: readonly unknown[]): void {
    const update = readNotification(method, params);
    if (update !== undefined) {
      if (this.position === undefined) return;
      const changes = this.store.applyUpdate(update.form, update.updates);
      this.position = { ...this.position, lastTransaction: update.lastTransaction };
      this.publish('transaction', changes);
      this.waits.check();
    } else if (method === 'locked' || method === 'stolen') {
      const lock = this.locks.get(String(params[0]));
      if (method === 'locked') lock?.granted();
      else lock?.taken();
    } else if (method === 'monitor_canceled') {
      peer.close(new OvsdbConnectionError('closed', 'the server took the database away', 'unknown'));
    }
  }

  private publish(cause: ChangeBatch['cause'], changes: readonly RowChange[]): void {
    if (changes.length > 0) this.events.emit('changes', { cause, changes });
  }

  private disconnected(error: Error): void {
    const reason =
      error instanceof OvsdbConnectionError
        ? error
        : new OvsdbConnectionError('closed', error.message, 'unknown', { cause: error });
    this.session = undefined;
    // A replica that an update did not fit must be compared with everything, not continued.
    if (reason.reason === 'protocol' && this.position !== undefined) {
      this.position = { ...this.position, lastTransaction: undefined };
    }
    for (const lock of this.locks.values()) lock.taken();
    this.events.emit('disconnected', { error: reason });
  }

  private askFor(lock: Lock): void {
    // A session that ends before the answer is followed by another, which asks again.
    lock.ask().catch((error: unknown) => {
      if (!(error instanceof OvsdbConnectionError) && !(error instanceof OvsdbTimeout)) {
        this.peer?.close(
          new OvsdbConnectionError('protocol', `lock ${lock.name}: ${String(error)}`, 'unknown', { cause: error }),
        );
      }
    });
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
