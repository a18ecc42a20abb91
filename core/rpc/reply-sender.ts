import { pause } from './backoff';
import { encodeReply, type ReplyOutcome } from './envelope';
import { MessageUndeliverable } from './errors';
import type { Outgoing } from './publisher';

/** oslo.messaging offers a reply again every 0.25 s while its queue is missing. */
const AGAIN_MS = 250;
/** A queue given up on is not tried again for 60 s; at most 200 of them are remembered (oslo.messaging's numbers). */
const GONE_FOR_MS = 60_000;
const REMEMBERED_QUEUES = 200;

export interface Answering {
  /** Sends the answer. Counts once. */
  finish(outcome: ReplyOutcome): void;
}

/** Answers calls: signs of life while an endpoint works, then the result, with patience for a caller that is reconnecting. */
export class ReplySender {
  private readonly gone = new Map<string, number>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly settings: {
      readonly publish: (message: Outgoing, signal: AbortSignal) => Promise<void>;
      readonly mandatory: boolean;
      /** kombu_missing_consumer_retry_timeout, in milliseconds. */
      readonly patienceMs: number;
      readonly onAbandoned: (queue: string, reason: unknown) => void;
    },
  ) {}

  begin(
    { queue, messageId }: { readonly queue: string; readonly messageId: string },
    callMonitorTimeout: number | undefined,
  ): Answering {
    const interval = callMonitorTimeout === undefined ? undefined : (callMonitorTimeout / 2) * 1000;
    const heartbeat =
      interval === undefined
        ? undefined
        : setInterval(() => void this.offer(queue, messageId, { stillWorking: true }, interval), interval);
    return {
      finish: (outcome) => {
        clearInterval(heartbeat);
        void this.offer(queue, messageId, outcome, this.settings.patienceMs);
      },
    };
  }

  close(): void {
    this.stopping.abort();
  }

  private async offer(queue: string, messageId: string, outcome: ReplyOutcome, patienceMs: number): Promise<void> {
    if (this.isGone(queue) || this.stopping.signal.aborted) return;
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(patienceMs)]);
    const body = encodeReply(messageId, outcome);
    for (;;) {
      try {
        return await this.settings.publish(
          { exchange: undefined, routingKey: queue, body, mandatory: this.settings.mandatory },
          signal,
        );
      } catch (reason) {
        if (this.stopping.signal.aborted || 'stillWorking' in outcome) return;
        if (!(reason instanceof MessageUndeliverable) || signal.aborted) return this.abandon(queue, reason);
        await pause(AGAIN_MS, signal);
      }
    }
  }

  private isGone(queue: string): boolean {
    const until = this.gone.get(queue);
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.gone.delete(queue);
    return false;
  }

  private abandon(queue: string, reason: unknown): void {
    this.gone.set(queue, performance.now() + GONE_FOR_MS);
    if (this.gone.size > REMEMBERED_QUEUES) {
      const [oldest] = this.gone.keys();
      if (oldest !== undefined) this.gone.delete(oldest);
    }
    this.settings.onAbandoned(queue, reason);
  }
}
