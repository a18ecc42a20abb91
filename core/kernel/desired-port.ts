import type { DesiredRecords, KeyProgress, Unsubscribe } from '@patchbay/sdk';

/** One key of one plugin, stated or (null) withdrawn. */
export interface DesiredChange {
  readonly plugin: string;
  readonly key: string;
  readonly records: DesiredRecords | null;
  /** When it was stated, among all that was stated. Absent: now. Events leave in any order; what was stated last counts. */
  readonly order?: number;
}

let latest = 0;

/** A number above all that were given before. */
export function nextOrder(): number {
  return ++latest;
}

/** Where the kernel puts what plugins want. The switch side implements it; nothing here waits for the switch but `progress`. */
export interface DesiredStore {
  /** All of the changes belong to one event: they leave in one round. */
  apply(changes: readonly DesiredChange[], cause: string): void;
  /** Settles when the switch has acknowledged the key as it is now, or it is known why not. */
  progress(plugin: string, key: string): Promise<KeyProgress>;
  /** The plugin has stated all it knows of; what an earlier run left under its cookie may be swept. */
  complete(plugin: string): void;
  isComplete(plugin: string): boolean;
  keys(plugin: string): readonly string[];
  onProgress(listener: (plugin: string, key: string, progress: KeyProgress) => void): Unsubscribe;
  /** The plugin was taken off the list: all that it wanted is withdrawn, what an earlier run installed included. */
  retire(plugin: string): void;
}
