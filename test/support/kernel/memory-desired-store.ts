import type { DesiredRecords, KeyProgress, Unsubscribe } from '@patchbay/sdk';
import type { DesiredChange, DesiredStore } from '../../../core/kernel/desired-port';

export interface Round {
  readonly cause: string;
  readonly changes: readonly DesiredChange[];
}

/** A desired store that remembers its rounds. Progress is `applied` at once, unless `answer` says otherwise. */
export class MemoryDesiredStore implements DesiredStore {
  readonly rounds: Round[] = [];
  readonly completed: string[] = [];
  readonly retired: string[] = [];
  private readonly wanted = new Map<string, Map<string, DesiredRecords>>();
  private readonly answers = new Map<string, Promise<KeyProgress>>();
  private readonly listeners = new Set<(plugin: string, key: string, progress: KeyProgress) => void>();

  apply(changes: readonly DesiredChange[], cause: string): void {
    this.rounds.push({ cause, changes });
    for (const { plugin, key, records } of changes) {
      const own = this.wanted.get(plugin) ?? new Map<string, DesiredRecords>();
      this.wanted.set(plugin, own);
      if (records === null) own.delete(key);
      else own.set(key, records);
    }
  }

  async progress(plugin: string, key: string): Promise<KeyProgress> {
    const answer = this.answers.get(`${plugin} ${key}`);
    if (answer !== undefined) return answer;
    return { state: this.records(plugin, key) === undefined ? 'unset' : 'applied' };
  }

  complete(plugin: string): void {
    this.completed.push(plugin);
  }

  isComplete(plugin: string): boolean {
    return this.completed.includes(plugin);
  }

  keys(plugin: string): readonly string[] {
    return [...(this.wanted.get(plugin)?.keys() ?? [])];
  }

  onProgress(listener: (plugin: string, key: string, progress: KeyProgress) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  retire(plugin: string): void {
    this.retired.push(plugin);
    this.wanted.delete(plugin);
  }

  records(plugin: string, key: string): DesiredRecords | undefined {
    return this.wanted.get(plugin)?.get(key);
  }

  answer(plugin: string, key: string, progress: Promise<KeyProgress>): void {
    this.answers.set(`${plugin} ${key}`, progress);
  }

  say(plugin: string, key: string, progress: KeyProgress): void {
    for (const listener of this.listeners) listener(plugin, key, progress);
  }
}
