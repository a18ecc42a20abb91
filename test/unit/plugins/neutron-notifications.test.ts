import type { Announcer, ObjectCache, ObjectChange } from '@patchbay/sdk';
import { NeutronControlPlane } from '../../../plugins/neutron/control-plane';
import { Notifications } from '../../../plugins/neutron/notifications';
import { FakeJobs, FakeLogger, IDENTITY } from '../../support/plugin-kit';

function setUp() {
  const told: unknown[] = [];
  const server = { away: false, stopping: false, tunnels: [] as { ip_address: string; host: string }[] };
  const announcer = {
    event: async (_cause: string, act: (calls: unknown) => Promise<unknown>) => {
      if (server.stopping) throw new Error('the agent stops');
      return act({ tell: async (hook: string, fact: unknown) => told.push([hook, fact]) });
    },
  } as unknown as Announcer;
  const objects = {
    find: async () => {
      if (server.away) throw new Error('the server does not answer');
      return [{ id: 'r1', security_group_id: 'g1' }];
    },
  } as unknown as ObjectCache;
  const plane = new NeutronControlPlane(
    { call: async () => ({ tunnels: server.tunnels }) } as never,
    IDENTITY,
    { Port: '1.7' },
    20,
  );
  const jobs = new FakeJobs();
  const notifications = new Notifications(announcer, plane, objects, 'host1', jobs, new FakeLogger());
  return { told, server, plane, jobs, notifications };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what neutron-server pushes', () => {
  const change: ObjectChange = {
    type: 'AddressGroup',
    id: 'ag1',
    cause: 'req-1',
    previous: { id: 'ag1' },
    current: { id: 'ag1' },
  };

  test('of an address group reaches its rules also when the server could not be asked who names it', async () => {
    const { told, server, jobs, notifications } = setUp();
    server.away = true;
    notifications.objectChanged(change);
    await jobs.settle();
    expect(told).toEqual([]);
    server.away = false;
    await jobs.retry();
    await turn();
    expect(told).toEqual([['onSecurityGroupUpdated', { securityGroupIds: ['g1'], change: 'address-group' }]]);
  });

  test('while the agent stops is told to nobody, and fails nobody', async () => {
    const { told, server, notifications } = setUp();
    server.stopping = true;
    notifications.objectChanged({ type: 'Network', id: 'n1', cause: 'req-1', previous: { id: 'n1' } });
    await turn();
    expect(told).toEqual([]);
  });
});

describe('tunnel endpoints after an outage of the broker', () => {
  const endpoint = (ipAddress: string) => ({ tunnelType: 'vxlan', ipAddress });

  test('that were announced before it and are gone are told as removed', async () => {
    const { told, server, plane, notifications } = setUp();
    server.tunnels = [{ ip_address: '10.0.0.2', host: 'host2' }];
    await plane.registerTunnelEndpoint({ tunnelType: 'vxlan', ipAddress: '10.0.0.1' });
    await notifications.tunnelAppeared('vxlan', '10.0.0.3', 'req-1');
    told.length = 0;
    await notifications.tunnelsMissed('broker-restored');
    expect(told).toEqual([
      ['onTunnelEndpointAdded', { ...endpoint('10.0.0.2'), host: 'host2' }],
      ['onTunnelEndpointRemoved', endpoint('10.0.0.3')],
    ]);
  });

  test('that were announced as gone before it are not told as removed again', async () => {
    const { told, server, plane, notifications } = setUp();
    server.tunnels = [{ ip_address: '10.0.0.2', host: 'host2' }];
    await plane.registerTunnelEndpoint({ tunnelType: 'vxlan', ipAddress: '10.0.0.1' });
    await notifications.tunnelVanished('vxlan', '10.0.0.2', 'req-1');
    server.tunnels = [];
    told.length = 0;
    await notifications.tunnelsMissed('broker-restored');
    expect(told).toEqual([]);
  });
});
