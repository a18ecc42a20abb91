import { FollowedObjects, type FollowedObjectsParts } from '../../../core/agent/followed-objects';

type Fields = Readonly<Record<string, unknown>>;

const QUIET: Pick<FollowedObjectsParts, 'chunkSize' | 'watch' | 'onUnreadable' | 'onListenerFailed'> = {
  chunkSize: 20,
  watch: () => ({ bound: Promise.resolve(), end: () => undefined }),
  onUnreadable: () => undefined,
  onListenerFailed: () => undefined,
};

const port = { id: 'p1', network_id: 'n1', security_group_ids: ['g1'], revision_number: 1 };

describe('the objects that the agent follows', () => {
  function setUp() {
    const world: { ports: (typeof port)[] } = { ports: [] };
    const told: string[] = [];
    const followed = new FollowedObjects({
      ...QUIET,
      own: { Port: '1.7' },
      pull: async () => ({ objects: world.ports, unreadable: [] }),
    });
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

describe('a type that a plugin follows', () => {
  const QOS = { version: '1.10', by: ['project_id'] };
  const policy = { id: 'q1', project_id: 'p1', name: 'gold' };

  function setUp(parts: Partial<FollowedObjectsParts> = {}) {
    const world: { objects: Fields[] } = { objects: [policy] };
    const asked: string[] = [];
    const watched: string[] = [];
    const followed = new FollowedObjects({
      ...QUIET,
      own: { Port: '1.7' },
      pull: async (type, version, query) => {
        asked.push(`${type} ${version} ${JSON.stringify(query)}`);
        return { objects: world.objects, unreadable: [] };
      },
      watch: (type, version) => {
        watched.push(`${type} ${version}`);
        return { bound: Promise.resolve(), end: () => void watched.push(`${type} no more`) };
      },
      ...parts,
    });
    followed.open();
    return { world, asked, watched, followed };
  }
  const nothing = () => undefined;
  const codeOf = async (act: () => unknown) => {
    try {
      await act();
      return 'done';
    } catch (error) {
      return (error as { readonly code?: string }).code;
    }
  };

  it('is watched once for all who follow it, until the last has left, and known anew afterwards', async () => {
    const { world, asked, watched, followed } = setUp();
    const [one, other] = [followed.follow('QosPolicy', QOS, nothing), followed.follow('QosPolicy', QOS, nothing)];
    await followed.load('QosPolicy', ['q1']);
    one();
    one();
    await followed.load('QosPolicy', ['q1']);
    expect(watched).toEqual(['Port 1.7', 'QosPolicy 1.10']);
    other();
    expect(watched.at(-1)).toBe('QosPolicy no more');
    expect(await codeOf(() => followed.load('QosPolicy', ['q1']))).toBe('PB-OBJECT-NOT-FOLLOWED');
    expect(await followed.versions()).toEqual({ Port: '1.7' });
    followed.follow('QosPolicy', QOS, nothing);
    world.objects = [{ ...policy, name: 'silver' }];
    expect(await followed.load('QosPolicy', ['q1'])).toMatchObject([{ name: 'silver' }]);
    expect(asked).toEqual(Array(2).fill('QosPolicy 1.10 {"id":["q1"]}'));
  });

  it('is not found by a field once those who named it have left', async () => {
    const { followed } = setUp();
    const leave = followed.follow('QosPolicy', { version: '1.10', by: ['name', 'project_id'] }, nothing);
    followed.follow('QosPolicy', QOS, nothing);
    await followed.find('QosPolicy', 'name', 'gold');
    leave();
    expect(await codeOf(() => followed.find('QosPolicy', 'name', 'gold'))).toBe('PB-OBJECT-NOT-INDEXED');
    expect(await followed.find('QosPolicy', 'project_id', 'p1')).toEqual([policy]);
  });

  it('gives nobody an answer that came after it was let go', async () => {
    let answer: (() => void) | undefined;
    const pull = () =>
      new Promise<{ readonly objects: Fields[]; readonly unreadable: [] }>((resolve) => {
        answer = () => resolve({ objects: [policy], unreadable: [] });
      });
    const { followed } = setUp({ pull });
    const leave = followed.follow('QosPolicy', QOS, nothing);
    const late = followed.load('QosPolicy', ['q1']);
    while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
    leave();
    followed.follow('QosPolicy', QOS, nothing);
    answer();
    await expect(late).rejects.toThrow('QosPolicy was let go while the server was asked');
  });

  it('is asked for only once its pushes are listened to', async () => {
    let bind: (() => void) | undefined;
    const bound = new Promise<void>((resolve) => {
      bind = resolve;
    });
    const { asked, followed } = setUp({ watch: () => ({ bound, end: () => undefined }) });
    followed.follow('QosPolicy', QOS, nothing);
    const answer = followed.load('QosPolicy', ['q1']);
    for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([]);
    bind?.();
    expect(await answer).toEqual([policy]);
  });

  it('has the version that the operator chose, whatever plugins ask for', async () => {
    const { asked, followed } = setUp({ chosen: { QosPolicy: '1.11' } });
    followed.follow('QosPolicy', QOS, nothing);
    followed.follow('QosPolicy', { version: '1.9' }, nothing);
    await followed.load('QosPolicy', ['q1']);
    expect(asked).toEqual(['QosPolicy 1.11 {"id":["q1"]}']);
  });

  it('whose ids the server makes up is never asked for by them, after an outage neither', async () => {
    const { world, asked, followed } = setUp();
    const gone: string[] = [];
    followed.follow('LocalIPAssociation', { version: '1.0', by: ['fixed_port_id'] }, ({ id, current }) => {
      if (current === undefined) gone.push(id);
    });
    world.objects = [{ id: 'ip_port', fixed_port_id: 'port' }];
    await followed.find('LocalIPAssociation', 'fixed_port_id', 'port');
    expect(await codeOf(() => followed.load('LocalIPAssociation', ['ip_port']))).toBe('PB-OBJECT-NOT-INDEXED');
    world.objects = [];
    await followed.resynchronise('test');
    expect(gone).toEqual(['ip_port']);
    expect(asked).toEqual(Array(2).fill('LocalIPAssociation 1.0 {"fixed_port_id":["port"]}'));
  });

  it('whose objects have no ids is named, and none of them kept', async () => {
    const unreadable: unknown[] = [];
    const { world, followed } = setUp({
      onUnreadable: (all) => unreadable.push(...all.map(({ error }) => error.message)),
    });
    followed.follow('SubPort', { version: '1.0', by: ['trunk_id'] }, nothing);
    world.objects = [{ trunk_id: 't', port_id: 'p' }];
    expect(await followed.find('SubPort', 'trunk_id', 't')).toEqual([]);
    expect(unreadable).toContain('SubPort.id: what has no id of its own cannot be kept');
  });

  it('is told to the others where one listener throws, now or later', async () => {
    const [failed, told]: [string[], string[]] = [[], []];
    const { followed } = setUp({ onListenerFailed: (type, reason) => failed.push(`${type} ${reason}`) });
    followed.follow('QosPolicy', QOS, () => {
      throw new Error('now');
    });
    followed.follow('QosPolicy', QOS, (async () => {
      throw new Error('later');
    }) as () => void);
    followed.follow('QosPolicy', QOS, ({ id }) => told.push(id));
    await followed.load('QosPolicy', ['q1']);
    followed.pushed('QosPolicy', { event: 'deleted', objects: [{ id: 'q1' }], cause: 'test' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['q1']);
    expect(failed).toEqual(['QosPolicy now', 'QosPolicy later']);
  });
});
