import type { AmqpMessage } from './amqp';
import type { RpcContext } from './context';
import { decodeMessage, type Request } from './envelope';
import { describe, EnvelopeError, RpcFailure } from './errors';
import type { ReplySender } from './reply-sender';

/** One RPC method. What it returns, or what its promise resolves to, answers a call; it is dropped for a cast. */
export type Endpoint = (context: RpcContext, args: Readonly<Record<string, unknown>>) => unknown;
export type Endpoints = Readonly<Record<string, Endpoint>>;

export interface Listening {
  readonly topic: string;
  /** Also receive what is sent to `<topic>.<host>`. */
  readonly host?: string;
  /** Also receive what is sent to every server of the topic. Default true. */
  readonly fanout?: boolean;
  /** Also share the queue `<topic>` with other servers: the role of neutron-server, not of an agent. Default false. */
  readonly shared?: boolean;
  readonly namespace?: string;
  /** Highest version these endpoints speak; lower minors of the same major are served too. */
  readonly version: string;
}

export interface RpcProblem {
  readonly code:
    | 'envelope-invalid'
    | 'unknown-topic'
    | 'message-for-another-host'
    | 'version-not-supported'
    | 'method-unknown'
    | 'endpoint-failed'
    | 'reply-undeliverable'
    | 'exchange-unguarded';
  /** Which part of the message is at fault, or what on the broker. */
  readonly field: string;
  readonly message: string;
  readonly topic?: string;
  readonly method?: string;
}

interface Registration {
  readonly listening: Listening;
  readonly endpoints: Endpoints;
}

/** oslo.messaging remembers the last 16 ids of each listener; here one memory serves all listeners. */
const REMEMBERED_IDS = 1024;
const DISPATCHER_MODULE = 'oslo_messaging.rpc.dispatcher';
const PING = 'oslo_rpc_server_ping';

/**
 * Hands messages to endpoints, in the order of arrival and without waiting for one before the next is begun. A call goes to the first
 * listener of its topic that has the method, anything else to each that has it.
 * A message that cannot be handed on is reported once and dropped; a call gets the failure oslo.messaging would answer with.
 */
export class Dispatcher {
  private readonly registrations = new Map<string, Registration[]>();
  private readonly seen = new Set<string>();

  constructor(
    private readonly settings: {
      readonly controlExchange: string;
      readonly pingEnabled: boolean;
      readonly replies: ReplySender;
      readonly onProblem: (problem: RpcProblem) => void;
    },
  ) {}

  add(listening: Listening, endpoints: Endpoints): () => void {
    const registration = { listening, endpoints };
    this.registrations.set(listening.topic, [...(this.registrations.get(listening.topic) ?? []), registration]);
    return () => {
      const left = (this.registrations.get(listening.topic) ?? []).filter((each) => each !== registration);
      if (left.length > 0) this.registrations.set(listening.topic, left);
      else this.registrations.delete(listening.topic);
    };
  }

  receive(message: AmqpMessage): void {
    const request = this.read(message);
    if (!request || this.isDuplicate(request)) return;
    const topic = this.topicOf(message, request);
    if (topic !== undefined) this.dispatch(topic, request);
  }

  private read(message: AmqpMessage): Request | undefined {
    try {
      const decoded = decodeMessage(message.content, compressionOf(message));
      if (decoded.kind === 'request') return decoded;
      throw new EnvelopeError('method', 'is missing: a reply in the notification queue');
    } catch (reason) {
      const field = reason instanceof EnvelopeError ? reason.field : 'body';
      const topic = message.fields.exchange || message.fields.routingKey;
      this.settings.onProblem({ code: 'envelope-invalid', field, message: describe(reason), topic });
      return undefined;
    }
  }

  private isDuplicate({ uniqueId }: Request): boolean {
    if (uniqueId === undefined) return false;
    if (this.seen.has(uniqueId)) return true;
    this.seen.add(uniqueId);
    if (this.seen.size > REMEMBERED_IDS) {
      const [oldest] = this.seen;
      if (oldest !== undefined) this.seen.delete(oldest);
    }
    return false;
  }

  /** The topic a message was sent to, by the exchange and routing key it came through. */
  private topicOf({ fields }: AmqpMessage, request: Request): string | undefined {
    const { exchange, routingKey } = fields;
    const fanout = exchange.endsWith('_fanout') ? exchange.slice(0, -'_fanout'.length) : undefined;
    if (fanout !== undefined && this.registrations.has(fanout)) return fanout;
    if (exchange === this.settings.controlExchange) {
      if (this.registrations.has(routingKey)) return routingKey;
      const topic = [...this.registrations.keys()].find((each) => routingKey.startsWith(`${each}.`));
      if (topic !== undefined) {
        const host = routingKey.slice(topic.length + 1);
        if (this.registrations.get(topic)?.some(({ listening }) => listening.host === host)) return topic;
        this.refuse(
          request,
          topic,
          'message-for-another-host',
          'routing key',
          `a message for host ${host} arrived here`,
        );
        return undefined;
      }
    }
    this.refuse(
      request,
      exchange || routingKey,
      'unknown-topic',
      'exchange',
      `nobody listens to ${exchange} ${routingKey}`,
    );
    return undefined;
  }

  private dispatch(topic: string, request: Request): void {
    const { method, version, namespace } = request;
    if (method === PING && this.settings.pingEnabled) {
      this.answer(topic, request, () => 'pong');
      return;
    }
    const compatible = (this.registrations.get(topic) ?? []).filter(
      ({ listening }) => listening.namespace === namespace && isCompatible(listening.version, version),
    );
    const able = compatible.flatMap(({ endpoints }) =>
      Object.hasOwn(endpoints, method) ? (endpoints[method] ?? []) : [],
    );
    // A call has one answer; what wants none is for all who listen, as it was when each had a queue of its own.
    for (const endpoint of request.reply ? able.slice(0, 1) : able) this.answer(topic, request, endpoint);
    if (able.length > 0) return;
    if (compatible.length > 0) {
      const text = `no endpoint of ${topic} has a method ${method}`;
      this.refuse(
        request,
        topic,
        'method-unknown',
        'method',
        text,
        new RpcFailure('NoSuchMethod', DISPATCHER_MODULE, text),
      );
    } else {
      const scope = namespace === undefined ? '' : ` in namespace ${namespace}`;
      const text = `no endpoint of ${topic}${scope} speaks version ${version}, which ${method} was asked in`;
      this.refuse(
        request,
        topic,
        'version-not-supported',
        'version',
        text,
        new RpcFailure('UnsupportedVersion', DISPATCHER_MODULE, text),
      );
    }
  }

  private answer(topic: string, request: Request, endpoint: Endpoint): void {
    const working = request.reply && this.settings.replies.begin(request.reply, request.callMonitorTimeout);
    const failed = (reason: unknown) => {
      const { method } = request;
      this.settings.onProblem({ code: 'endpoint-failed', field: 'method', message: describe(reason), topic, method });
      working?.finish({ failure: reason });
    };
    try {
      const outcome = endpoint(request.context, request.args);
      if (outcome instanceof Promise) outcome.then((result: unknown) => working?.finish({ result }), failed);
      else working?.finish({ result: outcome });
    } catch (reason) {
      failed(reason);
    }
  }

  private refuse(
    request: Request,
    topic: string,
    code: RpcProblem['code'],
    field: string,
    message: string,
    failure?: RpcFailure,
  ): void {
    this.settings.onProblem({ code, field, message, topic, method: request.method });
    if (failure && request.reply) this.settings.replies.begin(request.reply, undefined).finish({ failure });
  }
}

/** kombu names the compression of a body in this header. */
export function compressionOf(message: AmqpMessage): string | undefined {
  const header = message.properties.headers?.compression;
  return typeof header === 'string' ? header : undefined;
}

/** oslo.messaging's rule: the same major, and a minor not above that of the endpoint. */
export function isCompatible(offered: string, requested: string): boolean {
  const [offeredMajor = 0, offeredMinor = 0] = offered.split('.').map(Number);
  const [major = 0, minor = 0] = requested.split('.').map(Number);
  return major === offeredMajor && minor <= offeredMinor;
}
