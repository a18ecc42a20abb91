import { type Logger, reasonOf, type Synchronisation, type Unsubscribe } from '@patchbay/sdk';
import type { EventContext } from './event-context';

/** Milliseconds between two synchronisations that were asked for. */
const BETWEEN_PASSES_MS = 1_000;

export interface SynchronisationOptions {
  readonly context: EventContext;
  readonly logger: Logger;
  /** Tells `onAgentSynced`. */
  readonly announce: (ports: number) => Promise<void>;
}

/** Passes requests on to those who hold caches and ports, and tells once per synchronisation that it is done. */
export class AgentSynchronisation implements Synchronisation {
  readonly started: Promise<void>;
  readonly synced: Promise<void>;
  private resolveStarted: () => void = () => undefined;
  private resolveSynced: () => void = () => undefined;
  private readonly listeners = new Set<(reason: string) => void>();
  private requested: string | undefined;
  private announcing: Promise<void> = Promise.resolve();
  private done = 0;
  private passedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: SynchronisationOptions) {
    this.started = new Promise((resolve) => {
      this.resolveStarted = resolve;
    });
    this.synced = new Promise((resolve) => {
      this.resolveSynced = resolve;
    });
  }

  /** For the kernel: no plugin's start is waited for any more. */
  allStarted(): void {
    this.resolveStarted();
  }

  /** How many synchronisations have been done. */
  get completed(): number {
    return this.done;
  }

  /** Requests made within one turn of the event loop are one; who asks again whenever it is done does so once in a second. */
  request(reason: string): void {
    const first = this.requested === undefined;
    this.requested = this.requested === undefined ? reason : `${this.requested}, ${reason}`;
    if (!first) return;
    const waitMs = this.passedAt + BETWEEN_PASSES_MS - performance.now();
    this.options.context.outside(() => {
      if (waitMs <= 0) queueMicrotask(() => this.pass());
      else setTimeout(() => this.pass(), waitMs).unref();
    });
  }

  onRequested(listener: (reason: string) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  portsDone(count: number): void {
    this.options.context.outside(() => {
      this.announcing = this.announcing.then(() => this.announce(count));
    });
  }

  private pass(): void {
    const reason = this.requested ?? '';
    this.passedAt = performance.now();
    this.requested = undefined;
    this.options.logger.info('Synchronisation was requested', { reason });
    for (const listener of this.listeners) {
      try {
        listener(reason);
      } catch (thrown) {
        this.options.logger.error('A listener for synchronisation failed', { reason: reasonOf(thrown) });
      }
    }
  }

  private async announce(ports: number): Promise<void> {
    try {
      await this.options.announce(ports);
    } catch (thrown) {
      this.options.logger.warn('Telling that the agent is synchronised failed', { reason: reasonOf(thrown) });
    }
    this.done += 1;
    this.options.logger.info('Synchronised', { ports });
    this.resolveSynced();
  }
}
