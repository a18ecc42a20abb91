import { randomUUID } from 'node:crypto';
import type { DatabaseSchema } from '../schema';
import type { AnyRow } from '../values';
import { Contents, Draft, Refusal, type RowDelta } from './contents';
import { commitChecks } from './integrity';
import { resolveNames, runOperation, Unmet, type WireOperation } from './operations';

/** A commit, as the monitors and the history see it. */
export interface Commit {
  readonly id: string;
  readonly deltas: readonly RowDelta[];
}

/** How many commits can be told to a client that was away. */
const HISTORY = 100;

interface Waiting {
  readonly attempt: () => boolean;
  readonly giveUp: () => void;
}

/** The database behind the fake server: transactions over rows in memory. */
export class FakeDatabase {
  private readonly contents: Contents;
  private readonly listeners: ((commit: Commit) => void)[] = [];
  private readonly waiting = new Set<Waiting>();
  private history: Commit[] = [];
  private lastId: string = randomUUID();

  constructor(readonly schema: DatabaseSchema) {
    this.contents = new Contents(schema);
  }

  /** The id of the last commit. */
  get transactionId(): string {
    return this.lastId;
  }

  rows(table: string): readonly AnyRow[] {
    return [...this.contents.rows(table).values()];
  }

  /** Listeners run before the reply of the transaction is given, as RFC 7047 section 4.1.6 asks of updates. */
  onCommit(listener: (commit: Commit) => void): void {
    this.listeners.push(listener);
  }

  /** What was committed after this id, oldest first, or undefined where that is not known any more. */
  since(id: string): readonly Commit[] | undefined {
    if (id === this.lastId) return [];
    const position = this.history.findIndex((commit) => commit.id === id);
    return position === -1 ? undefined : this.history.slice(position + 1);
  }

  /** Runs a transaction from the wire; `reply` is called once, later where a `wait` has to be waited for. */
  transact(
    operations: readonly unknown[],
    holdsLock: (name: string) => boolean,
    reply: (results: unknown[]) => void,
  ): void {
    const attempt = (last: boolean): number | undefined => {
      const outcome = this.execute(operations as WireOperation[], holdsLock, last);
      if (!Array.isArray(outcome)) return outcome.waitMs;
      reply(outcome);
      return undefined;
    };
    const waitMs = attempt(false);
    if (waitMs === undefined) return;
    const timer = setTimeout(() => waiting.giveUp(), Math.min(waitMs, 2 ** 31 - 1));
    const waiting: Waiting = {
      attempt: () => {
        if (attempt(false) !== undefined) return false;
        clearTimeout(timer);
        return this.waiting.delete(waiting);
      },
      giveUp: () => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        attempt(true);
      },
    };
    this.waiting.add(waiting);
  }

  /** Answers every transaction that still waits, with `timed out`. */
  close(): void {
    for (const waiting of [...this.waiting]) waiting.giveUp();
  }

  /** Changes rows from within, as a daemon beside the server would. */
  change(edit: (draft: Draft) => void): void {
    const draft = new Draft(this.contents);
    edit(draft);
    commitChecks(draft);
    this.commit(draft.deltas());
  }

  private execute(
    operations: readonly WireOperation[],
    holdsLock: (name: string) => boolean,
    last: boolean,
  ): unknown[] | { readonly waitMs: number } {
    const draft = new Draft(this.contents);
    const results: unknown[] = [];
    try {
      for (const operation of resolveNames(operations)) results.push(runOperation(draft, operation, holdsLock));
      commitChecks(draft);
    } catch (error) {
      if (error instanceof Unmet) {
        if (!last && error.timeoutMs !== 0) return { waitMs: error.timeoutMs ?? Number.POSITIVE_INFINITY };
        results.push({ error: 'timed out', details: '"wait" timed out' });
      } else if (error instanceof Refusal) {
        results.push(error.toWire());
      } else {
        throw error;
      }
      while (results.length < operations.length) results.push(null);
      return results;
    }
    this.commit(draft.deltas());
    return results;
  }

  private commit(deltas: readonly RowDelta[]): void {
    if (deltas.length === 0) return;
    this.contents.enter(deltas);
    const commit = { id: randomUUID(), deltas };
    this.lastId = commit.id;
    this.history = [...this.history.slice(-HISTORY), commit];
    for (const listener of this.listeners) listener(commit);
    for (const waiting of [...this.waiting]) waiting.attempt();
  }
}
