import amqp from 'amqplib';

type Fields = Readonly<Record<string, unknown>>;

/** Copies of what agents send to a topic of the server, as it was on the wire. The server gets it all the same. */
export class Overheard {
  private readonly messages: { readonly method: string; readonly args: Fields }[] = [];

  private constructor(private readonly connection: amqp.ChannelModel) {}

  static async listen(url: string, topic: string): Promise<Overheard> {
    const connection = await amqp.connect(url);
    // A broker that is stopped later on ends it.
    connection.on('error', () => {});
    const overheard = new Overheard(connection);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'neutron', topic);
    await channel.consume(queue, (message) => message && overheard.note(message.content), { noAck: true });
    return overheard;
  }

  /** The arguments of every call of the method. */
  calls(method: string): readonly Fields[] {
    return this.messages.flatMap((message) => (message.method === method ? [message.args] : []));
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private note(content: Buffer): void {
    const envelope = JSON.parse(String(content)) as { readonly 'oslo.message': string };
    this.messages.push(JSON.parse(envelope['oslo.message']) as { method: string; args: Fields });
  }
}
