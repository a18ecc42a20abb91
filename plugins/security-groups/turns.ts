import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long the event loop is kept from other work at a stretch, in milliseconds. */
const SLICE_MS = 10;

/** Work of many pieces that lets other work through: each piece waits for its turn, in the order in which they came. */
export class Turns {
  private latest: Promise<void> = Promise.resolve();
  /** When the first piece of this turn of the event loop began. */
  private began: number | undefined;

  next(): Promise<void> {
    this.latest = this.latest.then(() => this.breathe());
    return this.latest;
  }

  private async breathe(): Promise<void> {
    if (this.began !== undefined && performance.now() - this.began < SLICE_MS) return;
    if (this.began !== undefined) await nextTurn();
    this.began = performance.now();
    setImmediate(() => {
      this.began = undefined;
    });
  }
}
