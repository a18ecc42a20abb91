import { type PatchbayError, reasonOf } from '@patchbay/sdk';
import { KernelError } from './errors';
import type { TapContradiction } from './hooks/table';

export type AgentPhase =
  | 'loaded'
  | 'constructing'
  | 'tapping'
  | 'starting'
  | 'synchronising'
  | 'running'
  | 'draining'
  | 'stopped'
  | 'failed';

export type PluginPhase = 'planned' | 'constructed' | 'tapped' | 'running' | 'failed' | 'stopped';
export type StepName = 'construct' | 'tap' | 'start' | 'stop';

/** One step of one plugin: a line of the boot tree. */
export interface LifecycleStep {
  readonly plugin: string;
  readonly step: StepName;
  readonly ms: number;
  /** Undefined: it went well. */
  readonly failure?: string;
}

/** One plugin, as far as its life concerns the host. */
export interface Member {
  readonly id: string;
  readonly onFailure: 'abort' | 'degrade';
  readonly dependsOn: ReadonlySet<string>;
  construct(): void;
  tap(): void;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

export interface LifecycleSettings {
  /** Milliseconds that one plugin's start may take. */
  readonly startBudgetMs: number;
  /** Milliseconds that the others wait for the start of a plugin that the agent can do without. It may go on beside them, to the end of its budget. */
  readonly patienceMs: number;
  /** Milliseconds that one plugin's stop may take. */
  readonly stopBudgetMs: number;
  /** Milliseconds that stopping all of them may take; beyond it the rest is told to stop and not waited for. */
  readonly stopAllBudgetMs: number;
}

/** Stopping as a whole stays under 5 s, well before systemd's default of 90 s. */
export const LIFECYCLE_SETTINGS: LifecycleSettings = {
  startBudgetMs: 30_000,
  patienceMs: 2000,
  stopBudgetMs: 2000,
  stopAllBudgetMs: 4000,
};

export interface LifecycleOptions {
  readonly members: readonly Member[];
  readonly settings: LifecycleSettings;
  readonly onPhase: (phase: AgentPhase) => void;
  /** A plugin is given up; the agent goes on without it, or is about to end. */
  readonly onFailed: (plugin: string, error: PatchbayError) => void;
  /** The others go on while it is still starting; `ended` resolves when it has, or was given up. */
  readonly onLate: (plugin: string, ended: Promise<void>) => void;
  readonly onStopFailed: (plugin: string, error: PatchbayError) => void;
}

/** The hooks, as far as they concern the host: they are sealed between tapping and starting. */
export interface SealedHooks {
  /** Why they cannot be sealed; asked again after a plugin that is to blame was given up. */
  contradiction(): TapContradiction | undefined;
  seal(): void;
}

/** Leads plugins through construct, tap and start in their order, and through stop in reverse. */
export class Lifecycle {
  private readonly phases: Map<string, PluginPhase>;
  private readonly failures = new Map<string, PatchbayError>();
  private readonly steps: LifecycleStep[] = [];
  private readonly begun: Member[] = [];
  private readonly starts = new Map<string, Promise<void>>();
  private current: AgentPhase = 'loaded';
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: LifecycleOptions) {
    this.phases = new Map(options.members.map(({ id }) => [id, 'planned']));
  }

  get phase(): AgentPhase {
    return this.current;
  }

  phaseOf(plugin: string): PluginPhase | undefined {
    return this.phases.get(plugin);
  }

  failureOf(plugin: string): PatchbayError | undefined {
    return this.failures.get(plugin);
  }

  /** Steps taken, in the order they were taken. */
  tree(): readonly LifecycleStep[] {
    return [...this.steps];
  }

  /** Rejects with a fatal error after stopping all, if a plugin fails that the agent cannot do without. */
  async boot(hooks: SealedHooks): Promise<void> {
    const { members, settings, onLate } = this.options;
    try {
      this.enter('constructing');
      for (const member of members) await this.step(member, 'construct', 'constructed', () => member.construct());
      this.enter('tapping');
      for (const member of members) await this.step(member, 'tap', 'tapped', () => member.tap());
      this.giveUpContradictory(hooks);
      hooks.seal();
      this.enter('starting');
      for (const member of members) {
        if (this.stopping !== undefined) return;
        const ended = this.start(member);
        this.starts.set(member.id, ended);
        if (member.onFailure === 'abort') await ended;
        else if (!(await inTime(settings.patienceMs, ended))) onLate(member.id, ended);
      }
      if (this.stopping === undefined) this.enter('synchronising');
    } catch (thrown) {
      await this.stop();
      this.enter('failed');
      throw thrown;
    }
  }

  /** Of plugins whose wishes of order contradict, the last that the agent can do without: the others keep what they wished. */
  private giveUpContradictory(hooks: SealedHooks): void {
    const optional = [...this.options.members].reverse().filter(({ onFailure }) => onFailure === 'degrade');
    for (let found = hooks.contradiction(); found !== undefined; found = hooks.contradiction()) {
      const { plugins, error } = found;
      const member = optional.find(({ id }) => plugins.includes(id));
      if (member === undefined) throw error;
      this.fail(member, 'tap', performance.now(), error);
    }
  }

  /** After those it depends on, which may be late themselves. Rejects only for a plugin that the agent cannot do without. */
  private async start(member: Member): Promise<void> {
    for (const other of member.dependsOn) await this.starts.get(other);
    if (this.stopping !== undefined) return;
    const { startBudgetMs: budget } = this.options.settings;
    await this.step(member, 'start', 'running', () => {
      this.begun.push(member);
      return within(budget, member.start(), () =>
        KernelError.startTimedOut({ plugin: member.id, phase: 'start', budget }),
      );
    });
  }

  /** The first synchronisation is done. */
  synced(): void {
    if (this.current === 'synchronising') this.enter('running');
  }

  /** Stops what was started, last first, to the end even where one fails. Asking twice is one stop. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    this.enter('draining');
    const { settings, onStopFailed } = this.options;
    const deadline = performance.now() + settings.stopAllBudgetMs;
    for (const member of [...this.begun].reverse()) {
      const budget = Math.max(0, Math.min(settings.stopBudgetMs, deadline - performance.now()));
      const started = performance.now();
      let failure: PatchbayError | undefined;
      try {
        await within(budget, member.stop(), () =>
          KernelError.startTimedOut({ plugin: member.id, phase: 'stop', budget: Math.round(budget) }),
        );
      } catch (thrown) {
        failure = KernelError.stopFailed({ plugin: member.id, reason: reasonOf(thrown) }, thrown);
        onStopFailed(member.id, failure);
      }
      this.record(member.id, 'stop', started, failure);
      if (this.phases.get(member.id) !== 'failed') this.phases.set(member.id, 'stopped');
    }
    this.enter('stopped');
  }

  private async step(
    member: Member,
    step: StepName,
    reached: PluginPhase,
    act: () => Promise<void> | void,
  ): Promise<void> {
    if (this.phases.get(member.id) === 'failed') return;
    const started = performance.now();
    try {
      const lost = [...member.dependsOn].find((other) => this.phases.get(other) === 'failed');
      if (lost !== undefined) throw new Error(`${lost}, which it requires, failed`);
      await act();
      this.phases.set(member.id, reached);
      this.record(member.id, step, started);
    } catch (thrown) {
      this.fail(member, step, started, thrown);
    }
  }

  private fail(member: Member, step: StepName, started: number, thrown: unknown): void {
    const fields = { plugin: member.id, phase: step, reason: reasonOf(thrown) };
    const abort = member.onFailure === 'abort';
    const error = abort ? KernelError.pluginFailed(fields, thrown) : KernelError.pluginDegraded(fields, thrown);
    this.phases.set(member.id, 'failed');
    this.failures.set(member.id, error);
    this.record(member.id, step, started, error);
    this.options.onFailed(member.id, error);
    if (abort) throw error;
  }

  private record(plugin: string, step: StepName, started: number, failure?: PatchbayError): void {
    const ms = performance.now() - started;
    this.steps.push({ plugin, step, ms, ...(failure === undefined ? {} : { failure: failure.message }) });
  }

  private enter(phase: AgentPhase): void {
    this.current = phase;
    this.options.onPhase(phase);
  }
}

/** Whether the work ended within the time. It goes on where it did not. */
async function inTime(budgetMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), budgetMs);
  });
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}

/** Waits for the work, but not longer than the budget. */
export async function within<T>(budgetMs: number, work: Promise<T> | T, late: () => Error): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), budgetMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
