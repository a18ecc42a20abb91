import { MemoryBroker } from '../../support/memory-broker';
import { messagingContract } from './messaging-contract';

describe('messaging on the broker in memory', () => {
  messagingContract(async () => {
    const broker = new MemoryBroker();
    return {
      options: { transportUrl: 'rabbit://guest:guest@memory/', connect: broker.connect },
      closeConnections: async () => broker.closeConnections(),
      restart: async () => broker.restart(),
      setBlocked: async (blocked) => broker.setBlocked(blocked),
      deleteQueue: async (name) => broker.dropQueue(name),
      queueNames: async () => [...broker.queues.keys()],
      declareExchange: async (name, type, options) => {
        broker.exchanges.set(name, { type, options, bindings: [] });
      },
      deleteExchange: async (name) => broker.deleteExchange(name),
      exchangeNames: async () => [...broker.exchanges.keys()],
      declareQueue: async (name) => {
        const options = { durable: false, autoDelete: false, exclusive: false };
        broker.queues.set(name, { options, messages: [], consumers: [] });
      },
    };
  });
});
