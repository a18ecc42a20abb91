import type { OpenFlowError } from './errors';

/** What a request's answers are given to. A multipart request is settled by its last part. */
export interface Answer {
  message(message: Buffer): 'settled' | 'more';
  fail(error: Error): void;
}

interface Span {
  readonly first: number;
  readonly count: number;
  readonly fail: (index: number, error: OpenFlowError) => void;
}

/** Matches answers and errors to requests by transaction id. */
export class Requests {
  private next = 1;
  private readonly answers = new Map<number, Answer>();
  private readonly spans = new Set<Span>();

  /** `count` transaction ids in a row; 0 is never one, for the switch's own messages bear it. */
  take(count = 1): number {
    if (this.next + count > 0x7fffffff) this.next = 1;
    const first = this.next;
    this.next += count;
    return first;
  }

  await(xid: number, answer: Answer): void {
    this.answers.set(xid, answer);
  }

  /** Lays errors for `count` transaction ids from `first` at the door of their messages, until the returned function is called. */
  watch(first: number, count: number, fail: Span['fail']): () => void {
    const span = { first, count, fail };
    this.spans.add(span);
    return () => {
      this.spans.delete(span);
    };
  }

  answered(xid: number, message: Buffer): void {
    const answer = this.answers.get(xid);
    if (answer?.message(message) === 'settled') this.answers.delete(xid);
  }

  /** False when nobody asked. */
  refused(xid: number, error: OpenFlowError): boolean {
    const answer = this.answers.get(xid);
    if (answer !== undefined) {
      this.answers.delete(xid);
      answer.fail(error);
      return true;
    }
    for (const span of this.spans) {
      if (xid >= span.first && xid < span.first + span.count) {
        span.fail(xid - span.first, error);
        return true;
      }
    }
    return false;
  }

  /** Fails all that is under way. */
  abandon(error: Error): void {
    const waiting = [...this.answers.values()];
    this.answers.clear();
    this.spans.clear();
    for (const answer of waiting) answer.fail(error);
  }
}
