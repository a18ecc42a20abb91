import { OvsdbTimeout } from './errors';

interface Wait {
  readonly check: () => void;
  readonly reject: (error: Error) => void;
}

/** Callers that wait for a state of the replica, each with a deadline. */
export class WaitList {
  private readonly waiting = new Set<Wait>();
  private over: Error | undefined;

  /** Resolves with the first answer of `test` that is not undefined. `cause` is asked for when the time is up. */
  add<Result>(
    test: () => Result | undefined,
    what: string,
    timeoutMs: number,
    cause: () => Error | undefined,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.over !== undefined) {
        reject(this.over);
        return;
      }
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(wait);
        settle();
      };
      const wait: Wait = {
        check: () => {
          try {
            const result = test();
            if (result !== undefined) finish(() => resolve(result));
          } catch (error) {
            finish(() => reject(error));
          }
        },
        reject: (error) => finish(() => reject(error)),
      };
      const timer = setTimeout(() => wait.reject(new OvsdbTimeout(what, timeoutMs, { cause: cause() })), timeoutMs);
      this.waiting.add(wait);
      wait.check();
    });
  }

  /** Asks every waiting test again. */
  check(): void {
    for (const wait of [...this.waiting]) wait.check();
  }

  /** Nothing will change any more: rejects those who wait and those who come later. */
  rejectAll(error: Error): void {
    this.over = error;
    for (const wait of [...this.waiting]) wait.reject(error);
  }
}
