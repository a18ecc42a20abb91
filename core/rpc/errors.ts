/** Every failure this library raises. `code` is stable; the message names the field and the likely mistake. */
export type RpcErrorCode =
  | 'transport-url-invalid'
  | 'option-invalid'
  | 'option-refused'
  | 'envelope-invalid'
  | 'versioned-object-invalid'
  | 'call-timed-out'
  | 'message-undeliverable'
  | 'delivery-failed'
  | 'remote-error'
  | 'messaging-closed';

export class RpcError extends Error {
  constructor(
    readonly code: RpcErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The transport_url cannot be used. Never carries the password. */
export class TransportUrlError extends RpcError {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super('transport-url-invalid', `transport_url: ${message}`);
  }
}

/** An [oslo_messaging_rabbit] option is malformed (`option-invalid`) or asks for what is not offered (`option-refused`). */
export class RabbitOptionError extends RpcError {
  constructor(
    code: 'option-invalid' | 'option-refused',
    readonly field: string,
    message: string,
  ) {
    super(code, `[oslo_messaging_rabbit] ${field}: ${message}`);
  }
}

/** A message whose envelope or inner message is not oslo.messaging's. */
export class EnvelopeError extends RpcError {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super('envelope-invalid', `${field}: ${message}`);
  }
}

/** No answer in time. `timeoutMs` is how long this call waited, in milliseconds. */
export class MessagingTimeout extends RpcError {
  constructor(
    readonly topic: string,
    readonly method: string,
    readonly timeoutMs: number,
  ) {
    super(
      'call-timed-out',
      `no reply to ${method} on topic ${topic} within ${timeoutMs} ms: is a server listening there?`,
    );
  }
}

/** A mandatory message that the broker returned: nothing is bound under that routing key. */
export class MessageUndeliverable extends RpcError {
  constructor(
    readonly exchange: string,
    readonly routingKey: string,
  ) {
    super('message-undeliverable', `no queue for routing key "${routingKey}" on exchange "${exchange}"`);
  }
}

/** The broker did not confirm the message before the deadline. It may still have been delivered. */
export class MessageDeliveryFailure extends RpcError {
  constructor(
    readonly exchange: string,
    readonly routingKey: string,
    cause?: unknown,
  ) {
    super(
      'delivery-failed',
      `the broker did not take the message for exchange "${exchange}", routing key "${routingKey}", in time`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/** What the other side raised, as it described it. */
export class RemoteError extends RpcError {
  constructor(
    readonly remoteClass: string,
    readonly module: string,
    message: string,
    readonly traceback: readonly string[],
  ) {
    super('remote-error', message);
  }
}

/** The messaging was closed while this was under way, or before it began. */
export class MessagingClosed extends RpcError {
  constructor() {
    super('messaging-closed', 'the messaging was closed');
  }
}

/**
 * Thrown by an endpoint to answer a call with a failure of a given class and module, so that a Python caller that allows the
 * module raises that very exception. Any other error thrown is sent as its own name in the module `patchbay`.
 */
export class RpcFailure extends Error {
  constructor(
    readonly className: string,
    readonly module: string,
    message: string,
  ) {
    super(message);
    this.name = className;
  }
}

/** Text for logs of anything caught. */
export function describe(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
