import amqp from 'amqplib';
import { run } from '../support/bed-command';

/** From a request's arrival at the broker to its answer's; milliseconds of `performance.now()`. */
export interface Exchange {
  readonly method: string;
  readonly askedAt: number;
  readonly answeredAt: number;
  /** The request's arguments, as JSON. */
  readonly args: string;
}

interface OsloMessage {
  readonly method?: string;
  readonly args?: unknown;
  readonly _msg_id?: string;
}

/** Every call that crosses the broker and its answer, by RabbitMQ's firehose (a copy of all that is published). */
export class Firehose {
  readonly exchanges: Exchange[] = [];
  private readonly asked = new Map<string, { readonly method: string; readonly args: string; readonly at: number }>();

  private constructor(private readonly connection: amqp.ChannelModel) {}

  static async open(url: string): Promise<Firehose> {
    await run(['rabbitmqctl', '--quiet', 'trace_on']);
    const connection = await amqp.connect(url);
    const firehose = new Firehose(connection);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'amq.rabbitmq.trace', 'publish.#');
    await channel.consume(queue, (message) => firehose.note(message?.content), { noAck: true });
    return firehose;
  }

  async close(): Promise<void> {
    await this.connection.close();
    await run(['rabbitmqctl', '--quiet', 'trace_off']);
  }

  private note(content: Buffer | undefined): void {
    const at = performance.now();
    const message = osloMessageIn(content);
    const id = message?._msg_id;
    if (message === undefined || id === undefined) return;
    const question = this.asked.get(id);
    if (question === undefined && message.method !== undefined) {
      this.asked.set(id, { method: message.method, args: JSON.stringify(message.args), at });
    } else if (question !== undefined) {
      this.asked.delete(id);
      const { method, args } = question;
      this.exchanges.push({ method, args, askedAt: question.at, answeredAt: at });
    }
  }
}

function osloMessageIn(content: Buffer | undefined): OsloMessage | undefined {
  try {
    const envelope = JSON.parse(String(content)) as { readonly 'oslo.message'?: string };
    return JSON.parse(envelope['oslo.message'] ?? '') as OsloMessage;
  } catch {
    return undefined;
  }
}
