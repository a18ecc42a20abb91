import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as amqplib from 'amqplib';
import { runBesideBroker } from '../../support/private-broker';
import { messagingContract } from './messaging-contract';

const run = promisify(execFile);
const ctl = async (...args: string[]) => (await run('rabbitmqctl', ['-q', ...args])).stdout;

runBesideBroker(__filename, (url) => {
  const withChannel = async <T>(work: (channel: amqplib.Channel) => Promise<T>): Promise<T> => {
    const connection = await amqplib.connect(url.replace(/^rabbit:/, 'amqp:'));
    connection.on('error', () => undefined);
    try {
      return await work(await connection.createChannel());
    } finally {
      await connection.close();
    }
  };

  describe('messaging on RabbitMQ', () => {
    messagingContract(async () => ({
      options: { transportUrl: url },
      closeConnections: async () => void (await ctl('close_all_connections', 'closed by the test')),
      restart: async () => {
        await ctl('stop_app');
        await ctl('start_app');
      },
      // The watermark is what makes RabbitMQ block: nothing fits in one byte, and 0.4 is its default.
      setBlocked: async (blocked) =>
        void (await (blocked
          ? ctl('set_vm_memory_high_watermark', 'absolute', '1')
          : ctl('set_vm_memory_high_watermark', '0.4'))),
      deleteQueue: (name) => withChannel(async (channel) => void (await channel.deleteQueue(name))),
      queueNames: async () =>
        (await ctl('list_queues', 'name', '--no-table-headers')).split('\n').filter((name) => name !== ''),
      declareExchange: (name, type, options) =>
        withChannel(async (channel) => void (await channel.assertExchange(name, type, options))),
      deleteExchange: (name) => withChannel(async (channel) => void (await channel.deleteExchange(name))),
      exchangeNames: async () => (await ctl('list_exchanges', 'name', '--no-table-headers')).split('\n'),
      declareQueue: (name) =>
        withChannel(async (channel) => void (await channel.assertQueue(name, { durable: false }))),
    }));
  });
});
