import type { DesiredRecords, KeyProgress, Unsubscribe } from '@patchbay/sdk';
import { type DesiredChange, type DesiredStore, nextOrder } from '../kernel/desired-port';
import { type Owner, ownerId } from './planner/owner';

/** One key as it was stated last, and how far it has come. */
export interface DesiredEntry {
  readonly plugin: string;
  readonly key: string;
  /** null: withdrawn, and the switch has not acknowledged that yet. */
  readonly records: DesiredRecords | null;
  /** Milliseconds since the epoch at which the key was first stated. */
  readonly since: number;
  /** What stated it last. */
  readonly cause: string;
}

interface Entry {
  plugin: string;
  key: string;
  records: DesiredRecords | null;
  since: number;
  cause: string;
  /** Counts what was stated; `taken` is what the last round took, `settled` what it brought to an end. */
  version: number;
  /** When it was stated: what was stated earlier and comes later does not count. */
  order: number;
  taken: number;
  settled: number;
  progress: KeyProgress;
  waiting: ((progress: KeyProgress) => void)[];
}

/** What plugins want of the switch, by plugin and key. It remembers; the reconciler takes what changed and says what became of it. */
export class DesiredKeys implements DesiredStore {
  private readonly entries = new Map<string, Entry>();
  private readonly dirty = new Set<Entry>();
  private readonly listeners = new Set<(plugin: string, key: string, progress: KeyProgress) => void>();
  private readonly completed = new Set<string>();
  /** Stated since those who wait were told last that nothing can be written, and for what reason. */
  private unheld = new Set<Entry>();
  private heldFor: string | undefined;
  private isHeldForLong = false;
  private quarantined = 0;

  constructor(
    private readonly events: {
      /** Something is to be done. */
      readonly changed: (cause: string) => void;
      readonly completed: (plugin: string) => void;
      readonly retired: (plugin: string) => void;
    },
    private readonly now: () => number = Date.now,
  ) {}

  apply(changes: readonly DesiredChange[], cause: string): void {
    for (const change of changes) this.change(change, cause);
    if (this.dirty.size > 0) this.events.changed(cause);
  }

  progress(plugin: string, key: string): Promise<KeyProgress> {
    const entry = this.entries.get(ownerId(plugin, key));
    if (entry === undefined) return Promise.resolve({ state: 'unset' });
    const isTold = this.isHeldForLong && !this.unheld.has(entry);
    if (entry.settled === entry.version || isTold) return Promise.resolve(entry.progress);
    return new Promise((resolve) => entry.waiting.push(resolve));
  }

  /** Resolves when every key as it is now was acknowledged, or it is known why not. */
  allSettled(): Promise<unknown> {
    const open = [...this.entries.values()].filter((entry) => entry.settled !== entry.version);
    return Promise.all(open.map(({ plugin, key }) => this.progress(plugin, key)));
  }

  complete(plugin: string): void {
    if (this.completed.has(plugin)) return;
    this.completed.add(plugin);
    this.events.completed(plugin);
  }

  keys(plugin: string): readonly string[] {
    return [...this.entries.values()].flatMap((it) => (it.plugin === plugin && it.records !== null ? [it.key] : []));
  }

  onProgress(listener: (plugin: string, key: string, progress: KeyProgress) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  retire(plugin: string): void {
    const keys = this.keys(plugin);
    for (const key of keys) this.change({ plugin, key, records: null }, 'plugin taken off the list');
    this.completed.add(plugin);
    this.events.retired(plugin);
    this.events.changed('plugin taken off the list');
  }

  isComplete(plugin: string): boolean {
    return this.completed.has(plugin);
  }

  get size(): number {
    return this.entries.size;
  }

  /** Keys that wait for something. */
  get pendingCount(): number {
    let count = 0;
    for (const entry of this.entries.values()) if (entry.progress.state === 'pending') count += 1;
    return count;
  }

  /** Keys that do not get onto the switch: they cannot be compiled, it refuses them, or another has their place. */
  get quarantinedCount(): number {
    return this.quarantined;
  }

  all(): Iterable<DesiredEntry & { readonly progress: KeyProgress; readonly settled: boolean }> {
    return [...this.entries.values()].map((entry) => ({ ...entry, settled: entry.settled === entry.version }));
  }

  entry(plugin: string, key: string): DesiredEntry | undefined {
    return this.entries.get(ownerId(plugin, key));
  }

  /** For the reconciler: what was stated or withdrawn since the last call. */
  takeDirty(): readonly DesiredEntry[] {
    const taken = [...this.dirty];
    this.dirty.clear();
    this.unheld.clear();
    this.heldFor = undefined;
    this.isHeldForLong = false;
    for (const entry of taken) entry.taken = entry.version;
    return taken;
  }

  /** For the reconciler: the version of the key that the present round is about. */
  takenVersion(owner: Pick<Owner, 'plugin' | 'key'>): number {
    return this.entries.get(ownerId(owner.plugin, owner.key))?.taken ?? 0;
  }

  /** For the reconciler: the key, as it was at `version`, has come this far. */
  settle(owner: Pick<Owner, 'plugin' | 'key'>, version: number, progress: KeyProgress): void {
    const id = ownerId(owner.plugin, owner.key);
    const entry = this.entries.get(id);
    if (entry === undefined || version < entry.settled) return;
    entry.settled = version;
    if (entry.version !== version) return;
    this.tell(entry, progress);
    if (entry.records === null) this.entries.delete(id);
  }

  /**
   * For the reconciler: nothing can be written now. Those who wait are told why; what is dirty stays so. Answers what was stated since
   * the last call: of many keys that come one by one, each is looked at once. Who asks later is told at once, but while the agent starts:
   * that lasts no time, and thousands ask.
   */
  hold(reason: string, until: 'started' | 'further notice' = 'further notice'): readonly DesiredEntry[] {
    const concerned = reason === this.heldFor ? this.unheld : new Set(this.entries.values());
    this.heldFor = reason;
    this.isHeldForLong = until === 'further notice';
    this.unheld = new Set();
    for (const entry of concerned) {
      if (entry.settled !== entry.version) this.tell(entry, { state: 'pending', waitingFor: [reason] });
    }
    return [...concerned];
  }

  private change({ plugin, key, records, order = nextOrder() }: DesiredChange, cause: string): void {
    const id = ownerId(plugin, key);
    let entry = this.entries.get(id);
    if (entry === undefined) {
      if (records === null) return;
      const progress: KeyProgress = { state: 'pending', waitingFor: ['the next round'] };
      entry = {
        plugin,
        key,
        records,
        since: this.now(),
        cause,
        version: 0,
        order,
        taken: 0,
        settled: 0,
        progress,
        waiting: [],
      };
      this.entries.set(id, entry);
    }
    // Stated before what is there, in an event that left after it.
    if (order < entry.order) return;
    entry.order = order;
    entry.records = records;
    entry.cause = cause;
    entry.version += 1;
    this.dirty.add(entry);
    this.unheld.add(entry);
  }

  private tell(entry: Entry, progress: KeyProgress): void {
    const changed = !sameProgress(entry.progress, progress);
    if (entry.progress.state === 'quarantined') this.quarantined -= 1;
    if (progress.state === 'quarantined') this.quarantined += 1;
    entry.progress = progress;
    const { waiting } = entry;
    entry.waiting = [];
    for (const resolve of waiting) resolve(progress);
    if (changed) for (const listener of this.listeners) listener(entry.plugin, entry.key, progress);
  }
}

function sameProgress(left: KeyProgress, right: KeyProgress): boolean {
  if (left.state === 'pending' && right.state === 'pending') return left.waitingFor.join() === right.waitingFor.join();
  if (left.state === 'quarantined' && right.state === 'quarantined') return left.reason === right.reason;
  return left.state === right.state;
}
