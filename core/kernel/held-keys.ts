import type { KeyProgress, Unsubscribe } from '@patchbay/sdk';
import type { DesiredStore } from './desired-port';
import type { HealthBook } from './health';

/** Keys of one plugin that are named at a time; each change of a plugin's health looks at all of its conditions. */
const MOST_NAMED = 20;
const MORE = 'more keys';

/**
 * Has the health of each plugin name its keys that do not get onto the switch, and why: they cannot be compiled, the switch refuses
 * them, or another plugin has their place. A plugin may not ask for the progress of what it states; the operator is to know all the same.
 *
 * A key that is well costs one look at a map.
 */
export function watchHeldKeys(store: Pick<DesiredStore, 'onProgress'>, health: HealthBook): Unsubscribe {
  const held = new Map<string, HeldKeys>();
  return store.onProgress((plugin, key, progress) => {
    if (progress.state !== 'quarantined' && !held.has(plugin)) return;
    const keys = held.get(plugin) ?? new HeldKeys(plugin, health);
    keys.told(key, progress);
    if (keys.isEmpty) held.delete(plugin);
    else held.set(plugin, keys);
  });
}

/** The keys of one plugin that are held back. */
class HeldKeys {
  private readonly named = new Set<string>();
  /** Those beyond the number that is named, with their reasons: they are named in the place of the ones that get well. */
  private readonly unnamed = new Map<string, string>();

  constructor(
    private readonly plugin: string,
    private readonly health: HealthBook,
  ) {}

  get isEmpty(): boolean {
    return this.named.size === 0;
  }

  told(key: string, progress: KeyProgress): void {
    if (progress.state !== 'quarantined') this.forget(key);
    else if (this.named.has(key) || this.named.size < MOST_NAMED) this.name(key, progress.reason);
    else this.leaveUnnamed(key, progress.reason);
  }

  private name(key: string, detail: string): void {
    this.named.add(key);
    this.health.report(this.plugin, { condition: conditionOf(key), level: 'degraded', detail });
  }

  private leaveUnnamed(key: string, reason: string): void {
    this.unnamed.set(key, reason);
    if (this.unnamed.size > 1) return;
    const detail = `more than ${MOST_NAMED} keys are not on the switch; the log and patchbay explain name the others`;
    this.health.report(this.plugin, { condition: MORE, level: 'degraded', detail });
  }

  private forget(key: string): void {
    if (this.unnamed.delete(key)) this.noteFewer();
    if (!this.named.delete(key)) return;
    this.health.clear(this.plugin, conditionOf(key));
    const [next] = this.unnamed;
    if (next === undefined) return;
    this.unnamed.delete(next[0]);
    this.name(...next);
    this.noteFewer();
  }

  private noteFewer(): void {
    if (this.unnamed.size === 0) this.health.clear(this.plugin, MORE);
  }
}

function conditionOf(key: string): string {
  return `key ${key}`;
}
