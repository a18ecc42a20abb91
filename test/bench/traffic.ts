import amqp from 'amqplib';
import { run } from '../support/bed-command';

/** Counts what the broker delivers, to whomever, by RabbitMQ's firehose; replies and state reports included. */
export class Traffic {
  private delivered = 0;

  private constructor(private readonly connection: amqp.ChannelModel) {}

  static async open(url: string): Promise<Traffic> {
    await run(['rabbitmqctl', '--quiet', 'trace_on']);
    const connection = await amqp.connect(url);
    const traffic = new Traffic(connection);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'amq.rabbitmq.trace', 'deliver.#');
    await channel.consume(queue, () => void traffic.delivered++, { noAck: true });
    return traffic;
  }

  /** Since it was opened. */
  get count(): number {
    return this.delivered;
  }

  async close(): Promise<void> {
    await this.connection.close();
    await run(['rabbitmqctl', '--quiet', 'trace_off']);
  }
}
