import type { Announcer, EventOutcome, HookCalls, KeyAcknowledgement, Unsubscribe } from '@patchbay/sdk';
import type { DesiredChange, DesiredStore } from './desired-port';
import { KernelError } from './errors';
import { type EventContext, type EventFrame, StagedChanges } from './event-context';

export interface EventsOptions {
  readonly context: EventContext;
  readonly store: DesiredStore;
  readonly isRequired: (plugin: string) => boolean;
  /** The hooks as they are called within an event of this cause. */
  readonly callsFor: (cause: string) => HookCalls;
}

/** Delivers events: one unit each, whose changes leave together or not at all. */
export class Events implements Announcer {
  private closed = false;
  private readonly inFlight = new Set<Promise<unknown>>();

  constructor(private readonly options: EventsOptions) {}

  async event<T>(cause: string, act: (calls: HookCalls) => Promise<T>): Promise<EventOutcome<T>> {
    if (this.closed) throw KernelError.stopping({ cause });
    const frame: EventFrame = {
      cause,
      state: 'open',
      staged: new StagedChanges(),
      late: (changes) => this.options.store.apply(changes, cause),
    };
    const acted = this.options.context.inEvent(frame, async () => act(this.options.callsFor(cause)));
    this.inFlight.add(acted);
    try {
      const value = await acted;
      const changes = frame.staged.list();
      frame.state = 'left';
      if (changes.length > 0) this.options.store.apply(changes, cause);
      return { value, acknowledged: () => this.acknowledged(changes) };
    } catch (thrown) {
      frame.state = 'dropped';
      throw thrown;
    } finally {
      this.inFlight.delete(acted);
    }
  }

  onProgress(listener: (acknowledgement: KeyAcknowledgement) => void): Unsubscribe {
    return this.options.store.onProgress((plugin, key, progress) =>
      this.options.context.outside(() =>
        listener({ plugin, required: this.options.isRequired(plugin), key, progress }),
      ),
    );
  }

  /** Takes no further event. Resolves when those under way have ended, however they ended. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.inFlight);
  }

  private acknowledged(changes: readonly DesiredChange[]): Promise<readonly KeyAcknowledgement[]> {
    return Promise.all(
      changes.map(async ({ plugin, key }) => ({
        plugin,
        required: this.options.isRequired(plugin),
        key,
        progress: await this.options.store.progress(plugin, key),
      })),
    );
  }
}
