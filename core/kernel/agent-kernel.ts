import { type HookName, type PatchbayError, reasonOf, Service, type TapListing, type Token } from '@patchbay/sdk';
import { type AllottedTables, allotTables, numberBook } from './allotment';
import { CommandBook } from './commands';
import { watchCompletion } from './completion';
import { Services } from './container';
import { KernelError } from './errors';
import { EventContext } from './event-context';
import { Events } from './events';
import { type AgentHealth, HealthBook } from './health';
import { watchHeldKeys } from './held-keys';
import { TapMarker } from './hooks/marker';
import { HOOK_SETTINGS } from './hooks/options';
import { HookTable } from './hooks/table';
import type { TapTrace } from './hooks/trace';
import type { BootPlan, Kernel, KernelOptions, PluginState } from './kernel';
import { type AgentPhase, LIFECYCLE_SETTINGS, Lifecycle, type LifecycleStep, within } from './lifecycle';
import { namesOf } from './loader/left-out';
import type { FoundPlugin } from './loader/modules';
import type { Resolution } from './loader/plan';
import { resolveListing, stockManifests } from './loader/resolve';
import { type LedMember, memberOf } from './member';
import { retireTheUnlisted } from './retirement';
import { strayErrorOf } from './stray-error';
import { AgentSynchronisation } from './synchronisation';
import { watchEventLoop } from './watchdog';

/** Milliseconds that events under way are given to end before stopping aborts their taps. */
const DRAIN_MS = 500;

interface Booted {
  readonly resolution: Resolution;
  readonly table: HookTable;
  readonly lifecycle: Lifecycle;
  readonly services: Services;
  readonly tables: AllottedTables;
  readonly members: readonly LedMember[];
}

/** Ties the parts together; see `Kernel` for what it promises. */
export class AgentKernel implements Kernel {
  readonly healthBook = new HealthBook();
  readonly commands: CommandBook;
  readonly announcer: Events;
  readonly synchronisation: AgentSynchronisation;
  private readonly context = new EventContext();
  private readonly marker = new TapMarker();
  private readonly phaseListeners = new Set<(phase: AgentPhase) => void>();
  private required: ReadonlySet<string> = new Set();
  private resolution: Promise<Resolution> | undefined;
  private booted: Booted | undefined;
  private readonly watches: (() => void)[] = [];
  private stopAsked = false;

  constructor(private readonly options: KernelOptions) {
    this.commands = new CommandBook(this.context);
    this.announcer = new Events({
      context: this.context,
      store: options.agentServices.desiredStore,
      isRequired: (plugin) => this.required.has(plugin),
      callsFor: (cause) => this.live().table.callsFor(cause),
    });
    this.synchronisation = new AgentSynchronisation({
      context: this.context,
      logger: options.loggerOf('kernel'),
      announce: async (ports) => {
        await this.announcer.event('resync', (calls) => calls.tell('onAgentSynced', { ports }));
      },
    });
  }

  get phase(): AgentPhase {
    return this.booted?.lifecycle.phase ?? 'loaded';
  }

  async plan(): Promise<BootPlan> {
    const resolution = await this.resolve();
    const parsed = resolution.ordered.map(({ config }) => config);
    return {
      plugins: resolution.planned,
      replaced: Object.fromEntries(resolution.standIns),
      errors: parsed.flatMap((one) => (one.ok ? [] : one.errors)),
      warnings: [...resolution.warnings, ...resolution.leftOut.map(({ error }) => error.message)],
    };
  }

  async boot(): Promise<void> {
    if (this.booted !== undefined) throw new TypeError('a kernel boots once');
    const resolution = await this.resolve();
    if (this.stopAsked) throw KernelError.stopping({ cause: 'boot' });
    const configs = new Map(resolution.ordered.map((found) => [found.manifest.id, configOrThrow(found)]));
    this.required = new Set(resolution.planned.filter((plugin) => plugin.required).map((plugin) => plugin.id));
    const logger = this.options.loggerOf('kernel');
    for (const warning of resolution.warnings) logger.warn(warning);
    this.nameLeftOut(resolution);
    const services = this.agentScope(resolution);
    const table = this.hookTable(resolution);
    const numbers = numberBook(this.options);
    const tables = await allotTables(resolution, numbers, this.options);
    const members = resolution.ordered.map((found) => {
      const { manifest } = found;
      const vital = manifest.onFailure === 'abort' || this.required.has(manifest.id);
      this.healthBook.add(manifest.id, vital ? 'vital' : 'optional');
      return memberOf(found, {
        kernel: this.options,
        context: this.context,
        health: this.healthBook,
        services,
        table,
        config: configs.get(manifest.id),
        dependsOn: resolution.dependencies.get(manifest.id) ?? new Set(),
        commands: this.commands,
        announcer: this.announcer,
        tellAgain: (reason) => this.synchronisation.request(reason),
        numbers,
        tables: tables.get(manifest.id) ?? {},
        unmet: resolution.unmet.get(manifest.id),
      });
    });
    const lifecycle = new Lifecycle({
      members: members.map(({ member }) => member),
      settings: { ...LIFECYCLE_SETTINGS, ...this.options.lifecycleSettings },
      onPhase: (phase) => this.entered(phase),
      onFailed: (plugin, error) => {
        table.discard(plugin);
        table.switchOff(plugin, error.message);
        members.find(({ member }) => member.id === plugin)?.endJobs();
        this.healthBook.report(plugin, { condition: 'lifecycle', level: 'failing', detail: error.message });
        this.options.loggerOf(plugin).error('Plugin failed', { code: error.code, reason: error.message });
      },
      onLate: (plugin, ended) => this.isLate(plugin, ended),
      onStopFailed: (plugin, error) =>
        this.options.loggerOf(plugin).error('Plugin failed to stop', { code: error.code, reason: error.message }),
    });
    this.booted = { resolution, table, lifecycle, services, tables, members };
    this.watch();
    const order = resolution.ordered.map(({ manifest }) => manifest.id);
    await lifecycle
      .boot({ contradiction: () => table.contradiction(order), seal: () => table.seal(order) })
      .catch((thrown) => {
        this.endWatches();
        throw thrown;
      });
    this.synchronisation.allStarted();
    void this.synchronisation.synced.then(() => {
      lifecycle.synced();
      if (!this.stopAsked) this.awaitCompletion(this.live());
    });
    if (!this.stopAsked) await retireTheUnlisted(this.options, resolution);
  }

  async stop(): Promise<void> {
    this.stopAsked = true;
    const booted = this.booted;
    if (booted === undefined) return;
    this.endWatches();
    const drained = this.announcer.close();
    await within(DRAIN_MS, drained, () => new Error('taps are still at work')).catch((thrown: unknown) => {
      this.options.loggerOf('kernel').warn('Stopping without waiting for taps', { reason: reasonOf(thrown) });
      booted.table.abort('the agent stops');
    });
    await booted.lifecycle.stop();
  }

  onPhase(listener: (phase: AgentPhase) => void): () => void {
    this.phaseListeners.add(listener);
    return () => this.phaseListeners.delete(listener);
  }

  plugins(): readonly PluginState[] {
    const { resolution, lifecycle, tables } = this.live();
    const listing = this.hooksListing();
    const steps = lifecycle.tree();
    return resolution.planned.map((planned) => ({
      ...planned,
      phase: lifecycle.phaseOf(planned.id) ?? 'planned',
      failure: lifecycle.failureOf(planned.id)?.message ?? null,
      startMs: steps.find(({ plugin, step }) => plugin === planned.id && step === 'start')?.ms ?? null,
      hooks: hooksOf(planned.id, listing),
      tables: tables.get(planned.id) ?? {},
    }));
  }

  health(): AgentHealth {
    return this.healthBook.overall();
  }

  trace(): readonly TapTrace[] {
    return this.booted?.table.trace() ?? [];
  }

  hooksListing(): readonly TapListing[] {
    return this.booted?.table.listing() ?? [];
  }

  bootTree(): readonly LifecycleStep[] {
    return this.booted?.lifecycle.tree() ?? [];
  }

  async jobsUnderWay(): Promise<number> {
    const counts = await Promise.all((this.booted?.members ?? []).map((member) => member.jobsUnderWay()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  provided<T>(token: Token<T>): T | undefined {
    return this.booted?.services.provided(token);
  }

  blame(error: unknown): boolean {
    const all = this.booted?.resolution.ordered.map(({ manifest }) => manifest) ?? [];
    const optional = all.filter(({ id, onFailure }) => onFailure === 'degrade' && !this.required.has(id));
    const failure = strayErrorOf(error, new Set(optional.map(({ id }) => id)));
    if (failure === undefined) return false;
    const { plugin, message: detail, code } = failure;
    this.healthBook.report(plugin, { condition: 'stray error', level: 'degraded', detail, expiresAfterMs: 600_000 });
    this.options.loggerOf(plugin).error('The plugin did not catch an error', { code, reason: reasonOf(error) });
    return true;
  }

  private live(): Booted {
    if (this.booted === undefined) throw new TypeError('the kernel has not booted');
    return this.booted;
  }

  private resolve(): Promise<Resolution> {
    const { agentServices, ...listing } = this.options;
    this.resolution ??=
      this.options.resolution ??
      resolveListing({
        ...listing,
        stockVersion: agentServices.identity.version,
        packetInCeiling: this.options.settings.packet_in_ceiling,
      });
    return this.resolution;
  }

  private agentScope(resolution: Resolution): Services {
    const { identity, switchView, messaging } = this.options.agentServices;
    const services = new Services(resolution.knownProviders);
    services.bindAgent(Service.identity, identity);
    services.bindAgent(Service.switchView, switchView);
    services.bindAgent(Service.messaging, messaging);
    services.bindAgent(Service.announcer, this.announcer);
    services.bindAgent(Service.synchronisation, this.synchronisation);
    return services;
  }

  private nameLeftOut({ leftOut }: Resolution): void {
    for (const left of leftOut) {
      const { message, code } = left.error;
      for (const plugin of namesOf(left)) {
        this.healthBook.add(plugin, 'optional');
        this.healthBook.report(plugin, { condition: 'lifecycle', level: 'failing', detail: message });
        this.options.loggerOf(plugin).error('The agent goes on without a plugin', { code, reason: message });
      }
    }
  }

  private hookTable(resolution: Resolution): HookTable {
    const { loggerOf, hookSettings, onTrace } = this.options;
    return new HookTable({
      context: this.context,
      marker: this.marker,
      settings: { ...HOOK_SETTINGS, ...hookSettings },
      loggerOf,
      isRequired: (plugin) => this.required.has(plugin),
      condition: (plugin, name, error) => this.condition(plugin, name, error),
      knownPlugins: new Set([
        ...resolution.ordered.map(({ manifest }) => manifest.id),
        ...resolution.leftOut.flatMap(namesOf),
        ...stockManifests(this.options.stock).map(({ id }) => id),
      ]),
      standIns: resolution.standIns,
      ...(onTrace === undefined ? {} : { onTrace }),
    });
  }

  /** A plugin that the agent can do without holds up nobody with its start. */
  private isLate(plugin: string, ended: Promise<void>): void {
    const error = KernelError.startIsLate({ plugin });
    this.condition(plugin, 'start', error);
    this.options.loggerOf(plugin).warn('The agent goes on while a plugin is still starting', { code: error.code });
    void ended.then(() => this.condition(plugin, 'start', null));
  }

  private condition(plugin: string, condition: string, error: PatchbayError | null): void {
    if (error === null) this.healthBook.clear(plugin, condition);
    else this.healthBook.report(plugin, { condition, level: 'degraded', detail: error.message });
  }

  private watch(): void {
    const logger = this.options.loggerOf('kernel');
    const end = watchEventLoop({
      marker: this.marker,
      intervalMs: 250,
      limitMs: 500,
      onBlocked: ({ ms, plugins, message }) => {
        logger.warn('The event loop was blocked', { ms, suspects: plugins });
        for (const plugin of plugins) {
          const condition = 'event loop';
          this.healthBook.report(plugin, { condition, level: 'degraded', detail: message, expiresAfterMs: 60_000 });
        }
      },
    });
    this.watches.push(end, watchHeldKeys(this.options.agentServices.desiredStore, this.healthBook));
  }

  private awaitCompletion({ resolution, lifecycle }: Booted): void {
    const end = watchCompletion({
      store: this.options.agentServices.desiredStore,
      health: this.healthBook,
      plugins: resolution.ordered.map(({ manifest }) => manifest),
      runs: (plugin) => lifecycle.failureOf(plugin) === undefined,
    });
    this.watches.push(end);
  }

  private endWatches(): void {
    for (const end of this.watches.splice(0)) end();
  }

  private entered(phase: AgentPhase): void {
    this.options.loggerOf('kernel').info('The agent entered a phase', { phase });
    for (const listener of this.phaseListeners) listener(phase);
  }
}

function hooksOf(plugin: string, listing: readonly TapListing[]): readonly HookName[] {
  return listing.filter(({ plugins }) => plugins.includes(plugin)).map(({ hook }) => hook);
}

/** Options are the operator's to mend: they stop the start, whatever the plugin says of failures. */
function configOrThrow(found: FoundPlugin): unknown {
  const parsed = found.config;
  if (parsed.ok) return parsed.config;
  const [first] = parsed.errors;
  if (parsed.errors.length === 1 && first !== undefined) throw first;
  const problem = parsed.errors.map((error) => error.message).join('; ');
  throw KernelError.configurationInvalid({ place: found.entry.from, problem });
}

export function createKernel(options: KernelOptions): Kernel {
  return new AgentKernel(options);
}
