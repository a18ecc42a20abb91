import { type CrossedError, thrownFrom } from './messages';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Calls over a port that wait for their answers. */
export class Calls {
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /** Makes a call with a number of its own. */
  make<T>(post: (call: number) => void): Promise<T> {
    this.last += 1;
    const call = this.last;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(call, { resolve: resolve as Waiting['resolve'], reject });
      try {
        post(call);
      } catch (thrown) {
        this.waiting.delete(call);
        reject(thrown);
      }
    });
  }

  answer(call: number, error: CrossedError | undefined, value: unknown): void {
    const waiting = this.waiting.get(call);
    this.waiting.delete(call);
    if (error === undefined) waiting?.resolve(value as never);
    else waiting?.reject(thrownFrom(error));
  }

  /** Nobody will answer any more. */
  fail(error: Error): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
