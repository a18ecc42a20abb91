import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import * as amqplib from 'amqplib';
import { messagingContract } from './messaging-contract';

const url = process.env.PATCHBAY_TEST_AMQP;
const run = promisify(execFile);
const ctl = async (...args: string[]) => (await run('rabbitmqctl', ['-q', ...args])).stdout;

if (url === undefined || process.env.PATCHBAY_TEST_RABBITMQCTL === undefined) {
  it('messaging on a RabbitMQ of its own keeps the contract', () => {
    const inside = ['npx', 'jest', __filename, '--selectProjects', 'contract', '--runInBand', '--coverage=false'];
    const outcome = spawnSync('bash', ['test/support/with-broker.sh', ...inside], { encoding: 'utf8' });
    if (outcome.status !== 0) throw new Error(outcome.stdout + outcome.stderr);
  }, 300_000);
} else {
  jest.setTimeout(60_000);

  const withChannel = async <T>(work: (channel: amqplib.Channel) => Promise<T>): Promise<T> => {
    const connection = await amqplib.connect(url);
    connection.on('error', () => undefined);
    try {
      return await work(await connection.createChannel());
    } finally {
      await connection.close();
    }
  };

  describe('messaging on RabbitMQ', () => {
    messagingContract(async () => ({
      options: { transportUrl: url.replace(/^amqp:/, 'rabbit:') },
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
      declareQueue: (name) =>
        withChannel(async (channel) => void (await channel.assertQueue(name, { durable: false }))),
    }));
  });
}
