import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { reasonOf } from '@patchbay/sdk';
import { Calls } from './calls';
import type { FromWorker, Outcome, Ready, SignOfLife, StatedChange, ToWorker, WorkerStart } from './messages';
import { RemoteObjects } from './remote-objects';

/** Megabytes of heap that a worker may have. */
const HEAP_MB = 512;

export interface WorkerLinkParts {
  readonly start: Omit<WorkerStart, 'backlog'>;
  /** The service of that name, for what the plugin asks. */
  readonly service: (name: string) => unknown;
  /** What the plugin states outside a tap. */
  readonly stated: (changes: readonly StatedChange[]) => void;
  /** What the plugin asked for without waiting for an answer failed. */
  readonly failed: (what: string, thrown: unknown) => void;
  /** The thread ended without having been asked to. */
  readonly lost: (reason: string) => void;
}

/** One thread with one plugin in it, for as long as it lives. */
export class WorkerLink {
  /** The services that it provides, and what it asks of ours. */
  readonly remote: RemoteObjects;
  readonly ready: Promise<Ready>;
  private readonly calls = new Calls();
  private readonly backlog = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;
  private ended = false;
  private lastError: string | undefined;

  constructor(private readonly parts: WorkerLinkParts) {
    this.worker = new Worker(join(__dirname, 'thread.js'), {
      workerData: { ...parts.start, backlog: this.backlog.buffer },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.worker.unref();
    this.remote = new RemoteObjects({
      post: (message) => this.post(message),
      object: parts.service,
      failed: parts.failed,
    });
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('message', (message: FromWorker) => {
        Atomics.sub(this.backlog, 0, 1);
        Atomics.notify(this.backlog, 0);
        try {
          if (message.kind === 'ready') resolve(message);
          else this.received(message);
        } catch (thrown) {
          // What the plugin sent is at fault, and nobody there waits for an answer.
          parts.failed(message?.kind === 'state' ? 'desired.set' : 'message', thrown);
        }
      });
      // Whatever was thrown, null included.
      this.worker.on('error', (thrown: unknown) => {
        this.lastError = reasonOf(thrown);
        reject(thrown);
      });
      this.worker.on('exit', (code) => {
        const reason = this.lastError ?? `it ended with code ${code}`;
        reject(new Error(reason));
        this.end(reason);
      });
    });
    this.ready.catch(() => undefined);
  }

  run(what: 'start' | 'stop'): Promise<unknown> {
    return this.calls.make((call) => this.post({ kind: 'run', call, what }));
  }

  async ping(): Promise<SignOfLife> {
    const { value } = await this.calls.make<Outcome>((call) => this.post({ kind: 'run', call, what: 'ping' }));
    return value as SignOfLife;
  }

  /** Has a tap run in the thread: its answer, and what it stated. */
  async tap(
    hook: string,
    payload: unknown,
    context: { readonly signal: AbortSignal; readonly cause: string },
  ): Promise<Outcome> {
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
    const error = new Error(`its worker is gone: ${reason}`);
    this.calls.fail(error);
    this.remote.end(error);
  }

  private received(message: Exclude<FromWorker, { readonly kind: 'ready' }>): void {
    switch (message.kind) {
      case 'done':
        this.calls.answer(message.call, message.error, message.outcome);
        break;
      case 'state':
        this.parts.stated(message.changes);
        break;
      default:
        this.remote.receive(message);
    }
  }
}
