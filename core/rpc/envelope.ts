import { randomUUID } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { packContext, type RpcContext, unpackContext } from './context';
import { EnvelopeError, RemoteError, RpcFailure } from './errors';

/** The envelope version oslo.messaging has written since 2012. A reader takes any minor of the same major. */
const ENVELOPE_VERSION = '2.0';
/** kombu's name for zlib-deflated bodies (its alias "gzip" is this, not the gzip file format). */
export const DEFLATED = 'application/x-gzip';

type JsonObject = Readonly<Record<string, unknown>>;

export interface Request {
  readonly kind: 'request';
  readonly method: string;
  readonly args: JsonObject;
  /** "1.0" if the message has none. */
  readonly version: string;
  readonly namespace: string | undefined;
  readonly context: RpcContext;
  readonly uniqueId: string | undefined;
  /** Set for calls: where and under which id to answer. */
  readonly reply: { readonly queue: string; readonly messageId: string } | undefined;
  /** The caller's call-monitor timeout in seconds; it wants a heartbeat every half of it. */
  readonly callMonitorTimeout: number | undefined;
}

export interface Reply {
  readonly kind: 'reply';
  readonly messageId: string;
  readonly result: unknown;
  readonly failure: RemoteError | undefined;
  /** False for call-monitor heartbeats and for the first message of the two that old servers send. */
  readonly ending: boolean;
  readonly uniqueId: string | undefined;
}

export interface RequestFields {
  readonly method: string;
  readonly args: JsonObject;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly context: RpcContext;
  readonly reply?: { readonly queue: string; readonly messageId: string };
  readonly callMonitorTimeout?: number;
}

/** 32 hexadecimal digits, the form of all ids in this protocol. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}

export function encodeRequest(request: RequestFields): string {
  const { reply } = request;
  return wrap({
    method: request.method,
    args: request.args,
    version: request.version,
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    ...(reply && { _msg_id: reply.messageId, _reply_q: reply.queue, _timeout: request.callMonitorTimeout ?? null }),
    _unique_id: newId(),
    ...packContext(request.context),
  });
}

export type ReplyOutcome =
  | { readonly result: unknown }
  | { readonly failure: unknown }
  | { readonly stillWorking: true };

export function encodeReply(messageId: string, outcome: ReplyOutcome): string {
  return wrap({
    result: 'result' in outcome ? (outcome.result ?? null) : null,
    failure: 'failure' in outcome ? serialiseFailure(outcome.failure) : null,
    ending: !('stillWorking' in outcome),
    _msg_id: messageId,
    _unique_id: newId(),
  });
}

/**
 * Reads a body. Throws EnvelopeError, which names the field, if it is no message of this protocol.
 * A body without an envelope is a bare message, as oslo.messaging allows.
 */
export function decodeMessage(body: Buffer, compression?: string): Request | Reply {
  const inner = unwrap(parseObject(inflated(body, compression), 'body'));
  return typeof inner.method === 'string' ? decodeRequest(inner, inner.method) : decodeReply(inner);
}

/** Deflates as kombu does for `kombu_compression = gzip`. */
export function deflated(body: Buffer): Buffer {
  return deflateSync(body);
}

function wrap(inner: JsonObject): string {
  return JSON.stringify({ 'oslo.version': ENVELOPE_VERSION, 'oslo.message': JSON.stringify(inner) });
}

function unwrap(outer: JsonObject): JsonObject {
  if (!('oslo.version' in outer) || !('oslo.message' in outer)) return outer;
  const version = outer['oslo.version'];
  if (typeof version !== 'string' || version.split('.')[0] !== ENVELOPE_VERSION.split('.')[0]) {
    throw new EnvelopeError('oslo.version', `is ${JSON.stringify(version)}; only version ${ENVELOPE_VERSION} is known`);
  }
  const inner = outer['oslo.message'];
  if (typeof inner !== 'string') throw new EnvelopeError('oslo.message', 'must be a string that holds JSON');
  return parseObject(inner, 'oslo.message');
}

function decodeRequest(inner: JsonObject, method: string): Request {
  const args = inner.args ?? {};
  if (!isObject(args)) throw new EnvelopeError('args', 'must be an object');
  const messageId = text(inner, '_msg_id');
  const queue = text(inner, '_reply_q');
  if (messageId !== undefined && queue === undefined) throw new EnvelopeError('_reply_q', 'is missing in a call');
  const monitor = inner._timeout;
  return {
    kind: 'request',
    method,
    args,
    version: text(inner, 'version') ?? '1.0',
    namespace: text(inner, 'namespace'),
    context: unpackContext(inner),
    uniqueId: text(inner, '_unique_id'),
    reply: messageId !== undefined && queue !== undefined ? { queue, messageId } : undefined,
    callMonitorTimeout: typeof monitor === 'number' && monitor > 0 ? monitor : undefined,
  };
}

function decodeReply(inner: JsonObject): Reply {
  const messageId = text(inner, '_msg_id');
  if (messageId === undefined)
    throw new EnvelopeError('method', 'is missing, and so is _msg_id: neither a request nor a reply');
  const failure = inner.failure;
  return {
    kind: 'reply',
    messageId,
    result: inner.result ?? null,
    failure: failure === null || failure === undefined ? undefined : deserialiseFailure(failure),
    ending: inner.ending === true,
    uniqueId: text(inner, '_unique_id'),
  };
}

function serialiseFailure(reason: unknown): string {
  const error = reason instanceof Error ? reason : new Error(String(reason));
  return JSON.stringify({
    class: error instanceof RpcFailure ? error.className : error.name,
    module: error instanceof RpcFailure ? error.module : 'patchbay',
    message: error.message,
    tb: (error.stack ?? '').split('\n').map((line) => `${line}\n`),
    args: [error.message],
    kwargs: {},
  });
}

function deserialiseFailure(failure: unknown): RemoteError {
  const fields = typeof failure === 'string' ? parseObject(failure, 'failure') : isObject(failure) ? failure : {};
  const tb = fields.tb;
  return new RemoteError(
    text(fields, 'class') ?? 'Exception',
    text(fields, 'module') ?? '',
    text(fields, 'message') ?? '',
    Array.isArray(tb) ? tb.map(String) : [],
  );
}

function inflated(body: Buffer, compression: string | undefined): string {
  if (compression === undefined) return body.toString('utf8');
  if (compression !== DEFLATED)
    throw new EnvelopeError('headers.compression', `"${compression}" is not understood, only ${DEFLATED}`);
  try {
    return inflateSync(body).toString('utf8');
  } catch (reason) {
    throw new EnvelopeError('body', `cannot be inflated: ${(reason as Error).message}`);
  }
}

function parseObject(json: string, field: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new EnvelopeError(field, 'is not JSON');
  }
  if (!isObject(value)) throw new EnvelopeError(field, 'must be a JSON object');
  return value;
}

function text(from: JsonObject, field: string): string | undefined {
  const value = from[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new EnvelopeError(field, 'must be a string');
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
