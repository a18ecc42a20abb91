import { AsyncLocalStorage } from 'node:async_hooks';
import type { DesiredRecords, DesiredState, Health, Logger, PluginMetrics } from '@patchbay/sdk';
import { EventContext } from '../event-context';
import { PluginJobs } from '../jobs';
import { Calls } from './calls';
import type { FromWorker, StatedChange, WorkerStart } from './messages';

type Path = readonly string[];

/** The services of a plugin in a worker: they look as in the main thread, and ask it. */
export class ThreadServices {
  readonly answers = new Calls();
  private readonly callbacks = new Map<number, (...args: readonly unknown[]) => unknown>();
  private readonly delivery = new AsyncLocalStorage<StatedChange[]>();
  private readonly keys: Set<string>;
  private readonly jobs: PluginJobs;
  private lastNumber = 0;

  constructor(
    private readonly start: WorkerStart,
    private readonly post: (message: FromWorker) => void,
  ) {
    this.keys = new Set(start.keys);
    const logger = this.proxy('logger') as Logger;
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
      case 'health':
        return this.health();
      case 'metrics':
        return this.metrics();
      case 'synchronisation':
        return this.synchronisation();
      case 'announcer':
      case 'messaging':
        throw new Error(`Service.${name} is not to be had in a worker: run this plugin in the main thread`);
      default:
        return this.proxy(name);
    }
  }

  /** Runs a tap; what it states meanwhile goes with its answer. */
  async delivering<T>(
    act: () => T,
  ): Promise<{ readonly value: Awaited<T>; readonly changes: readonly StatedChange[] }> {
    const changes: StatedChange[] = [];
    return { value: await this.delivery.run(changes, act), changes };
  }

  callback(number: number, args: readonly unknown[]): unknown {
    return this.delivery.exit(() => this.callbacks.get(number)?.(...args));
  }

  endJobs(): void {
    this.jobs.end();
  }

  private desired(): DesiredState {
    const change = (key: string, records: DesiredRecords | null): void => {
      if (records === null) this.keys.delete(key);
      else this.keys.add(key);
      const changes = this.delivery.getStore();
      if (changes === undefined) this.post({ kind: 'state', changes: [{ key, records }] });
      else changes.push({ key, records });
    };
    return {
      set: (key, records) => change(key, structuredClone(records)),
      unset: (key) => change(key, null),
      keys: () => [...this.keys],
      progress: (key) => this.ask('desired', ['progress'], [key]) as ReturnType<DesiredState['progress']>,
      complete: () => this.tell('desired', ['complete'], []),
    };
  }

  private health(): Health {
    return {
      report: (...args) => this.tell('health', ['report'], args),
      clear: (...args) => this.tell('health', ['clear'], args),
    };
  }

  /** Metrics are made here and kept there: each use names the metric again. */
  private metrics(): PluginMetrics {
    const use = (kind: string, definition: unknown, method: string) => (value?: number, labels?: unknown) =>
      this.tell('metrics', [kind, method], [definition, value, labels]);
    return {
      counter: (definition) => ({ add: use('counter', definition, 'add') }),
      gauge: (definition) => ({ set: use('gauge', definition, 'set') }),
      histogram: (definition) => ({ observe: use('histogram', definition, 'observe') }),
    };
  }

  private synchronisation(): unknown {
    const proxy = this.proxy('synchronisation') as object;
    const synced = this.ask('synchronisation', ['synced'], []);
    synced.catch(() => undefined);
    return new Proxy(proxy, {
      get: (target, property) => (property === 'synced' ? synced : Reflect.get(target, property)),
    });
  }

  /** Every method asks the main thread. One that is given a function subscribes, and answers with its end. */
  private proxy(service: string, path: Path = []): unknown {
    return new Proxy(() => undefined, {
      get: (_target, property) => {
        // A proxy that had a `then` would be taken for a promise.
        if (typeof property !== 'string' || property === 'then') return undefined;
        return this.proxy(service, [...path, property]);
      },
      apply: (_target, _self, args: readonly unknown[]) => {
        if (service === 'logger') return this.tell(service, path, args);
        const before = this.callbacks.size;
        const plain = args.map((arg) => this.withoutFunctions(arg));
        if (this.callbacks.size === before) return this.ask(service, path, plain);
        this.lastNumber += 1;
        const subscription = this.lastNumber;
        this.post({ kind: 'ask', call: null, service, path, args: plain, subscription });
        return () => this.post({ kind: 'unsubscribe', subscription });
      },
    });
  }

  private withoutFunctions(value: unknown): unknown {
    if (typeof value === 'function') {
      this.lastNumber += 1;
      this.callbacks.set(this.lastNumber, value as (...args: readonly unknown[]) => unknown);
      return { $callback: this.lastNumber };
    }
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.withoutFunctions(inner)]));
  }

  private ask(service: string, path: Path, args: readonly unknown[]): Promise<unknown> {
    return this.answers.make((call) => this.post({ kind: 'ask', call, service, path, args }));
  }

  private tell(service: string, path: Path, args: readonly unknown[]): void {
    this.post({ kind: 'ask', call: null, service, path, args });
  }
}
