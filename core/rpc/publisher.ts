import type { AmqpChannel, AmqpConnection, PublishOptions } from './amqp';
import { doublingPauses, pause } from './backoff';
import { DEFLATED, deflated, newId } from './envelope';
import { MessageDeliveryFailure, MessageUndeliverable, MessagingClosed } from './errors';
import type { Link } from './link';
import { type Exchange, ExchangeDeclarer, openChannel } from './topology';

export interface Outgoing {
  /** Undefined is the default exchange, which routes by queue name. */
  readonly exchange: Exchange | undefined;
  readonly routingKey: string;
  readonly body: string;
  readonly mandatory: boolean;
  /** Milliseconds after which the broker drops it unread. */
  readonly expiration?: number;
}

interface Station {
  readonly connection: AmqpConnection;
  readonly channel: AmqpChannel;
  readonly exchanges: ExchangeDeclarer;
  readonly returned: Set<string>;
  open: boolean;
}

/**
 * Between two attempts after the channel or the connection was lost under a message: at first, and at most. A broker that refuses is
 * not to be asked twenty times a second by every agent.
 */
const AGAIN_MS = 50;
const LONGEST_AGAIN_MS = 2_000;

/** Publishes with confirmation. A message whose connection breaks before the broker confirmed it is sent again: at least once. */
export class Publisher {
  private station: Promise<Station> | undefined;
  private present: Station | undefined;

  constructor(
    private readonly link: Link,
    private readonly settings: { readonly compress: boolean; readonly onMismatch: (exchange: Exchange) => void },
  ) {}

  /** Resolves when the broker has taken the message. Rejects with MessageUndeliverable, MessageDeliveryFailure (signal) or MessagingClosed. */
  async publish(message: Outgoing, signal: AbortSignal): Promise<void> {
    let last: unknown;
    const pauses = doublingPauses(AGAIN_MS, LONGEST_AGAIN_MS);
    for (;;) {
      try {
        if (signal.aborted) throw signal.reason;
        const station = await this.ready(signal);
        if (message.exchange) await withSignal(station.exchanges.declare(message.exchange), signal);
        await withSignal(this.confirmed(station, message), signal);
        return;
      } catch (reason) {
        if (reason instanceof MessageUndeliverable || reason instanceof MessagingClosed) throw reason;
        if (signal.aborted) {
          if (signal.reason instanceof MessagingClosed) throw signal.reason;
          throw new MessageDeliveryFailure(message.exchange?.name ?? '', message.routingKey, last ?? reason);
        }
        last = reason;
        await pause(pauses.next().value, signal);
      }
    }
  }

  private async ready(signal: AbortSignal): Promise<Station> {
    if (this.present?.open) return this.present;
    const connection = await this.link.connection(signal);
    this.station ??= this.openStation(connection).finally(() => {
      this.station = undefined;
    });
    return withSignal(this.station, signal);
  }

  private async openStation(connection: AmqpConnection): Promise<Station> {
    const channel = await openChannel(connection);
    const station: Station = {
      connection,
      channel,
      exchanges: new ExchangeDeclarer(connection, this.settings.onMismatch),
      returned: new Set(),
      open: true,
    };
    channel.on('close', () => {
      station.open = false;
    });
    channel.on('return', (message) => {
      if (message.properties.messageId !== undefined) station.returned.add(message.properties.messageId);
    });
    this.present = station;
    return station;
  }

  private confirmed({ channel, returned }: Station, message: Outgoing): Promise<void> {
    const exchange = message.exchange?.name ?? '';
    const plain = Buffer.from(message.body, 'utf8');
    const messageId = message.mandatory ? newId() : undefined;
    const properties: PublishOptions = {
      mandatory: message.mandatory,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
      priority: 0,
      headers: this.settings.compress ? { compression: DEFLATED } : {},
      ...(messageId !== undefined && { messageId }),
      ...(message.expiration !== undefined && { expiration: String(Math.ceil(message.expiration)) }),
    };
    return new Promise((resolve, reject) => {
      channel.publish(
        exchange,
        message.routingKey,
        this.settings.compress ? deflated(plain) : plain,
        properties,
        (reason) => {
          if (messageId !== undefined && returned.delete(messageId)) {
            reject(new MessageUndeliverable(exchange, message.routingKey));
          } else if (reason) {
            reject(reason);
          } else {
            resolve();
          }
        },
      );
    });
  }
}

/** The promise, or the signal's reason if that comes first: then nobody is told of what becomes of the promise. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
