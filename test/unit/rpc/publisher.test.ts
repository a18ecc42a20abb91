import { once } from 'node:events';
import { Link } from '../../../core/rpc/link';
import { resolveRabbitOptions } from '../../../core/rpc/options';
import { Publisher, withSignal } from '../../../core/rpc/publisher';
import { MemoryBroker } from '../../support/memory-broker';

const { options } = resolveRabbitOptions({});
const links: Link[] = [];
afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
});

function setUp(broker: MemoryBroker) {
  const link = new Link({
    endpoints: [{ host: 'h1', port: 5672, username: 'u', password: 'p' }],
    failover: 'round-robin',
    retry: { first: 0.01, step: 0, max: 0.01 },
    open: (endpoint) => broker.connect({ endpoint, virtualHost: '/', connectionName: 'test', options }),
    prepare: async () => undefined,
  });
  links.push(link);
  return { link, publisher: new Publisher(link, { compress: false, onMismatch: () => undefined }) };
}

const fanout = { name: 't_fanout', type: 'fanout', options: { durable: false, autoDelete: true } } as const;
const message = { exchange: fanout, routingKey: '', body: '{}', mandatory: false };

describe('publishing', () => {
  it('is given up in time also while the broker does not answer the declaration of the exchange', async () => {
    const broker = new MemoryBroker();
    const { link, publisher } = setUp(broker);
    const up = once(link, 'up');
    link.start();
    await up;
    for (const connection of broker.connections) connection.createConfirmChannel = () => new Promise(() => undefined);
    await expect(publisher.publish(message, AbortSignal.timeout(20))).rejects.toMatchObject({
      code: 'delivery-failed',
    });
  });

  it('is tried more and more seldom while the broker refuses', async () => {
    const broker = new MemoryBroker();
    const { link, publisher } = setUp(broker);
    const up = once(link, 'up');
    link.start();
    await up;
    const refuse = jest.fn(() => Promise.reject(new Error('ACCESS_REFUSED')));
    for (const connection of broker.connections) connection.createConfirmChannel = refuse;
    await expect(publisher.publish(message, AbortSignal.timeout(340))).rejects.toMatchObject({
      code: 'delivery-failed',
    });
    expect(refuse.mock.calls.length).toBeLessThanOrEqual(3);
  });

  it('leaves no rejection to nobody when it was given up before the broker refused', async () => {
    const stray = jest.fn();
    process.on('unhandledRejection', stray);
    const given = new AbortController();
    given.abort(new Error('given up'));
    await expect(withSignal(Promise.reject(new Error('refused')), given.signal)).rejects.toThrow('given up');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', stray);
    expect(stray).not.toHaveBeenCalled();
  });

  it('keeps nothing of what was given up while there was no broker', async () => {
    const broker = new MemoryBroker();
    broker.answerOn(() => false);
    const { link, publisher } = setUp(broker);
    link.start();
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(publisher.publish(message, AbortSignal.timeout(1))).rejects.toMatchObject({
        code: 'delivery-failed',
      });
    }
    expect(link.waitingForConnection).toBe(0);
  });
});
