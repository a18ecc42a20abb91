import type { Duplex } from 'node:stream';
import { OvsdbConnectionError, OvsdbRpcError, OvsdbTimeout } from './errors';
import { JsonStream } from './json-stream';

/** A reply to the peer's request: `result`, or `error` in the shape of RFC 7047 section 3.1. */
export type Reply = { readonly result: unknown } | { readonly error: unknown };

export interface PeerOptions {
  /** Silence after which an `echo` is sent; after as much silence again the session is dropped. 0: never. */
  readonly probeIntervalMs: number;
  readonly onNotification: (method: string, params: readonly unknown[]) => void;
  /** Answers the peer's requests other than `echo`. Without it each is refused as an unknown method. */
  readonly onRequest?: (method: string, params: readonly unknown[], reply: (reply: Reply) => void, id: unknown) => void;
}

interface Pending {
  readonly method: string;
  readonly settle: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** One JSON-RPC 1.0 session over a byte stream, the same at either end: RFC 7047 lets both sides ask. */
export class JsonRpcPeer {
  private readonly pending = new Map<number, Pending>();
  private readonly finished: Promise<OvsdbConnectionError>;
  private finish: (error: OvsdbConnectionError) => void = () => undefined;
  private ended: OvsdbConnectionError | undefined;
  private nextId = 1;
  private probeTimer: NodeJS.Timeout | undefined;
  private heard = true;
  private probing = false;

  constructor(
    private readonly stream: Duplex,
    private readonly options: PeerOptions,
  ) {
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
    const json = new JsonStream((message) => this.receive(message));
    stream.on('data', (chunk: Buffer) => {
      if (this.ended !== undefined) return;
      this.heard = true;
      try {
        json.push(chunk);
      } catch (error) {
        this.close(asConnectionError(error));
      }
    });
    stream.on('error', (error) => this.close(lost(`the session was lost: ${error.message}`, error)));
    stream.on('end', () => this.close(lost('the server closed the session')));
    stream.on('close', () => this.close(lost('the session was closed')));
    if (options.probeIntervalMs > 0) {
      this.probeTimer = setInterval(() => this.probe(), options.probeIntervalMs);
    }
  }

  /** Resolves, and never rejects, with the reason once the session has ended. */
  get closed(): Promise<OvsdbConnectionError> {
    return this.finished;
  }

  /**
   * Sends a request and resolves with what `accept` makes of its result. `accept` runs before any later message is looked
   * at, so what the reply establishes is in place when a notification in the same chunk arrives.
   * @throws OvsdbRpcError, OvsdbTimeout, OvsdbConnectionError, and whatever `accept` throws.
   */
  request<Result>(
    method: string,
    params: readonly unknown[],
    timeoutMs: number,
    accept: (result: unknown) => Result,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(new OvsdbConnectionError(this.ended.reason, this.ended.message, 'not-sent', { cause: this.ended }));
        return;
      }
      const id = this.nextId;
      this.nextId += 1;
      const timer = setTimeout(() => {
        this.pending.delete(id);
        if (method === 'transact') this.notify('cancel', [id]);
        reject(new OvsdbTimeout(method, timeoutMs));
      }, timeoutMs);
      const settle = (result: unknown): void => {
        try {
          resolve(accept(result));
        } catch (error) {
          reject(error);
        }
      };
      this.pending.set(id, { method, settle, reject, timer });
      this.send({ method, params, id });
    });
  }

  notify(method: string, params: readonly unknown[]): void {
    this.send({ method, params, id: null });
  }

  /** Ends the session. What still waits for a reply is rejected with this reason and an unknown outcome. */
  close(reason: OvsdbConnectionError): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    clearInterval(this.probeTimer);
    this.stream.destroy();
    for (const request of this.pending.values()) {
      clearTimeout(request.timer);
      request.reject(new OvsdbConnectionError(reason.reason, reason.message, 'unknown', { cause: reason }));
    }
    this.pending.clear();
    this.finish(reason);
  }

  private send(message: object): void {
    if (this.ended === undefined) this.stream.write(JSON.stringify(message));
  }

  private probe(): void {
    if (this.heard) {
      this.heard = false;
      this.probing = false;
    } else if (this.probing) {
      const seconds = (2 * this.options.probeIntervalMs) / 1000;
      this.close(new OvsdbConnectionError('inactive', `the server said nothing for ${seconds} s, not even to an echo`));
    } else {
      this.probing = true;
      this.send({ method: 'echo', params: [], id: 'echo' });
    }
  }

  private receive(message: unknown): void {
    if (this.ended !== undefined) return;
    if (typeof message !== 'object' || message === null) throw malformed();
    const { method, params, id, result, error } = message as Readonly<Record<string, unknown>>;
    if (typeof method === 'string') {
      if (!Array.isArray(params)) throw malformed();
      if (id === null || id === undefined) this.options.onNotification(method, params);
      else this.serve(method, params, id);
      return;
    }
    if (id === undefined) throw malformed();
    const request = typeof id === 'number' ? this.pending.get(id) : undefined;
    if (request === undefined || typeof id !== 'number') return;
    this.pending.delete(id);
    clearTimeout(request.timer);
    if (error === null || error === undefined) request.settle(result);
    else request.reject(rpcError(request.method, error));
  }

  private serve(method: string, params: readonly unknown[], id: unknown): void {
    const reply = (answer: Reply): void =>
      this.send('error' in answer ? { result: null, error: answer.error, id } : { ...answer, error: null, id });
    if (method === 'echo') reply({ result: params });
    else if (this.options.onRequest === undefined) reply({ error: 'unknown method' });
    else this.options.onRequest(method, params, reply, id);
  }
}

function lost(message: string, cause?: Error): OvsdbConnectionError {
  return new OvsdbConnectionError('closed', message, 'unknown', cause === undefined ? undefined : { cause });
}

function malformed(): OvsdbConnectionError {
  return new OvsdbConnectionError('protocol', 'the peer sent JSON that is no JSON-RPC message');
}

function asConnectionError(error: unknown): OvsdbConnectionError {
  if (error instanceof OvsdbConnectionError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new OvsdbConnectionError('protocol', `the peer sent what cannot be used: ${message}`, 'unknown', {
    cause: error,
  });
}

/** ovsdb-server answers either with a bare string (an unknown method) or with RFC 7047's error object. */
function rpcError(method: string, error: unknown): OvsdbRpcError {
  if (typeof error === 'object' && error !== null) {
    const { error: name, details } = error as Readonly<Record<string, unknown>>;
    return new OvsdbRpcError(method, String(name ?? 'error'), typeof details === 'string' ? details : undefined);
  }
  return new OvsdbRpcError(method, String(error), undefined);
}
