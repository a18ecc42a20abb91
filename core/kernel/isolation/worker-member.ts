import { type Announcer, type Health, type Logger, type PluginMetrics, reasonOf, type TapOrder } from '@patchbay/sdk';
import { KernelError } from '../errors';
import type { EventContext } from '../event-context';
import type { RawTap } from '../hooks/options';
import type { HookTable } from '../hooks/table';
import { type Member, within } from '../lifecycle';
import type { Ready, StatedChange, WorkerStart } from './messages';
import { ProvidedService } from './provided-service';
import { RemoteEvents } from './remote-events';
import { Silence } from './silence';
import { WorkerLink } from './worker-link';

export interface WorkerSettings {
  /** Milliseconds between signs of life. */
  readonly pingMs: number;
  /** Milliseconds without one after which the thread is ended. */
  readonly patienceMs: number;
  /** Milliseconds before a thread that ended is started again, at first and at most. */
  readonly restartMs: readonly [number, number];
  /** Milliseconds that its start may take then. */
  readonly startMs: number;
}

/** Five seconds is what a tap may take at most: whoever is silent longer does not merely work. */
export const WORKER_SETTINGS: WorkerSettings = {
  pingMs: 1_000,
  patienceMs: 5_000,
  restartMs: [1_000, 60_000],
  startMs: 30_000,
};

/** Megabytes of Buffers that a thread may hold beside its heap. */
const BUFFERS_MB = 512;

export interface WorkerMemberParts {
  readonly start: Omit<WorkerStart, 'keys' | 'backlog'>;
  readonly onFailure: Member['onFailure'];
  readonly dependsOn: ReadonlySet<string>;
  readonly settings: WorkerSettings;
  readonly table: HookTable;
  readonly context: EventContext;
  readonly health: Health;
  readonly logger: Logger;
  readonly service: (name: string) => unknown;
  /** Hands over what the plugin provides, by its token's name. */
  readonly provide: (token: string, value: unknown) => void;
  /** Everything that the manifest says it provides has been handed over, or this throws. */
  readonly provided: () => void;
  /** States what the plugin stated, where the caller is: in a tap, or outside. */
  readonly state: (changes: readonly StatedChange[]) => void;
  readonly keys: () => readonly string[];
  /** Has facts told again, for a plugin that begins anew. */
  readonly tellAgain: (reason: string) => void;
  readonly settled: () => void;
  readonly ended: () => void;
}

const CONDITION = 'worker';

/**
 * A plugin in a thread of its own, led through its life as any other. A thread that crashes, or gives no sign of life, is ended and started again;
 * what the plugin stated stays on the switch meanwhile, and its taps fail as those of a plugin that throws.
 */
export class WorkerMember implements Member {
  readonly id: string;
  readonly onFailure: Member['onFailure'];
  readonly dependsOn: ReadonlySet<string>;
  private link: WorkerLink | undefined;
  private taps: Ready['taps'] = [];
  private readonly services: ProvidedService[] = [];
  private failures = 0;
  private stopping = false;
  private pinging: NodeJS.Timeout | undefined;
  private restarting: NodeJS.Timeout | undefined;

  constructor(private readonly parts: WorkerMemberParts) {
    this.id = parts.start.id;
    this.onFailure = parts.onFailure;
    this.dependsOn = parts.dependsOn;
  }

  async construct(): Promise<void> {
    this.link = this.open();
    const { taps, provided } = await this.ready(this.link);
    this.taps = taps;
    for (const token of provided) {
      const service = new ProvidedService(token, () => this.live().remote);
      this.services.push(service);
      this.parts.provide(token, service.value);
    }
    this.parts.provided();
  }

  tap(): void {
    const hooks = this.parts.table.hooksFor(this.id) as unknown as Readonly<
      Record<string, (tap: RawTap, order: TapOrder) => void>
    >;
    for (const { hook, order } of this.taps)
      hooks[hook]?.((payload, context) => this.deliver(hook, payload, context), order);
  }

  async start(): Promise<void> {
    await this.live().run('start');
    this.watch();
    this.parts.settled();
  }

  /** The host goes on without the plugin: its thread is at work no longer, and is not started again. */
  giveUp(): void {
    this.stopping = true;
    clearInterval(this.pinging);
    clearTimeout(this.restarting);
    void this.link?.close();
    this.parts.ended();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.pinging);
    clearTimeout(this.restarting);
    const { link } = this;
    try {
      await link?.run('stop');
    } finally {
      await link?.close();
      this.parts.ended();
    }
  }

  /** Its thread's answer comes after all that the thread had said before. None from a thread that is gone. */
  async jobsUnderWay(): Promise<number> {
    if (this.stopping || this.link === undefined) return 0;
    return this.link.ping().then(
      ({ jobsUnderWay }) => jobsUnderWay,
      () => 0,
    );
  }

  private open(): WorkerLink {
    const { service, state, context } = this.parts;
    const own: Readonly<Record<string, () => unknown>> = {
      events: () => events,
      'metric uses': () => metricUses(service('metrics') as PluginMetrics),
    };
    const events = new RemoteEvents(service('announcer') as Announcer, state);
    return context.outside(
      () =>
        new WorkerLink({
          start: { ...this.parts.start, keys: this.parts.keys() },
          service: (name) => own[name]?.() ?? service(name),
          stated: (changes) => context.outside(() => state(changes)),
          failed: (what, thrown) => this.refused(what, thrown),
          lost: (reason) => this.lost(reason),
        }),
    );
  }

  /** A thread that loops while it loads its module is never ready. */
  private async ready(link: WorkerLink): Promise<Ready> {
    const { patienceMs } = this.parts.settings;
    const late = () => KernelError.startTimedOut({ plugin: this.id, phase: 'load in a worker', budget: patienceMs });
    try {
      return await within(patienceMs, link.ready, late);
    } catch (thrown) {
      await link.terminate(reasonOf(thrown));
      throw thrown;
    }
  }

  private live(): WorkerLink {
    if (this.link === undefined) throw KernelError.workerLost({ plugin: this.id, reason: 'it is being started again' });
    return this.link;
  }

  private async deliver(hook: string, payload: unknown, context: unknown): Promise<unknown> {
    const { value, changes } = await this.live().tap(hook, payload, context as Parameters<WorkerLink['tap']>[2]);
    this.parts.state(changes);
    return value;
  }

  private refused(what: string, thrown: unknown): void {
    const reason = reasonOf(thrown);
    this.parts.logger.error('What the plugin asked for failed', { what, reason });
    this.parts.health.report(`service ${what}`, 'degraded', reason);
  }

  private watch(): void {
    clearInterval(this.pinging);
    const { pingMs, patienceMs } = this.parts.settings;
    const silence = new Silence(pingMs);
    this.pinging = setInterval(() => {
      const { link } = this;
      if (link === undefined) return;
      if (silence.look() > patienceMs) {
        void link.terminate(`it gave no sign of life for ${patienceMs} ms`);
        return;
      }
      link.ping().then(
        ({ bufferBytes }) => {
          silence.heard();
          if (bufferBytes > BUFFERS_MB * 2 ** 20) void link.terminate(`it held more than ${BUFFERS_MB} MB of buffers`);
        },
        () => undefined,
      );
    }, pingMs);
    this.pinging.unref();
  }

  private lost(reason: string): void {
    this.link = undefined;
    clearInterval(this.pinging);
    if (this.stopping) return;
    const error = KernelError.workerLost({ plugin: this.id, reason });
    this.parts.health.report(CONDITION, 'failing', error.message);
    this.parts.logger.error('The worker of the plugin ended; it is started again', { code: error.code, reason });
    const [first, most] = this.parts.settings.restartMs;
    const delay = Math.min(most, first * 2 ** this.failures);
    this.failures += 1;
    this.restarting = this.parts.context.outside(() => setTimeout(() => void this.begin(), delay));
    this.restarting.unref();
  }

  private async begin(): Promise<void> {
    const link = this.open();
    try {
      await this.ready(link);
      const { startMs: budget } = this.parts.settings;
      const late = () => KernelError.startTimedOut({ plugin: this.id, phase: 'start again', budget });
      await within(budget, link.run('start'), late);
      this.link = link;
      this.parts.health.clear(CONDITION);
      for (const service of this.services) service.resume();
      this.watch();
      this.parts.tellAgain(`${this.id} was started again`);
    } catch (thrown) {
      // A thread that ended says so itself; one that only failed to start is ended.
      await link.terminate(reasonOf(thrown));
    }
  }
}

type MetricUse = (definition: unknown, method: string, value?: number, labels?: unknown) => void;

/** Metrics, each used by its whole definition: asking for one again gives the same. */
function metricUses(metrics: PluginMetrics): Readonly<Record<keyof PluginMetrics, MetricUse>> {
  const use =
    (kind: keyof PluginMetrics): MetricUse =>
    (definition, method, value, labels) => {
      const metric: object = Reflect.apply(metrics[kind], metrics, [definition]);
      Reflect.apply(Reflect.get(metric, method), metric, [value, labels]);
    };
  return { counter: use('counter'), gauge: use('gauge'), histogram: use('histogram') };
}
