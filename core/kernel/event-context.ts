import { AsyncLocalStorage } from 'node:async_hooks';
import type { DesiredRecords } from '@patchbay/sdk';
import { type DesiredChange, nextOrder } from './desired-port';

/** Changes by plugin and key; the last one counts. */
export class StagedChanges {
  private readonly changes = new Map<string, DesiredChange>();

  stage(plugin: string, key: string, records: DesiredRecords | null): void {
    this.put({ plugin, key, records, order: nextOrder() });
  }

  absorb(other: StagedChanges): void {
    for (const change of other.list()) this.put(change);
  }

  list(): readonly DesiredChange[] {
    return [...this.changes.values()];
  }

  private put(change: DesiredChange): void {
    const place = `${change.plugin}\n${change.key}`;
    this.changes.delete(place);
    this.changes.set(place, change);
  }
}

/** One fact on its way through the plugins. `open`: changes are staged; `left`: they went to the store; `dropped`: they did not. */
export interface EventFrame {
  readonly cause: string;
  state: 'open' | 'left' | 'dropped';
  readonly staged: StagedChanges;
  /** Takes the changes of a tap that the event did not wait for. */
  readonly late: (changes: readonly DesiredChange[]) => void;
}

/** One tap at work within an event. Its changes join the event's when it succeeds. */
export interface TapFrame {
  readonly plugin: string;
  state: 'open' | 'joined' | 'dropped';
  /** Its promise is under way, perhaps beyond its budget. */
  goesOn?: boolean;
  readonly staged: StagedChanges;
}

interface Place {
  readonly context: EventContext;
  /** Absent: work with a life of its own. */
  readonly event?: EventFrame;
  readonly tap?: TapFrame | undefined;
  /** Whose code it is, outside a tap. */
  readonly plugin?: string;
}

interface EventPlace {
  readonly event: EventFrame;
  readonly tap: TapFrame | undefined;
}

/** The plugin whose code set off what runs now, by way of whatever timers, promises and sockets. */
export function pluginAtWork(): string | undefined {
  const place = storage.getStore();
  return place?.tap?.plugin ?? place?.plugin;
}

/** One for the whole process, however many agents it runs: Node carries each storage that there is along with every promise. */
const storage = new AsyncLocalStorage<Place | undefined>();

/** Knows, in any code that a tap or event of its agent set off, which one it was. */
export class EventContext {
  current(): EventPlace | undefined {
    const place = storage.getStore();
    return place?.context === this && place.event !== undefined ? (place as EventPlace) : undefined;
  }

  inEvent<T>(event: EventFrame, act: () => T): T {
    return storage.run({ context: this, event }, act);
  }

  /** Outside an event there is nothing to stage into, and a tap's changes apply at once. */
  inTap<T>(tap: TapFrame, act: () => T): T {
    const event = this.current()?.event;
    const place: Place = event === undefined ? { context: this, plugin: tap.plugin } : { context: this, event, tap };
    return storage.run(place, act);
  }

  /** The tap has succeeded: its changes are the event's, or, if that has left already, follow it. */
  join(tap: TapFrame): void {
    const event = this.current()?.event;
    tap.state = 'joined';
    if (event?.state === 'open') event.staged.absorb(tap.staged);
    else if (event?.state === 'left' && tap.staged.list().length > 0) event.late(tap.staged.list());
  }

  /** Runs what has a life of its own (jobs, listeners), so that it is not taken for a part of the event that started it. */
  outside<T>(act: () => T, plugin?: string): T {
    return storage.run(plugin === undefined ? undefined : { context: this, plugin }, act);
  }

  /**
   * Where a change stated now belongs. What a tap states that failed or ran out of time is of a fact that is told again: it goes nowhere.
   * What it set off, a timer say, may state things for as long as the plugin lives: once tap and event have ended, that is its own.
   */
  destination(): StagedChanges | 'at once' | 'nowhere' {
    const place = this.current();
    if (place === undefined) return 'at once';
    const { event, tap } = place;
    if (tap?.state === 'dropped') return tap.goesOn === true || event.state === 'open' ? 'nowhere' : 'at once';
    if (event.state === 'dropped') return tap?.state === 'joined' ? 'at once' : 'nowhere';
    if (event.state === 'left') return 'at once';
    return tap?.state === 'open' ? tap.staged : event.staged;
  }
}
