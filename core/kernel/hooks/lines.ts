import {
  type Delivery,
  HOOKS,
  type HookCalls,
  type HookContext,
  type HookFamily,
  type HookName,
  type PatchbayError,
  type PortBindDraft,
  type PortUnbindDraft,
  type Refusal,
  type StateReport,
} from '@patchbay/sdk';
import { AsyncSeriesBailHook, AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable';
import { KernelError } from '../errors';
import { frozenCopy } from '../plain';
import { acceptedAnswer } from './answers';
import type { Breaker } from './breaker';
import { acceptedContribution, mergedReport } from './contributions';
import { acceptedDraft, type Draft, type DraftHook, isRefusal } from './drafts';
import type { HookTableOptions, RawTap } from './options';
import { checkFact } from './shapes';
import type { Accept, TapRunner, TapVerdict } from './tap-runner';
import type { TapTrace } from './trace';

export interface HookLinesOptions extends HookTableOptions {
  readonly runner: TapRunner;
  readonly traced: (entry: TapTrace) => void;
  readonly breaker: (plugin: string) => Breaker;
  /** Why a plugin does not run; undefined: it does. */
  readonly downReason: (plugin: string) => string | undefined;
  readonly requiredDown: () => { readonly plugin: string; readonly reason: string } | undefined;
}

type Failure = Delivery['failures'][number];

/** One call of one hook, passed along the taps beside the payload. */
interface Passing {
  readonly cause: string;
  readonly failures: Failure[];
  readonly parts: Partial<StateReport>[];
}

interface Drafted {
  readonly draft: Draft;
  readonly refusal: Refusal | undefined;
}

type Line =
  | { readonly family: 'before'; readonly hook: AsyncSeriesWaterfallHook<[Drafted, Passing]> }
  | { readonly family: 'on' | 'contribute'; readonly hook: AsyncSeriesHook<[unknown, Passing]> }
  | { readonly family: 'resolve'; readonly hook: AsyncSeriesBailHook<[unknown, Passing], unknown> };

type Guarded = (payload: unknown, passing: Passing) => Promise<unknown>;

/** The tapable hooks. A `register` interceptor wraps every tap, so that none reaches the hook unguarded. */
export class HookLines {
  private readonly lines: ReadonlyMap<HookName, Line>;

  constructor(private readonly options: HookLinesOptions) {
    const names = Object.keys(HOOKS) as readonly HookName[];
    this.lines = new Map(names.map((name) => [name, this.line(name, HOOKS[name])]));
  }

  tap(name: HookName, plugin: string, fn: RawTap): void {
    // The interceptor makes a promise of it; what is registered here is never called as it is.
    this.lineOf(name).hook.tapPromise(plugin, fn as unknown as () => Promise<never>);
  }

  callsFor(cause: string): HookCalls {
    return {
      beforePortBind: async (draft) => (await this.before('beforePortBind', draft, cause)) as PortBindDraft | Refusal,
      beforePortUnbind: async (draft) =>
        (await this.before('beforePortUnbind', draft, cause)) as PortUnbindDraft | Refusal,
      tell: async (hook, payload) => ({ failures: (await this.pass(hook, payload, cause)).passing.failures }),
      resolveLocalVlan: async (question) =>
        (await this.pass('resolveLocalVlan', question, cause)).answer as number | undefined,
      resolveTunnelPort: async (question) =>
        (await this.pass('resolveTunnelPort', question, cause)).answer as string | undefined,
      reportState: async (payload) => mergedReport((await this.pass('onReportState', payload, cause)).passing.parts),
    };
  }

  private async before(name: DraftHook, given: Draft, cause: string): Promise<Draft | Refusal> {
    const draft = frozenCopy(given, `the draft of ${name}`);
    const missing = name === 'beforePortBind' ? this.options.requiredDown() : undefined;
    if (missing !== undefined) {
      return { refused: KernelError.requiredDown(missing).message, by: missing.plugin, retry: true };
    }
    const line = this.lineOf(name);
    if (line.family !== 'before') return draft;
    const passing: Passing = { cause, failures: [], parts: [] };
    const passed = await line.hook.promise({ draft, refusal: undefined }, passing);
    return passed.refusal ?? passed.draft;
  }

  private async pass(
    name: HookName,
    payload: unknown,
    cause: string,
  ): Promise<{ readonly answer: unknown; readonly passing: Passing }> {
    const passing: Passing = { cause, failures: [], parts: [] };
    const line = this.lineOf(name);
    if (line.family === 'before') return { answer: undefined, passing };
    if (line.family === 'on') checkFact(name, payload);
    const answer: unknown = await line.hook.promise(frozenCopy(payload, `the payload of ${name}`), passing);
    return { answer, passing };
  }

  private lineOf(name: HookName): Line {
    const line = this.lines.get(name);
    if (line === undefined) throw new TypeError(`there is no hook ${name}`);
    return line;
  }

  private line(name: HookName, family: HookFamily): Line {
    const intercepted = <Tap extends { name: string; fn: unknown }>(tap: Tap): Tap => ({
      ...tap,
      fn: this.guarded(name, family, tap.name, tap.fn as RawTap),
    });
    switch (family) {
      case 'before': {
        const hook = new AsyncSeriesWaterfallHook<[Drafted, Passing]>(['drafted', 'passing'], name);
        hook.intercept({ register: intercepted });
        return { family, hook };
      }
      case 'resolve': {
        const hook = new AsyncSeriesBailHook<[unknown, Passing], unknown>(['question', 'passing'], name);
        hook.intercept({ register: intercepted });
        return { family, hook };
      }
      default: {
        const hook = new AsyncSeriesHook<[unknown, Passing]>(['fact', 'passing'], name);
        hook.intercept({ register: intercepted });
        return { family, hook };
      }
    }
  }

  private guarded(hook: HookName, family: HookFamily, plugin: string, fn: RawTap): Guarded {
    switch (family) {
      case 'before':
        return (drafted, passing) => this.beforeTap(hook as DraftHook, plugin, fn, drafted as Drafted, passing);
      case 'resolve':
        return (question, passing) =>
          this.run(
            hook,
            plugin,
            passing,
            (context) => fn(question, context),
            (answer) => ({
              outcome: answer === undefined ? 'ok' : 'answered',
              result: acceptedAnswer(hook, plugin, answer),
            }),
          ).then((verdict) => (verdict?.ok === true ? verdict.result : undefined));
      case 'contribute':
        return async (payload, passing) => {
          const verdict = await this.run(
            hook,
            plugin,
            passing,
            (context) => fn(payload, context),
            (answer) => ({
              outcome: answer === undefined ? 'ok' : 'answered',
              result: answer === undefined ? {} : acceptedContribution(plugin, answer),
            }),
          );
          if (verdict?.ok === true) passing.parts.push(verdict.result);
        };
      case 'on':
        return async (fact, passing) => {
          await this.run(
            hook,
            plugin,
            passing,
            (context) => fn(fact, context),
            () => ({ outcome: 'ok', result: null }),
          );
        };
    }
  }

  private async beforeTap(
    hook: DraftHook,
    plugin: string,
    fn: RawTap,
    drafted: Drafted,
    passing: Passing,
  ): Promise<Drafted | undefined> {
    if (drafted.refusal !== undefined) return undefined;
    const required = this.options.isRequired(plugin);
    const breaker = this.options.breaker(plugin);
    if (!required && !breaker.admits()) {
      this.skipped(hook, plugin, passing, 'switched off after repeated failures');
      return undefined;
    }
    const verdict = await this.run<Drafted | undefined>(
      hook,
      plugin,
      passing,
      (context) => fn(drafted.draft, context),
      (answer) => {
        if (answer === undefined) return { outcome: 'ok', result: undefined };
        if (isRefusal(answer)) {
          return { outcome: 'refused', result: { ...drafted, refusal: { refused: answer.refused, by: plugin } } };
        }
        const draft = acceptedDraft(hook, plugin, drafted.draft, answer);
        return { outcome: 'changed', result: { draft, refusal: undefined } };
      },
    );
    if (verdict?.ok === true) {
      breaker.succeeded();
      if (!required) this.options.condition(plugin, 'before taps', null);
      return verdict.result;
    }
    if (verdict?.ok === false) {
      breaker.failed();
      if (!required && breaker.open) this.options.condition(plugin, 'before taps', verdict.error);
    }
    const last = passing.failures.at(-1);
    return required && last !== undefined
      ? { ...drafted, refusal: { refused: last.reason, by: plugin, retry: true } }
      : undefined;
  }

  /** Undefined: the plugin does not run. */
  private async run<Result>(
    hook: HookName,
    plugin: string,
    passing: Passing,
    run: (context: HookContext) => unknown,
    accept: Accept<Result>,
  ): Promise<TapVerdict<Result> | undefined> {
    const required = this.options.isRequired(plugin);
    const down = this.options.downReason(plugin);
    if (down !== undefined) {
      this.skipped(hook, plugin, passing, down);
      if (required)
        passing.failures.push({ plugin, required, reason: KernelError.requiredDown({ plugin, reason: down }).message });
      return undefined;
    }
    const budgetMs = this.options.settings.budgetsMs[HOOKS[hook]];
    const verdict = await this.options.runner.run({ hook, plugin, cause: passing.cause, budgetMs, run, accept });
    if (verdict.ok) {
      this.options.condition(plugin, `hook ${hook}`, null);
    } else {
      passing.failures.push({ plugin, required, reason: verdict.error.message });
      this.failed(hook, plugin, verdict.error, passing.cause);
    }
    return verdict;
  }

  private failed(hook: HookName, plugin: string, error: PatchbayError, cause: string): void {
    this.options.condition(plugin, `hook ${hook}`, error);
    this.options.loggerOf(plugin).warn('Tap failed', { hook, cause, code: error.code, reason: error.message });
  }

  private skipped(hook: HookName, plugin: string, passing: Passing, detail: string): void {
    this.options.traced({ hook, plugin, outcome: 'skipped', ms: 0, cause: passing.cause, at: Date.now(), detail });
  }
}
