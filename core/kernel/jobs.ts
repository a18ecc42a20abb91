import { type Backoff, type Health, type Jobs, type Logger, reasonOf, type Unsubscribe } from '@patchbay/sdk';
import { KernelError } from './errors';
import type { EventContext } from './event-context';

/** How long a one-time or regular job that threw waits before it is tried again. */
const RETRY: Backoff = { initialMs: 1000, maxMs: 60_000 };

/** The longest that a timer of Node waits: some 24 days. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** Milliseconds after which a job at work is taken for one that goes on, such as a poll that waits for its answer. */
const GOES_ON_MS = 1_000;

export interface JobsOptions {
  readonly plugin: string;
  readonly health: Health;
  readonly logger: Logger;
  readonly context: EventContext;
  /** From 0 to 1; spreads retries of many agents. */
  readonly random?: () => number;
}

interface Job {
  readonly name: string;
  readonly controller: AbortController;
  timer: NodeJS.Timeout | undefined;
  /** When it began to work, or was asked to at once; undefined while it waits for its time, or for another attempt. */
  busySince: number | undefined;
  /** Why it failed last, and how often since it last went well. */
  trouble: { readonly reason: string; readonly times: number } | undefined;
}

/** The jobs of one plugin. Timers keep no process alive; a job never runs twice at once. */
export class PluginJobs implements Jobs {
  private readonly jobs = new Map<string, Job>();
  private ended = false;

  constructor(private readonly options: JobsOptions) {}

  every(name: string, intervalMs: number, work: (signal: AbortSignal) => Promise<void> | void): Unsubscribe {
    if (!(intervalMs > 0))
      throw new RangeError(`the interval of job ${name} is ${intervalMs}, not a number of milliseconds`);
    return this.begin(name, (job) => {
      const round = (failures: number): void =>
        this.wait(job, failures === 0 ? intervalMs : Math.min(intervalMs, this.delay(RETRY, failures)), async () => {
          const succeeded = await this.attempt(job, work);
          round(succeeded ? 0 : failures + 1);
        });
      round(0);
    });
  }

  after(name: string, delayMs: number, work: (signal: AbortSignal) => Promise<void> | void): Unsubscribe {
    return this.begin(name, (job) => this.until(job, delayMs, RETRY, work));
  }

  untilDone(
    name: string,
    backoff: Backoff,
    work: (signal: AbortSignal, attempt: number) => Promise<void>,
  ): Unsubscribe {
    return this.begin(name, (job) => this.until(job, 0, backoff, work));
  }

  /** How many are at work, or due at once: a round of `every` that is to come, or a retry, is not. */
  underWay(): number {
    const since = performance.now() - GOES_ON_MS;
    return [...this.jobs.values()].filter(({ busySince }) => busySince !== undefined && busySince > since).length;
  }

  /** Ends them all; nothing starts afterwards. */
  end(): void {
    this.ended = true;
    for (const job of [...this.jobs.values()]) this.drop(job);
  }

  private begin(name: string, start: (job: Job) => void): Unsubscribe {
    const earlier = this.jobs.get(name);
    if (earlier !== undefined) this.drop(earlier);
    const job: Job = {
      name,
      controller: new AbortController(),
      timer: undefined,
      busySince: undefined,
      trouble: undefined,
    };
    if (this.ended) return () => undefined;
    this.jobs.set(name, job);
    this.options.context.outside(() => start(job), this.options.plugin);
    return () => this.drop(job);
  }

  private drop(job: Job): void {
    clearTimeout(job.timer);
    job.controller.abort(new Error(`job ${job.name} has ended`));
    if (this.jobs.get(job.name) !== job) return;
    this.jobs.delete(job.name);
    this.options.health.clear(`job ${job.name}`);
  }

  private until(
    job: Job,
    delayMs: number,
    backoff: Backoff,
    work: (signal: AbortSignal, attempt: number) => Promise<void> | void,
  ): void {
    const round = (attempt: number, waitMs: number): void =>
      this.wait(job, waitMs, async () => {
        if (await this.attempt(job, (signal) => work(signal, attempt))) this.drop(job);
        else round(attempt + 1, this.delay(backoff, attempt));
      });
    if (delayMs <= 0) job.busySince = performance.now();
    round(1, delayMs);
  }

  private wait(job: Job, delayMs: number, then: () => Promise<void>): void {
    if (job.controller.signal.aborted) return;
    const left = delayMs - LONGEST_TIMER_MS;
    // Node fires at once where it is asked to wait longer.
    const next = left > 0 ? async () => this.wait(job, left, then) : then;
    job.timer = setTimeout(() => void next(), Math.min(delayMs, LONGEST_TIMER_MS));
    job.timer.unref();
  }

  private async attempt(job: Job, work: (signal: AbortSignal) => Promise<void> | void): Promise<boolean> {
    const { plugin, health, logger } = this.options;
    const { signal } = job.controller;
    job.busySince = performance.now();
    try {
      await work(signal);
      if (signal.aborted) return true;
      health.clear(`job ${job.name}`);
      const { times = 0 } = job.trouble ?? {};
      if (times > 1) logger.info('Job went well again', { job: job.name, failures: times });
      job.trouble = undefined;
      return true;
    } catch (thrown) {
      if (signal.aborted) return false;
      const reason = reasonOf(thrown);
      const error = KernelError.jobFailed({ plugin, job: job.name, reason }, thrown);
      health.report(`job ${job.name}`, 'degraded', error.message);
      // A server that is away for an hour is one line for each who asks it, not one for each question.
      const isNews = job.trouble?.reason !== reason;
      job.trouble = { reason, times: (job.trouble?.times ?? 0) + 1 };
      logger[isNews ? 'warn' : 'debug']('Job failed and will be tried again', {
        job: job.name,
        code: error.code,
        reason,
      });
      return false;
    } finally {
      job.busySince = undefined;
    }
  }

  /** Between half of the step and all of it, so that agents that failed together do not return together. */
  private delay({ initialMs, maxMs, factor = 2 }: Backoff, failures: number): number {
    const step = Math.min(maxMs, initialMs * factor ** (failures - 1));
    return step * (0.5 + 0.5 * (this.options.random ?? Math.random)());
  }
}
