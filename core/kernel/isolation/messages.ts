import { type DesiredRecords, PatchbayError, type TapOrder } from '@patchbay/sdk';
import { isPlainObject } from '../plain';

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
  /** One 32-bit number: messages of the worker that the main thread has not looked at yet. */
  readonly backlog: SharedArrayBuffer;
}

/** Messages that may wait for the main thread before the worker does: an endless loop that logs is to fill nobody's memory but its own. */
export const BACKLOG = 1_000;

/** What a thread answers to a ping: after all that it had said before. */
export interface SignOfLife {
  /** Bytes beside its heap, which has a limit of its own. */
  readonly bufferBytes: number;
  readonly jobsUnderWay: number;
}

export interface StatedChange {
  readonly key: string;
  readonly records: DesiredRecords | null;
}

/** What an act came to, and what it stated on the way, in order. */
export interface Outcome {
  readonly value: unknown;
  readonly changes: readonly StatedChange[];
}

export interface CrossedError {
  readonly message: string;
  readonly code?: string;
  readonly class?: PatchbayError['class'];
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What either side asks of the other's objects. */
export type RemoteMessage =
  | {
      readonly kind: 'ask';
      /** null: nobody waits for the answer. */
      readonly call: number | null;
      readonly object: string;
      readonly path: readonly string[];
      readonly args: readonly unknown[];
      /** The number under which the answer is kept there: the end of a subscription, or an object to be asked in its turn. */
      readonly keep?: number;
    }
  | { readonly kind: 'callback'; readonly call: number; readonly callback: number; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly call: number; readonly value?: unknown; readonly error?: CrossedError }
  | { readonly kind: 'unsubscribe'; readonly kept: number }
  | { readonly kind: 'aborted'; readonly signal: number; readonly reason: string };

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
  | RemoteMessage;

/** What a plugin in a worker has been found to tap and to provide. */
export interface Ready {
  readonly taps: readonly { readonly hook: string; readonly order: TapOrder }[];
  /** Names of the tokens that it handed something over for. */
  readonly provided: readonly string[];
}

export type FromWorker =
  | ({ readonly kind: 'ready' } & Ready)
  | { readonly kind: 'done'; readonly call: number; readonly outcome?: Outcome; readonly error?: CrossedError }
  | { readonly kind: 'state'; readonly changes: readonly StatedChange[] }
  | RemoteMessage;

export function crossed(thrown: unknown): CrossedError {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const { message } = thrown;
  if (thrown instanceof PatchbayError)
    return { message, code: thrown.code, class: thrown.class, ...plainFields(thrown) };
  return 'code' in thrown && typeof thrown.code === 'string' ? { message, code: thrown.code } : { message };
}

/** The fields of an error, where they are plain data; without them its message still says what it is about. */
function plainFields({ fields }: PatchbayError): Pick<CrossedError, 'fields'> {
  try {
    return { fields: structuredClone(fields) };
  } catch {
    return {};
  }
}

export function thrownFrom({ message, code, class: ofClass, fields = {} }: CrossedError): Error {
  if (code === undefined) return new Error(message);
  if (ofClass === undefined) return Object.assign(new Error(message), { code });
  // The message is whole already: `{text}` stands for what it says beyond its code.
  const definition = { code, class: ofClass, template: '{text}' };
  const error = new PatchbayError(definition, { text: message.slice(`${code}: `.length) });
  return Object.assign(error, { fields: isPlainObject(fields) ? fields : {} });
}
