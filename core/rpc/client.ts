import { setMaxListeners } from 'node:events';
import { type CallTimeouts, doublingPauses, pause, scopedMethod } from './backoff';
import { agentContext, type RpcContext } from './context';
import { encodeRequest, newId, type Reply } from './envelope';
import { MessageUndeliverable, MessagingClosed, MessagingTimeout } from './errors';
import type { Outgoing } from './publisher';
import type { Exchange } from './topology';

/** Who is meant. Without `host`: any one server of the topic. */
export interface RpcTarget {
  readonly topic: string;
  readonly host?: string;
  readonly namespace?: string;
  readonly version: string;
}

export interface CallOptions {
  readonly context?: RpcContext;
  /** A timeout of this call's own, in milliseconds, without back-off and without being held back: for state reports. */
  readonly timeoutMs?: number;
  /** Asks the server for a sign of life every half of these seconds; each sign starts the waiting time anew. */
  readonly callMonitorTimeout?: number;
  /**
   * May be asked twice: the request is sent again if the broker lost the reply queue while it was under way, and offered again
   * while no server listens.
   */
  readonly idempotent?: boolean;
  readonly signal?: AbortSignal;
}

export interface ClientPorts {
  readonly controlExchange: Exchange;
  readonly fanoutExchange: (topic: string) => Exchange;
  readonly replyQueue: string;
  readonly timeouts: CallTimeouts;
  readonly publish: (message: Outgoing, signal: AbortSignal) => Promise<void>;
  /** Replies nobody waits for: late, or of a former life of this queue. */
  readonly onStrayReply: (messageId: string) => void;
}

interface Waiting {
  readonly settle: (outcome: { readonly reply: Reply } | { readonly reason: unknown }) => void;
  readonly stillWorking: () => void;
  readonly again: (() => void) | undefined;
  partial: Reply | undefined;
}

/** Between two offers of a request while no server listens: at first, and at most. */
const NO_SERVER_MS = 250;
const LONGEST_NO_SERVER_MS = 2_000;
/** Casts are given up after this long without a confirmation; oslo.messaging would block for ever. */
const CAST_DEADLINE_MS = 60_000;

export class RpcClient {
  private readonly waiting = new Map<string, Waiting>();
  private readonly stopping = new AbortController();

  constructor(private readonly ports: ClientPorts) {
    // Each call under way listens, and there may be many: that is no leak of which Node would have to warn.
    setMaxListeners(0, this.stopping.signal);
  }

  /** Calls awaiting their answers. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Rejects with RemoteError, MessagingTimeout or MessagingClosed, or with the reason of an aborted signal. */
  async call(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>>,
    options: CallOptions = {},
  ): Promise<unknown> {
    const scoped = scopedMethod(target.namespace, method);
    const timeoutMs = options.timeoutMs ?? this.ports.timeouts.timeoutOf(scoped);
    const begun = performance.now();
    try {
      const reply = await this.exchange(target, method, args, { ...options, timeoutMs });
      this.ports.timeouts.answered(scoped, performance.now() - begun);
      if (reply.failure) throw reply.failure;
      return reply.result;
    } catch (reason) {
      if (reason instanceof MessagingTimeout && options.timeoutMs === undefined) {
        await pause(this.ports.timeouts.timedOut(scoped, timeoutMs), this.stopping.signal);
      }
      throw reason;
    }
  }

  /** Sends without an answer. Rejects with MessageDeliveryFailure if the broker did not take it within a minute. */
  async cast(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>>,
    context?: RpcContext,
  ): Promise<void> {
    const body = this.body(target, method, args, context);
    await this.send({ exchange: this.ports.controlExchange, routingKey: routingKey(target), body, mandatory: false });
  }

  /** Sends to every server of the topic. */
  async fanout(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>>,
    context?: RpcContext,
  ): Promise<void> {
    const body = this.body(target, method, args, context);
    await this.send({ exchange: this.ports.fanoutExchange(target.topic), routingKey: '', body, mandatory: false });
  }

  /** A message from the reply queue. */
  receive(reply: Reply): void {
    const call = this.waiting.get(reply.messageId);
    if (!call) {
      this.ports.onStrayReply(reply.messageId);
    } else if (reply.ending) {
      call.settle({ reply: hasOutcome(reply) || !call.partial ? reply : call.partial });
    } else if (hasOutcome(reply)) {
      call.partial = reply;
    } else {
      call.stillWorking();
    }
  }

  /** The broker lost the reply queue: what may be asked twice is asked again. */
  replyQueueLost(): void {
    for (const call of [...this.waiting.values()]) call.again?.();
  }

  close(): void {
    this.stopping.abort(new MessagingClosed());
  }

  private exchange(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>>,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<Reply> {
    const { timeoutMs, signal: cancelled } = options;
    const messageId = newId();
    const ended = new AbortController();
    return new Promise<Reply>((resolve, reject) => {
      const expire = () => settle({ reason: new MessagingTimeout(target.topic, method, timeoutMs) });
      let timer = setTimeout(expire, timeoutMs);
      const stopped = () => settle({ reason: this.stopping.signal.reason });
      const aborted = () => settle({ reason: cancelled?.reason });
      const settle: Waiting['settle'] = (outcome) => {
        clearTimeout(timer);
        this.waiting.delete(messageId);
        this.stopping.signal.removeEventListener('abort', stopped);
        cancelled?.removeEventListener('abort', aborted);
        ended.abort(new MessagingTimeout(target.topic, method, timeoutMs));
        if ('reply' in outcome) resolve(outcome.reply);
        else reject(outcome.reason);
      };
      const send = () => {
        const reply = { queue: this.ports.replyQueue, messageId };
        const outgoing: Outgoing = {
          exchange: this.ports.controlExchange,
          routingKey: routingKey(target),
          body: this.body(target, method, args, options.context, reply, options.callMonitorTimeout),
          mandatory: options.idempotent ?? false,
          expiration: timeoutMs,
        };
        this.offer(outgoing, ended.signal).catch((reason: unknown) => {
          if (!ended.signal.aborted) settle({ reason });
        });
      };
      const stillWorking = () => {
        clearTimeout(timer);
        timer = setTimeout(expire, timeoutMs);
      };
      if (this.stopping.signal.aborted) return settle({ reason: this.stopping.signal.reason });
      if (cancelled?.aborted) return settle({ reason: cancelled.reason });
      this.stopping.signal.addEventListener('abort', stopped, { once: true });
      cancelled?.addEventListener('abort', aborted, { once: true });
      this.waiting.set(messageId, {
        settle,
        stillWorking,
        again: options.idempotent ? send : undefined,
        partial: undefined,
      });
      send();
    });
  }

  /** A mandatory message that found no queue is offered again: the server is on its way back. */
  private async offer(message: Outgoing, signal: AbortSignal): Promise<void> {
    const pauses = doublingPauses(NO_SERVER_MS, LONGEST_NO_SERVER_MS);
    for (;;) {
      try {
        return await this.ports.publish(message, signal);
      } catch (reason) {
        if (!(reason instanceof MessageUndeliverable) || signal.aborted) throw reason;
        await pause(pauses.next().value, signal);
      }
    }
  }

  private body(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>>,
    context: RpcContext = agentContext(),
    reply?: { readonly queue: string; readonly messageId: string },
    callMonitorTimeout?: number,
  ): string {
    return encodeRequest({
      method,
      args,
      version: target.version,
      namespace: target.namespace,
      context,
      ...(reply && { reply }),
      ...(callMonitorTimeout !== undefined && { callMonitorTimeout }),
    });
  }

  private send(message: Outgoing): Promise<void> {
    return this.ports.publish(message, AbortSignal.any([this.stopping.signal, AbortSignal.timeout(CAST_DEADLINE_MS)]));
  }
}

function routingKey({ topic, host }: RpcTarget): string {
  return host === undefined ? topic : `${topic}.${host}`;
}

function hasOutcome(reply: Reply): boolean {
  return reply.failure !== undefined || reply.result !== null;
}
