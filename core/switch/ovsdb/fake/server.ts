import { createServer, type Server } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { OvsdbConnectionError } from '../errors';
import { JsonRpcPeer, type Reply } from '../json-rpc';
import type { MonitorDialect } from '../monitor';
import { parseSchema } from '../schema';
import type { AnyRow } from '../values';
import { type Commit, FakeDatabase } from './database';
import { LockQueues } from './locks';
import { type FakeMonitor, initialUpdates, merged, readMonitor, updatesFor } from './monitors';
import { openVSwitchSchema } from './schema';
import { FakeVswitchd, type VswitchdOptions } from './vswitchd';

export interface FakeOvsdbServerOptions {
  /** The content of an `.ovsschema` file; the Open_vSwitch schema unless told. */
  readonly schema?: unknown;
  /** Methods to answer as unknown, the way an older server does. */
  readonly unknownMethods?: readonly string[];
  /** Which of ovs-vswitchd's doings to play; none unless told. */
  readonly vswitchd?: VswitchdOptions;
}

interface Session {
  readonly peer: JsonRpcPeer;
  readonly monitors: Map<string, FakeMonitor>;
}

/**
 * An OVSDB server in memory for tests: transactions with their integrity rules, monitors in all three dialects, locks, and
 * on request what ovs-vswitchd would do with the rows. It serves a unix socket, streams within the process, or both.
 */
export class FakeOvsdbServer {
  readonly database: FakeDatabase;
  readonly vswitchd: FakeVswitchd;
  /** Methods to answer as unknown; may be changed at any time. */
  readonly unknownMethods: Set<string>;
  /** Every request and notification received, oldest first: `[method, params]`. */
  readonly received: (readonly [string, readonly unknown[]])[] = [];
  private readonly sessions = new Set<Session>();
  private readonly locks = new LockQueues<Session>((session, event, lock) => session.peer.notify(event, [lock]));
  private readonly schemaText: unknown;
  private accepting: 'accept' | 'refuse' | 'ignore' = 'accept';
  private listener: Server | undefined;

  constructor(options: FakeOvsdbServerOptions = {}) {
    this.schemaText = options.schema ?? openVSwitchSchema();
    this.database = new FakeDatabase(parseSchema(this.schemaText));
    this.unknownMethods = new Set(options.unknownMethods);
    this.database.onCommit((commit) => this.committed(commit));
    this.vswitchd = new FakeVswitchd(this.database, options.vswitchd ?? {});
    if (this.database.schema.tables.has('Open_vSwitch')) {
      this.database.transact(
        [{ op: 'insert', table: 'Open_vSwitch', row: {} }],
        () => false,
        () => undefined,
      );
    }
  }

  /** Listens on a unix socket. */
  async listen(path: string): Promise<void> {
    const server = createServer((socket) => this.accept(socket));
    this.listener = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  }

  /** A stream to this server without a socket; usable as a client's target: `target: () => server.connect()`. */
  connect(): Duplex {
    if (this.accepting === 'refuse') throw new OvsdbConnectionError('refused', 'the fake server refuses connections');
    const [near, far] = duplexPair();
    // A pair tells of an orderly end only; a socket's other end also learns when it is torn down.
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    this.accept(far);
    return near;
  }

  rows(table: string): readonly AnyRow[] {
    return this.database.rows(table);
  }

  /** Ends all sessions, as a restart of the server does. */
  dropSessions(): void {
    for (const { peer } of [...this.sessions]) peer.close(new OvsdbConnectionError('closed', 'dropped by the test'));
  }

  /** What to do with whoever connects: serve, refuse, or take the connection and never say a word. */
  onConnect(behaviour: 'accept' | 'refuse' | 'ignore'): void {
    this.accepting = behaviour;
  }

  async close(): Promise<void> {
    this.vswitchd.stop();
    this.dropSessions();
    this.database.close();
    const listener = this.listener;
    if (listener === undefined) return;
    await new Promise<void>((resolve) => {
      listener.close(() => resolve());
    });
  }

  private accept(stream: Duplex): void {
    if (this.accepting === 'refuse') {
      stream.destroy();
      return;
    }
    if (this.accepting === 'ignore') {
      stream.on('error', () => undefined);
      stream.resume();
      stream.on('end', () => stream.destroy());
      return;
    }
    const session: Session = {
      peer: new JsonRpcPeer(stream, {
        probeIntervalMs: 0,
        onNotification: (method, params) => this.received.push([method, params]),
        onRequest: (method, params, reply) => this.serve(session, method, params, reply),
      }),
      monitors: new Map(),
    };
    this.sessions.add(session);
    void session.peer.closed.then(() => {
      this.sessions.delete(session);
      this.locks.leaveAll(session);
    });
  }

  private serve(session: Session, method: string, params: readonly unknown[], reply: (reply: Reply) => void): void {
    this.received.push([method, params]);
    const { name } = this.database.schema;
    if (this.unknownMethods.has(method)) {
      reply({ error: 'unknown method' });
      return;
    }
    switch (method) {
      case 'list_dbs':
        reply({ result: [name] });
        return;
      case 'get_schema':
        this.forDatabase(params, method, reply, () => reply({ result: this.schemaText }));
        return;
      case 'transact':
        this.forDatabase(params, method, reply, () => {
          const holds = (lock: string): boolean => this.locks.owner(lock) === session;
          this.database.transact(params.slice(1), holds, (results) => reply({ result: results }));
        });
        return;
      case 'monitor':
      case 'monitor_cond':
      case 'monitor_cond_since':
        this.forDatabase(params, method, reply, () => this.monitor(session, method, params, reply));
        return;
      case 'lock':
      case 'steal':
        reply({ result: { locked: this.locks.enter(session, String(params[0]), method) } });
        return;
      case 'unlock':
        this.locks.leave(session, String(params[0]));
        reply({ result: {} });
        return;
      default:
        reply({ error: 'unknown method' });
    }
  }

  private forDatabase(
    params: readonly unknown[],
    method: string,
    reply: (reply: Reply) => void,
    serve: () => void,
  ): void {
    if (params[0] === this.database.schema.name) serve();
    else
      reply({
        error: {
          error: 'unknown database',
          details: `${method} request specifies unknown database ${String(params[0])}`,
        },
      });
  }

  private monitor(
    session: Session,
    dialect: MonitorDialect,
    params: readonly unknown[],
    reply: (reply: Reply) => void,
  ): void {
    let monitor: FakeMonitor;
    try {
      monitor = readMonitor(this.database.schema, dialect, params[1], params[2]);
    } catch (error) {
      reply({ error: { error: 'syntax error', details: error instanceof Error ? error.message : String(error) } });
      return;
    }
    session.monitors.set(JSON.stringify(monitor.id), monitor);
    if (dialect !== 'monitor_cond_since') {
      reply({ result: initialUpdates(this.database, monitor) });
      return;
    }
    const missed = this.database.since(String(params[3]));
    const updates = missed === undefined ? initialUpdates(this.database, monitor) : updatesFor(monitor, merged(missed));
    reply({ result: [missed !== undefined, this.database.transactionId, updates ?? {}] });
  }

  private committed(commit: Commit): void {
    for (const session of this.sessions) {
      for (const monitor of session.monitors.values()) {
        const updates = updatesFor(monitor, commit.deltas);
        if (updates === undefined) continue;
        if (monitor.dialect === 'monitor') session.peer.notify('update', [monitor.id, updates]);
        else if (monitor.dialect === 'monitor_cond') session.peer.notify('update2', [monitor.id, updates]);
        else session.peer.notify('update3', [monitor.id, commit.id, updates]);
      }
    }
  }
}
