import { type Owner, ownerId } from '../planner/owner';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 300_000;

/** Keys that the switch refused, each with the time of its next chance; the delay doubles with every refusal in a row. */
export class Quarantine {
  private readonly held = new Map<string, { delayMs: number; timer: NodeJS.Timeout }>();

  constructor(private readonly release: (owner: Owner) => void) {}

  has(plugin: string, key: string): boolean {
    return this.held.has(ownerId(plugin, key));
  }

  hold(owner: Owner): void {
    const id = ownerId(owner.plugin, owner.key);
    const before = this.held.get(id);
    if (before !== undefined) clearTimeout(before.timer);
    const delayMs = before === undefined ? FIRST_DELAY_MS : Math.min(before.delayMs * 2, LONGEST_DELAY_MS);
    const timer = setTimeout(() => this.release(owner), delayMs);
    timer.unref();
    this.held.set(id, { delayMs, timer });
  }

  /** The key was accepted, stated anew or withdrawn: its refusals no longer count. */
  forget(plugin: string, key: string): void {
    const id = ownerId(plugin, key);
    const held = this.held.get(id);
    if (held === undefined) return;
    clearTimeout(held.timer);
    this.held.delete(id);
  }

  clear(): void {
    for (const { timer } of this.held.values()) clearTimeout(timer);
    this.held.clear();
  }
}
