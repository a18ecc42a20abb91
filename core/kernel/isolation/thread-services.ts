import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import type {
  Announcer,
  DesiredRecords,
  DesiredState,
  EventOutcome,
  Health,
  HookCalls,
  KeyAcknowledgement,
  Logger,
  PluginMetrics,
} from '@patchbay/sdk';
import { EventContext } from '../event-context';
import { PluginJobs } from '../jobs';
import type { FromWorker, Outcome, StatedChange, WorkerStart } from './messages';
import { facade, RemoteObjects } from './remote-objects';

/** What one act of an event states, until its answer has left. */
interface Delivery {
  readonly changes: StatedChange[];
  left: boolean;
}

/** The services of a plugin in a worker: they look as in the main thread, and ask it. */
export class ThreadServices {
  readonly remote: RemoteObjects;
  /** What the plugin provides, by its tokens' names. */
  readonly provided = new Map<string, unknown>();
  private readonly delivery = new AsyncLocalStorage<Delivery | undefined>();
  private readonly keys: Set<string>;
  private readonly jobs: PluginJobs;

  constructor(
    private readonly start: WorkerStart,
    private readonly post: (message: FromWorker) => void,
  ) {
    this.keys = new Set(start.keys);
    const logger = this.telling('logger') as Logger;
    this.remote = new RemoteObjects({
      post,
      object: (name) => this.provided.get(name),
      failed: (what, thrown) => logger.error('What another plugin asked for failed', { what, reason: String(thrown) }),
    });
    this.jobs = new PluginJobs({ plugin: start.id, health: this.health(), logger, context: new EventContext() });
  }

  /** The service of that name, as a constructor parameter. */
  named(name: string): unknown {
    switch (name) {
      case 'config':
        return this.start.config;
      case 'identity':
        return this.start.identity;
      case 'tables':
        return this.start.tables;
      case 'desired':
        return this.desired();
      case 'jobs':
        return this.jobs;
      case 'logger':
        return this.telling('logger');
      case 'health':
        return this.health();
      case 'metrics':
        return this.metrics();
      case 'synchronisation':
        return this.synchronisation();
      case 'announcer':
        return this.announcer();
      case 'messaging':
        return { connect: (options: unknown) => this.remote.keep('messaging', ['connect'], [options]) };
      default:
        return this.remote.facade(name);
    }
  }

  /** Runs an act of one event; what it states meanwhile goes with its answer. */
  async delivering(act: () => unknown): Promise<Outcome> {
    const delivery: Delivery = { changes: [], left: false };
    const value: unknown = await this.delivery.run(delivery, act);
    delivery.left = true;
    return { value, changes: delivery.changes };
  }

  /** Runs what belongs to no event. */
  outside<T>(act: () => T): T {
    return this.delivery.run(undefined, act);
  }

  jobsUnderWay(): number {
    return this.jobs.underWay();
  }

  endJobs(): void {
    this.jobs.end();
  }

  private desired(): DesiredState {
    const change = (key: string, records: DesiredRecords | null): void => {
      if (records === null) this.keys.delete(key);
      else this.keys.add(key);
      const delivery = this.delivery.getStore();
      // What an act set off and did not wait for belongs to no event any more.
      if (delivery === undefined || delivery.left) this.post({ kind: 'state', changes: [{ key, records }] });
      else delivery.changes.push({ key, records });
    };
    return {
      set: (key, records) => change(key, structuredClone(records)),
      unset: (key) => change(key, null),
      keys: () => [...this.keys],
      progress: (key) => this.remote.ask('desired', ['progress'], [key]) as ReturnType<DesiredState['progress']>,
      complete: () => this.remote.tell('desired', ['complete'], []),
    };
  }

  private health(): Health {
    return this.telling('health') as Health;
  }

  /** Metrics are made here and kept there: each use names the metric again. */
  private metrics(): PluginMetrics {
    const use = (kind: string, definition: unknown, method: string) => (value?: number, labels?: unknown) =>
      this.remote.tell('metric uses', [kind], [definition, method, value, labels]);
    return {
      counter: (definition) => ({ add: use('counter', definition, 'add') }),
      gauge: (definition) => ({ set: use('gauge', definition, 'set') }),
      histogram: (definition) => ({ observe: use('histogram', definition, 'observe') }),
    };
  }

  private synchronisation(): unknown {
    const there = this.remote.facade('synchronisation') as object;
    const moments: Readonly<Record<PropertyKey, Promise<unknown>>> = {
      started: this.remote.ask('synchronisation', ['started'], []),
      synced: this.remote.ask('synchronisation', ['synced'], []),
    };
    return new Proxy(there, {
      get: (target, property) => moments[property] ?? Reflect.get(target, property),
    });
  }

  private announcer(): Announcer {
    return {
      event: async <T>(cause: string, act: (calls: HookCalls) => Promise<T>): Promise<EventOutcome<T>> => {
        const within = (event: number): Promise<Outcome> => this.delivering(() => act(this.hookCalls(event)));
        const { event, value } = (await this.remote.ask('events', ['run'], [cause, within])) as {
          readonly event: number;
          readonly value: T;
        };
        const acknowledged = this.remote.ask('events', ['acknowledged'], [event]);
        return { value, acknowledged: () => acknowledged as Promise<readonly KeyAcknowledgement[]> };
      },
      onProgress: (listener) => this.remote.subscribe('announcer', ['onProgress'], [listener]),
    };
  }

  private hookCalls(event: number): HookCalls {
    const ask = (path: readonly string[], args: readonly unknown[]) =>
      this.remote.ask('events', ['call'], [event, path.join('.'), args]);
    return facade({ ask, subscribe: () => () => undefined }) as HookCalls;
  }

  /** A service that answers nothing. */
  private telling(service: string): unknown {
    return new Proxy(
      {},
      {
        get:
          (_target, method) =>
          (...args: readonly unknown[]) => {
            try {
              this.remote.tell(service, [String(method)], args);
            } catch {
              // A function or a socket does not cross a thread, and what is only to be read need not.
              this.remote.tell(service, [String(method)], args.map(readable));
            }
          },
      },
    );
  }
}

/** Text for people, of anything. */
function readable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : inspect(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      typeof field === 'string' ? field : inspect(field, { depth: 1 }),
    ]),
  );
}
