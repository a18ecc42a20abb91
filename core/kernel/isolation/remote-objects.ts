import type { Unsubscribe } from '@patchbay/sdk';
import { isPlainObject } from '../plain';
import { Calls } from './calls';
import { crossed, type RemoteMessage } from './messages';

type Path = readonly string[];
type Callback = (...args: readonly unknown[]) => unknown;

/** How a facade's methods are called. */
export interface Caller {
  ask(path: Path, args: readonly unknown[]): Promise<unknown>;
  subscribe(path: Path, args: readonly unknown[]): Unsubscribe;
}

/** Looks like the object: every method asks; one that is given a function subscribes, and answers with the end of that. */
export function facade(caller: Caller, path: Path = []): unknown {
  return new Proxy(() => undefined, {
    get: (_target, property) => {
      // A facade that had a `then` would be taken for a promise.
      if (typeof property !== 'string' || property === 'then') return undefined;
      return facade(caller, [...path, property]);
    },
    apply: (_target, _self, args: readonly unknown[]) =>
      args.some(holdsFunction) ? caller.subscribe(path, args) : caller.ask(path, args),
  });
}

export interface RemoteObjectsParts {
  readonly post: (message: RemoteMessage) => void;
  /** The object of that name on this side. */
  readonly object: (name: string) => unknown;
  /** Something that was asked for failed, and nobody waits for its answer. */
  readonly failed: (what: string, thrown: unknown) => void;
}

const KEPT = 'kept ';

/**
 * Objects on two sides of a thread's border, each asked from the other by name. Functions that are handed over are called back, abort signals
 * abort there too, and everything else is plain data.
 */
export class RemoteObjects {
  private readonly calls = new Calls();
  /** Functions of this side that the other may call. */
  private readonly callbacks = new Map<number, Callback>();
  /** What the other side wanted kept here: ends of its subscriptions, objects that it asks. */
  private readonly kept = new Map<number, unknown>();
  /** Stand-ins here for the other side's abort signals. */
  private readonly signals = new Map<number, AbortController>();
  private last = 0;

  constructor(private readonly parts: RemoteObjectsParts) {}

  /** The other side's object of that name. */
  facade(object: string): unknown {
    return facade({
      ask: (path, args) => this.ask(object, path, args),
      subscribe: (path, args) => this.subscribe(object, path, args),
    });
  }

  /** Functions among the arguments may be called until the answer is there. */
  ask(object: string, path: Path, args: readonly unknown[]): Promise<unknown> {
    const [plain, forget] = this.without(args);
    const answer = this.calls.make<unknown>((call) =>
      this.parts.post({ kind: 'ask', call, object, path, args: plain }),
    );
    // Who does not wait for an answer is not to fall over a refusal; who waits is told of it all the same.
    answer.then(forget, forget);
    return answer;
  }

  tell(object: string, path: Path, args: readonly unknown[]): void {
    this.parts.post({ kind: 'ask', call: null, object, path, args });
  }

  subscribe(object: string, path: Path, args: readonly unknown[]): Unsubscribe {
    const [plain, forget] = this.without(args);
    const keep = this.number();
    this.parts.post({ kind: 'ask', call: null, object, path, args: plain, keep });
    return () => {
      forget();
      this.parts.post({ kind: 'unsubscribe', kept: keep });
    };
  }

  /** The object that the other side's method answers with: it stays there. */
  keep(object: string, path: Path, args: readonly unknown[]): unknown {
    const keep = this.number();
    this.parts.post({ kind: 'ask', call: null, object, path, args, keep });
    return this.facade(`${KEPT}${keep}`);
  }

  receive(message: RemoteMessage): void {
    switch (message.kind) {
      case 'ask':
        void this.asked(message);
        break;
      case 'callback':
        void this.answering(message.call, () => this.calledBack(message.callback, message.args));
        break;
      case 'answer':
        this.calls.answer(message.call, message.error, message.value);
        break;
      case 'unsubscribe':
        endOf(this.kept.get(message.kept))?.();
        this.kept.delete(message.kept);
        break;
      case 'aborted':
        this.signals.get(message.signal)?.abort(new Error(message.reason));
        this.signals.delete(message.signal);
    }
  }

  /** The other side is gone. */
  end(error: Error): void {
    this.calls.fail(error);
    for (const kept of this.kept.values()) endOf(kept)?.();
    this.kept.clear();
    for (const controller of this.signals.values()) controller.abort(error);
    this.signals.clear();
    this.callbacks.clear();
  }

  private number(): number {
    this.last += 1;
    return this.last;
  }

  private async asked(message: RemoteMessage & { readonly kind: 'ask' }): Promise<void> {
    const { call, keep, object, path } = message;
    if (call !== null) {
      await this.answering(call, () => this.applied(message));
      return;
    }
    try {
      const value: unknown = await this.applied(message);
      if (keep !== undefined) this.kept.set(keep, value);
    } catch (thrown) {
      if (keep !== undefined) this.kept.set(keep, thrown);
      this.parts.failed([object, ...path].join('.'), thrown);
    }
  }

  private async answering(call: number, act: () => unknown): Promise<void> {
    try {
      this.parts.post({ kind: 'answer', call, value: await act() });
    } catch (thrown) {
      this.parts.post({ kind: 'answer', call, error: crossed(thrown) });
    }
  }

  private applied({ object, path, args }: RemoteMessage & { readonly kind: 'ask' }): unknown {
    let owner: unknown = this.objectNamed(object);
    for (const name of path.slice(0, -1)) owner = Reflect.get(owner as object, name);
    const member: unknown = Reflect.get(owner as object, path.at(-1) ?? '');
    if (typeof member !== 'function') return member;
    const own = args.map((arg) => this.withFunctions(arg));
    return Reflect.apply(member, owner, own);
  }

  private objectNamed(name: string): unknown {
    if (!name.startsWith(KEPT)) return this.parts.object(name);
    const kept = this.kept.get(Number(name.slice(KEPT.length)));
    if (kept instanceof Error) throw kept;
    return kept;
  }

  private calledBack(callback: number, args: readonly unknown[]): unknown {
    return this.callbacks.get(callback)?.(...args.map((arg) => this.withFunctions(arg)));
  }

  /** The same with references in the place of functions and signals, and what to do when they are needed no more. */
  private without(args: readonly unknown[]): readonly [plain: readonly unknown[], forget: () => void] {
    const made: (() => void)[] = [];
    const plain = args.map((arg) => mapped(arg, (value) => this.reference(value, made)));
    const forget = (): void => {
      for (const one of made) one();
    };
    return [plain, forget];
  }

  private reference(value: unknown, made: (() => void)[]): unknown {
    if (typeof value === 'function') {
      const $callback = this.number();
      this.callbacks.set($callback, value as Callback);
      made.push(() => this.callbacks.delete($callback));
      return { $callback };
    }
    if (!(value instanceof AbortSignal)) return value;
    const signal = this.number();
    const abort = (): void => this.parts.post({ kind: 'aborted', signal, reason: String(value.reason) });
    value.addEventListener('abort', abort, { once: true });
    made.push(() => value.removeEventListener('abort', abort));
    return { $signal: signal, aborted: value.aborted };
  }

  private withFunctions(arg: unknown): unknown {
    return mapped(arg, (value) => {
      if (isReference(value, '$callback')) {
        const callback = value.$callback;
        return (...args: readonly unknown[]) =>
          this.calls.make((call) =>
            this.parts.post({ kind: 'callback', call, callback, args: args.map((one) => mapped(one, plainOnly)) }),
          );
      }
      if (!isReference(value, '$signal')) return value;
      const controller = new AbortController();
      if ('aborted' in value && value.aborted === true) controller.abort();
      else this.signals.set(value.$signal, controller);
      return controller.signal;
    });
  }
}

/** A copy of what braces and brackets hold, with every leaf and every reference put through. */
function mapped(value: unknown, change: (value: unknown) => unknown): unknown {
  const changed = change(value);
  if (changed !== value || value === null || typeof value !== 'object') return changed;
  if (Array.isArray(value)) return value.map((inner) => mapped(inner, change));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapped(inner, change)]));
}

/** What a callback is told beside plain data (an abort signal, a function) stays on its side. */
function plainOnly(value: unknown): unknown {
  return typeof value === 'function' || value instanceof AbortSignal ? undefined : value;
}

function isReference<K extends string>(value: unknown, key: K): value is Readonly<Record<K, number>> {
  return typeof value === 'object' && value !== null && key in value;
}

function holdsFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return isPlainObject(value) && Object.values(value).some(holdsFunction);
}

function endOf(kept: unknown): Unsubscribe | undefined {
  return typeof kept === 'function' ? (kept as Unsubscribe) : undefined;
}
