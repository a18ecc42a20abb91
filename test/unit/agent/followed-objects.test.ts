import { FollowedObjects } from '../../../core/agent/followed-objects';

const port = { id: 'p1', network_id: 'n1', security_group_ids: ['g1'], revision_number: 1 };

describe('the objects that the agent follows', () => {
  function setUp() {
    const world: { ports: (typeof port)[] } = { ports: [] };
    const told: string[] = [];
    const followed = new FollowedObjects(
      20,
      async () => ({ objects: world.ports, unreadable: [] }),
      () => {},
    );
    followed.subscribe(({ id, previous, current }) =>
      told.push(`${id} ${previous ? 'was' : ''} ${current ? 'is' : ''}`),
    );
    return { world, told, followed };
  }

  it('are no news to who asked for them', async () => {
    const { world, told, followed } = setUp();
    world.ports = [port];
    await followed.load('Port', ['p1']);
    expect(told).toEqual([]);
  });

  it('are news, when another question brings them, to who was told that they do not exist', async () => {
    const { world, told, followed } = setUp();
    await followed.load('Port', ['p1']);
    world.ports = [port];
    await followed.find('Port', 'security_group_ids', 'g1');
    expect(told).toEqual(['p1  is']);
  });
});
