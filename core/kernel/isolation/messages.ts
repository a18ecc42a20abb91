import type { DesiredRecords, TapOrder } from '@patchbay/sdk';

/** What a worker is started with. Plain data, as everything that crosses. */
export interface WorkerStart {
  /** The plugin's module, by its absolute path. */
  readonly file: string;
  readonly id: string;
  readonly config: unknown;
  readonly identity: unknown;
  readonly tables: unknown;
  /** Keys that an earlier worker of the plugin stated. */
  readonly keys: readonly string[];
}

export interface StatedChange {
  readonly key: string;
  readonly records: DesiredRecords | null;
}

export interface CrossedError {
  readonly message: string;
  readonly code?: string;
}

/** A function that was handed over stands as this. */
export interface CallbackReference {
  readonly $callback: number;
}

export type ToWorker =
  | { readonly kind: 'run'; readonly call: number; readonly what: 'start' | 'stop' | 'ping' }
  | {
      readonly kind: 'tap';
      readonly call: number;
      readonly hook: string;
      readonly payload: unknown;
      readonly cause: string;
    }
  | { readonly kind: 'abort'; readonly call: number; readonly reason: string }
  | { readonly kind: 'callback'; readonly call: number; readonly callback: number; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly call: number; readonly value?: unknown; readonly error?: CrossedError };

export type FromWorker =
  | {
      readonly kind: 'ready';
      readonly taps: readonly { readonly hook: string; readonly order: TapOrder }[];
    }
  | {
      readonly kind: 'done';
      readonly call: number;
      readonly value?: unknown;
      readonly error?: CrossedError;
      /** What the tap stated, in order. */
      readonly changes: readonly StatedChange[];
    }
  | { readonly kind: 'state'; readonly changes: readonly StatedChange[] }
  | {
      readonly kind: 'ask';
      /** null: nobody waits for the answer. */
      readonly call: number | null;
      readonly service: string;
      readonly path: readonly string[];
      readonly args: readonly unknown[];
      /** The number under which the answer, an unsubscribe function, is kept. */
      readonly subscription?: number;
    }
  | { readonly kind: 'unsubscribe'; readonly subscription: number };

export function crossed(thrown: unknown): CrossedError {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  return 'code' in thrown && typeof thrown.code === 'string'
    ? { message: thrown.message, code: thrown.code }
    : { message: thrown.message };
}

export function thrownFrom({ message, code }: CrossedError): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

export function isCallback(value: unknown): value is CallbackReference {
  return typeof value === 'object' && value !== null && '$callback' in value;
}
