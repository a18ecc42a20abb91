import {
  PatchbayError as CodedError,
  type HookContext,
  type HookName,
  type PatchbayError,
  reasonOf,
} from '@patchbay/sdk';
import { KernelError } from '../errors';
import { type EventContext, StagedChanges, type TapFrame } from '../event-context';
import type { TapMarker } from './marker';
import type { TapOutcome, TapTrace } from './trace';

/** What a tap's raw answer comes to. Throws a coded error if the answer cannot be used. */
export type Accept<Result> = (answer: unknown) => { readonly outcome: TapOutcome; readonly result: Result };

export interface TapCall<Result> {
  readonly hook: HookName;
  readonly plugin: string;
  readonly cause: string;
  readonly budgetMs: number;
  readonly run: (context: HookContext) => unknown;
  readonly accept: Accept<Result>;
}

export type TapVerdict<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: PatchbayError };

export interface TapRunnerOptions {
  readonly context: EventContext;
  readonly marker: TapMarker;
  readonly traced: (entry: TapTrace) => void;
}

/** Runs one tap: isolated, timed, cut off at its budget, its desired changes kept only if it succeeds. Never throws. */
export class TapRunner {
  private readonly active = new Set<AbortController>();

  constructor(private readonly options: TapRunnerOptions) {}

  /** Aborts the signal of every tap at work. */
  abort(reason: string): void {
    for (const controller of this.active) controller.abort(new Error(reason));
  }

  async run<Result>(call: TapCall<Result>): Promise<TapVerdict<Result>> {
    const { hook, plugin, cause } = call;
    const frame: TapFrame = { plugin, state: 'open', staged: new StagedChanges() };
    const at = Date.now();
    const started = performance.now();
    const left = this.options.marker.entered({ hook, plugin });
    const controller = new AbortController();
    this.active.add(controller);
    const traced = (outcome: TapOutcome, detail?: string): void =>
      this.options.traced({
        hook,
        plugin,
        outcome,
        ms: performance.now() - started,
        cause,
        at,
        ...(detail === undefined ? {} : { detail }),
      });
    try {
      const answer = await this.withinBudget(call, frame, controller);
      const { outcome, result } = call.accept(answer);
      this.options.context.join(frame);
      traced(outcome);
      return { ok: true, result };
    } catch (thrown) {
      frame.state = 'dropped';
      const error = coded(call, thrown);
      traced(error.code === 'PB-TAP-TIMED-OUT' ? 'timed-out' : 'failed', error.message);
      return { ok: false, error };
    } finally {
      left();
      this.active.delete(controller);
    }
  }

  private async withinBudget<Result>(
    call: TapCall<Result>,
    frame: TapFrame,
    controller: AbortController,
  ): Promise<unknown> {
    const { hook, plugin, cause, budgetMs } = call;
    const answer = this.options.context.inTap(frame, () => call.run({ signal: controller.signal, cause }));
    if (!isThenable(answer)) return answer;
    const ended = (): void => {
      frame.goesOn = false;
    };
    frame.goesOn = true;
    answer.then(ended, ended);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = KernelError.tapTimedOut({ hook, plugin, budget: budgetMs });
        reject(error);
        this.options.context.inTap(frame, () => controller.abort(error));
      }, budgetMs);
    });
    try {
      return await Promise.race([answer, timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
}

const OWN_CODES = new Set(['PB-TAP-TIMED-OUT', 'PB-DRAFT-INVALID', 'PB-ANSWER-INVALID', 'PB-NOT-PLAIN-DATA']);

function coded(call: { readonly hook: HookName; readonly plugin: string }, thrown: unknown): PatchbayError {
  if (thrown instanceof CodedError && OWN_CODES.has(thrown.code)) return thrown;
  return KernelError.tapFailed({ plugin: call.plugin, hook: call.hook, reason: reasonOf(thrown) }, thrown);
}
