import { Emitter, type Unsubscribe } from './emitter';
import { OvsdbConnectionError, OvsdbTimeout } from './errors';

/**
 * `waiting`: the server put us in the queue, or there is no session. `held`: it is ours. `lost`: somebody stole it or the
 * session that held it ended; it comes back by itself when it is free again. `released`: we gave it up for good.
 */
export type LockState = 'waiting' | 'held' | 'lost' | 'released';

/** How to ask for a lock: wait in the queue, or take it from whoever has it. */
export type LockMode = 'queue' | 'steal';

/** What a lock needs of its client. */
export interface LockSession {
  request(method: 'lock' | 'steal' | 'unlock', name: string, accept: (result: unknown) => void): Promise<void>;
  readonly forget: (lock: Lock) => void;
}

/**
 * A lock of the server (RFC 7047 section 4.1.8), asked for again on each new session. To hold it is only an indication:
 * what must not happen without it belongs in a transaction with `assertLock`.
 */
export class Lock {
  private readonly events = new Emitter<{ readonly state: LockState }>();
  private current: LockState = 'waiting';

  constructor(
    readonly name: string,
    private readonly mode: LockMode,
    private readonly session: LockSession,
  ) {}

  get state(): LockState {
    return this.current;
  }

  onState(listener: (state: LockState) => void): Unsubscribe {
    return this.events.on('state', listener);
  }

  /** Resolves when the lock is held, at once where it is. @throws OvsdbTimeout, OvsdbConnectionError once it is released. */
  held(timeoutMs: number): Promise<void> {
    if (this.current === 'held') return Promise.resolve();
    if (this.current === 'released') return Promise.reject(givenUp(this.name));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        unsubscribe();
        reject(new OvsdbTimeout(`lock ${this.name}`, timeoutMs));
      }, timeoutMs);
      const unsubscribe = this.onState((state) => {
        if (state !== 'held' && state !== 'released') return;
        clearTimeout(timer);
        unsubscribe();
        if (state === 'held') resolve();
        else reject(givenUp(this.name));
      });
    });
  }

  /** Gives the lock up, or leaves its queue. @throws OvsdbError where the server could not be told in a live session. */
  async release(): Promise<void> {
    if (this.current === 'released') return;
    this.become('released');
    this.session.forget(this);
    await this.session.request('unlock', this.name, () => undefined);
  }

  /** For the client: it stops, and the server frees the lock with the session. */
  abandon(): void {
    this.become('released');
  }

  /** For the client: a session is there. A steal is not repeated, lest two agents take turns for ever. */
  async ask(): Promise<void> {
    const method = this.mode === 'steal' && this.current === 'waiting' ? 'steal' : 'lock';
    await this.session.request(method, this.name, (result) => {
      const { locked } = result as { readonly locked?: unknown };
      if (locked === true) this.granted();
    });
  }

  /** For the client: the server said `locked`. */
  granted(): void {
    if (this.current !== 'released') this.become('held');
  }

  /** For the client: the server said `stolen`, or the session ended. */
  taken(): void {
    if (this.current === 'held') this.become('lost');
  }

  private become(state: LockState): void {
    if (this.current === state) return;
    this.current = state;
    this.events.emit('state', state);
  }
}

function givenUp(name: string): OvsdbConnectionError {
  return new OvsdbConnectionError('stopped', `lock ${name} was released`);
}
