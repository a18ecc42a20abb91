import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TapOrder } from '@patchbay/sdk';
import { reasonOf } from '../errors';
import { Calls } from './calls';
import { crossed, type FromWorker, isCallback, type StatedChange, type ToWorker, type WorkerStart } from './messages';

/** Megabytes of heap that a worker may have. */
const HEAP_MB = 512;

export interface WorkerLinkParts {
  readonly start: WorkerStart;
  /** The service of that name, for what the plugin asks. */
  readonly service: (name: string) => unknown;
  /** What the plugin states outside a tap. */
  readonly stated: (changes: readonly StatedChange[]) => void;
  /** The thread ended without having been asked to. */
  readonly lost: (reason: string) => void;
}

/** One thread with one plugin in it, for as long as it lives. */
export class WorkerLink {
  private readonly calls = new Calls();
  private readonly subscriptions = new Map<number, () => void>();
  private readonly worker: Worker;
  private ended = false;
  private lastError: string | undefined;
  readonly ready: Promise<readonly { readonly hook: string; readonly order: TapOrder }[]>;

  constructor(private readonly parts: WorkerLinkParts) {
    this.worker = new Worker(join(__dirname, 'thread.js'), {
      workerData: parts.start,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.worker.unref();
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve(message.taps);
        else void this.received(message);
      });
      this.worker.on('error', (error) => {
        this.lastError = error.message;
        reject(error);
      });
      this.worker.on('exit', (code) => {
        const reason = this.lastError ?? `it ended with code ${code}`;
        reject(new Error(reason));
        this.end(reason);
      });
    });
    this.ready.catch(() => undefined);
  }

  run(what: 'start' | 'stop' | 'ping'): Promise<unknown> {
    return this.calls.make((call) => this.post({ kind: 'run', call, what }));
  }

  /** Has a tap run in the thread: its answer, and what it stated. */
  async tap(
    hook: string,
    payload: unknown,
    context: { readonly signal: AbortSignal; readonly cause: string },
  ): Promise<{ readonly value: unknown; readonly changes: readonly StatedChange[] }> {
    let number = 0;
    const abort = (): void => this.post({ kind: 'abort', call: number, reason: reasonOf(context.signal.reason) });
    context.signal.addEventListener('abort', abort, { once: true });
    try {
      return await this.calls.make((call) => {
        number = call;
        this.post({ kind: 'tap', call, hook, payload, cause: context.cause });
      });
    } finally {
      context.signal.removeEventListener('abort', abort);
    }
  }

  /** Ends the thread, whatever it is at. */
  async terminate(reason: string): Promise<void> {
    this.lastError ??= reason;
    await this.worker.terminate();
  }

  /** Ends the thread as it was meant to end. */
  async close(): Promise<void> {
    this.ended = true;
    await this.worker.terminate();
    this.release('it was stopped');
  }

  private post(message: ToWorker): void {
    if (!this.ended) this.worker.postMessage(message);
  }

  private end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.release(reason);
    this.parts.lost(reason);
  }

  private release(reason: string): void {
    this.calls.fail(new Error(`its worker is gone: ${reason}`));
    for (const unsubscribe of this.subscriptions.values()) unsubscribe();
    this.subscriptions.clear();
  }

  private async received(message: Exclude<FromWorker, { readonly kind: 'ready' }>): Promise<void> {
    switch (message.kind) {
      case 'done':
        this.calls.answer(message.call, message.error, { value: message.value, changes: message.changes });
        return;
      case 'state':
        this.parts.stated(message.changes);
        return;
      case 'unsubscribe':
        this.subscriptions.get(message.subscription)?.();
        this.subscriptions.delete(message.subscription);
        return;
      case 'ask':
        await this.asked(message);
    }
  }

  private async asked(message: FromWorker & { readonly kind: 'ask' }): Promise<void> {
    const { call, subscription } = message;
    try {
      const value = await this.ask(message);
      if (subscription !== undefined && typeof value === 'function') {
        this.subscriptions.set(subscription, value as () => void);
      }
      if (call !== null) this.post({ kind: 'answer', call, value });
    } catch (thrown) {
      if (call !== null) this.post({ kind: 'answer', call, error: crossed(thrown) });
    }
  }

  private ask({ service, path, args }: FromWorker & { readonly kind: 'ask' }): unknown {
    const target = this.parts.service(service);
    if (service === 'metrics') return useMetric(target, path, args);
    let owner: unknown = target;
    for (const name of path.slice(0, -1)) owner = Reflect.get(owner as object, name);
    const member: unknown = Reflect.get(owner as object, path.at(-1) ?? '');
    if (typeof member !== 'function') return member;
    return Reflect.apply(
      member,
      owner,
      args.map((arg) => this.withFunctions(arg)),
    );
  }

  private withFunctions(value: unknown): unknown {
    if (isCallback(value)) {
      return async (...args: readonly unknown[]): Promise<unknown> => {
        const { value: answer } = await this.calls.make<{ readonly value: unknown }>((call) =>
          this.post({ kind: 'callback', call, callback: value.$callback, args: args.filter(isPlain) }),
        );
        return answer;
      };
    }
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.withFunctions(inner)]));
  }
}

/** Abort signals and functions stay on this side. */
function isPlain(value: unknown): boolean {
  return typeof value !== 'function' && !(value instanceof AbortSignal);
}

function useMetric(metrics: unknown, [kind = '', method = '']: readonly string[], args: readonly unknown[]): void {
  const [definition, ...rest] = args;
  const made: unknown = Reflect.apply(Reflect.get(metrics as object, kind), metrics, [definition]);
  Reflect.apply(Reflect.get(made as object, method), made, rest);
}
