import type { Announcer, LeftQueues, MessagingConnector } from '@patchbay/sdk';
import { NeutronConfig } from '../../../plugins/neutron/config';
import { Neutron } from '../../../plugins/neutron/plugin';
import { FakeHealth, FakeJobs, FakeLogger, FakeSynchronisation, IDENTITY } from '../../support/plugin-kit';

describe('queues of the former agent', () => {
  test('that the broker says are in use are looked at again, until nobody uses them', async () => {
    const answers: LeftQueues[] = [
      { removed: [], inUse: ['q.host1'], refused: [] },
      { removed: ['q.host1'], inUse: [], refused: [] },
    ];
    const nothing = () => () => undefined;
    const rpc = {
      objects: { subscribe: nothing },
      open: () => undefined,
      onProblem: () => undefined,
      onRestored: nothing,
      listen: nothing,
      call: async () => true,
      state: async () => ({ connected: true, detail: '' }),
      removeUnusedQueues: async () => answers.shift(),
    };
    const jobs = new FakeJobs();
    const health = new FakeHealth();
    const synchronisation = new FakeSynchronisation();
    const plugin = new Neutron(
      NeutronConfig.parse({}),
      IDENTITY,
      { connect: () => rpc } as unknown as MessagingConnector,
      {} as Announcer,
      synchronisation,
      jobs,
      health,
      new FakeLogger(),
    );
    plugin.start();
    synchronisation.portsDone();
    await new Promise((resolve) => setImmediate(resolve));
    await jobs.settle();
    expect(health.conditions.get('left-queues')?.detail).toContain('q.host1');
    await jobs.retry();
    expect(health.conditions.has('left-queues')).toBe(false);
  });
});
