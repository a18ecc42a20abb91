import {
  type CachedResource,
  ResourceCache,
  type ResourceChange,
  type ResourceQuery,
} from '../../../core/agent/resource-cache';

interface Port extends CachedResource {
  readonly network_id: string;
  readonly security_group_ids?: readonly string[];
  readonly name?: string;
  readonly updated_at?: string;
}
interface Rule extends CachedResource {
  readonly security_group_id: string;
  readonly remote_group_id?: string;
}
interface Group extends CachedResource {
  readonly rules?: readonly Rule[];
}
type Types = { readonly Port: Port; readonly Group: Group; readonly Rule: Rule };

function setUp(
  server: { [Type in keyof Types]?: readonly Types[Type][] } = {},
  more: { chunkSize?: number; rememberedDeletions?: number } = {},
) {
  const asked: [string, ResourceQuery][] = [];
  const changes: ResourceChange<Types>[] = [];
  const world: { [type: string]: readonly CachedResource[] } = { ...server };
  const gate = { pull: async () => undefined as unknown };
  /** Ids of what the server has and sends in a form that cannot be read. */
  const garbled = new Set<string>();
  const complaints: string[] = [];
  const cache = new ResourceCache<Types>({
    pull: async (type, query) => {
      asked.push([type, query]);
      const answer = (world[type] ?? []).filter((object) => matches(object, query));
      await gate.pull();
      const bad = answer.filter(({ id }) => garbled.has(id));
      return {
        objects: answer.filter(({ id }) => !garbled.has(id)) as never,
        unreadable: bad.map(({ id }) => ({ id, error: unreadable(id) })),
      };
    },
    indices: { Port: ['network_id', 'security_group_ids'], Rule: ['security_group_id', 'remote_group_id'] },
    onUnreadable: (bad) => complaints.push(...bad.map(({ id }) => id ?? '')),
    relations: [
      { parent: 'Group', child: 'Rule', contains: 'rules', deletes: ['security_group_id', 'remote_group_id'] },
    ],
    ...more,
  });
  cache.onChange((change) => changes.push(change));
  const events = () => changes.map(({ type, kind, id }) => `${type} ${id} ${kind}`);
  return { cache, asked, changes, events, world, gate, garbled, complaints };
}

function matches(object: CachedResource, query: ResourceQuery): boolean {
  return Object.entries(query).every(([field, values]) => {
    const value = (object as unknown as Record<string, unknown>)[field];
    return (Array.isArray(value) ? value : [value]).some((each) => values.includes(String(each)));
  });
}

const unreadable = (id: string) =>
  Object.assign(new Error(`${id} cannot be read`), { code: 'unreadable', field: 'id' });
const port = (id: string, more: Partial<Port> = {}): Port => ({ id, network_id: 'n', revision_number: 1, ...more });

describe('loading', () => {
  it('asks once for all ids wanted within one tick, in chunks of 20', async () => {
    const ids = Array.from({ length: 45 }, (_, index) => `p${index}`);
    const { cache, asked } = setUp({ Port: ids.map((id) => port(id)) });
    const loaded = await Promise.all(ids.map((id) => cache.load('Port', [id])));
    expect(loaded.map((found) => found.size)).toEqual(ids.map(() => 1));
    expect(asked.map(([, query]) => query.id?.length)).toEqual([20, 20, 5]);
  });

  it('does not ask again for what is cached, nor for what does not exist', async () => {
    const { cache, asked } = setUp({ Port: [port('a')] });
    await cache.load('Port', ['a', 'none']);
    const again = await cache.load('Port', ['a', 'none']);
    expect([...again.keys()]).toEqual(['a']);
    expect(asked).toHaveLength(1);
  });

  it('does not ask twice for what is under way', async () => {
    const { cache, asked, gate } = setUp({ Port: [port('a')] });
    let release = (_: unknown) => undefined as unknown;
    gate.pull = () => new Promise((resolve) => (release = resolve));
    const first = cache.load('Port', ['a']);
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = cache.load('Port', ['a']);
    release(undefined);
    await Promise.all([first, second]);
    expect(asked).toHaveLength(1);
  });

  it('asks again for what was forgotten', async () => {
    const { cache, asked, events } = setUp({ Port: [port('a')] });
    await cache.load('Port', ['a']);
    cache.forget('Port', 'a');
    expect(cache.get('Port', 'a')).toBeUndefined();
    await cache.load('Port', ['a']);
    expect(asked).toHaveLength(2);
    expect(events()).toEqual(['Port a created', 'Port a created']);
  });

  it('tells of the deletion of what was forgotten and is part of another answer', async () => {
    const { cache, events } = setUp({ Rule: [{ id: 'r1', security_group_id: 'g' }] });
    await cache.loadBy('Rule', 'security_group_id', ['g']);
    cache.forget('Rule', 'r1');
    expect(await cache.loadBy('Rule', 'security_group_id', ['g'])).toHaveLength(1);
    cache.recordDeleted('Rule', 'r1');
    expect(events()).toEqual(['Rule r1 created', 'Rule r1 deleted']);
  });

  it('asks again for what was forgotten and is part of another answer', async () => {
    const { cache, asked } = setUp({ Rule: [{ id: 'r1', security_group_id: 'g' }] });
    await cache.loadBy('Rule', 'security_group_id', ['g']);
    cache.forget('Rule', 'r1');
    await cache.load('Rule', ['r1']);
    expect(asked).toHaveLength(2);
  });

  it('forgets what was found by a value, and no more hears of it, but what was asked for otherwise stays', async () => {
    const a = port('a', { security_group_ids: ['g'] });
    const b = port('b', { security_group_ids: ['g', 'h'] });
    const c = port('c', { security_group_ids: ['g'] });
    const { cache, asked } = setUp({ Port: [a, b, c] });
    await cache.loadBy('Port', 'security_group_ids', ['g', 'h']);
    await cache.load('Port', ['c']);
    asked.length = 0;
    cache.forgetBy('Port', 'security_group_ids', 'g');
    expect(cache.all('Port').map(({ id }) => id)).toEqual(['b', 'c']);
    expect(cache.isFollowed('Port', a)).toBe(false);
    await cache.resynchronise();
    expect(asked).toEqual([
      ['Port', { security_group_ids: ['h'] }],
      ['Port', { id: ['c'] }],
    ]);
    expect(await cache.loadBy('Port', 'security_group_ids', ['g'])).toHaveLength(3);
  });

  it('forgets nothing by a value that was not asked for', async () => {
    const { cache } = setUp({ Port: [port('a')] });
    await cache.load('Port', ['a']);
    cache.forgetBy('Port', 'network_id', 'n1');
    expect(cache.all('Port')).toHaveLength(1);
  });

  it('asks again after a failure', async () => {
    const { cache, gate } = setUp({ Port: [port('a')] });
    gate.pull = () => Promise.reject(new Error('no server'));
    await expect(cache.load('Port', ['a'])).rejects.toThrow('no server');
    gate.pull = async () => undefined;
    expect((await cache.load('Port', ['a'])).size).toBe(1);
  });

  it('by a field asks once for each value and trusts pushes from then on', async () => {
    const { cache, asked } = setUp({ Rule: [{ id: 'r1', security_group_id: 'g' }] });
    await cache.loadBy('Rule', 'security_group_id', ['g', 'h']);
    cache.recordUpdated('Rule', { id: 'r2', security_group_id: 'g' });
    const rules = await cache.loadBy('Rule', 'security_group_id', ['g']);
    expect(rules.map(({ id }) => id)).toEqual(['r1', 'r2']);
    expect(asked).toEqual([['Rule', { security_group_id: ['g', 'h'] }]]);
  });
});

describe('pushes', () => {
  it('of an older revision are ignored', () => {
    const { cache, events } = setUp();
    cache.recordUpdated('Port', port('a', { revision_number: 3, name: 'new' }));
    expect(cache.recordUpdated('Port', port('a', { revision_number: 2, name: 'old' }))).toBe(false);
    expect(cache.get('Port', 'a')?.name).toBe('new');
    expect(events()).toEqual(['Port a created']);
  });

  it('that change only the bookkeeping raise no event but are kept', () => {
    const { cache, events } = setUp();
    cache.recordUpdated('Port', port('a'));
    cache.recordUpdated('Port', port('a', { revision_number: 2, updated_at: 'later' }));
    expect(events()).toEqual(['Port a created']);
    expect(cache.get('Port', 'a')?.revision_number).toBe(2);
  });

  it('tell old and new', () => {
    const { cache, changes } = setUp();
    cache.recordUpdated('Port', port('a', { name: 'x' }));
    cache.recordUpdated('Port', port('a', { name: 'y', revision_number: 2 }));
    expect(changes[1]).toMatchObject({ kind: 'updated', cause: 'push', old: { name: 'x' }, new: { name: 'y' } });
  });

  it('that come after the deletion do not bring the object back', () => {
    const { cache, events } = setUp();
    cache.recordUpdated('Port', port('a'));
    cache.recordDeleted('Port', 'a');
    cache.recordUpdated('Port', port('a', { revision_number: 9 }));
    expect(events()).toEqual(['Port a created', 'Port a deleted']);
  });

  it('remember no more deletions than they may', () => {
    const { cache } = setUp({}, { rememberedDeletions: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) cache.recordDeleted('Port', id);
    expect(cache.stats().Port?.deletedRemembered).toBe(3);
  });

  it('of a deletion win over an answer that was asked for before', async () => {
    const { cache, gate } = setUp({ Port: [port('a')] });
    gate.pull = async () => cache.recordDeleted('Port', 'a');
    expect((await cache.load('Port', ['a'])).size).toBe(0);
  });

  it('of a deletion yield to an answer that was asked for afterwards', async () => {
    const { cache } = setUp({ Port: [port('a')] });
    cache.recordDeleted('Port', 'a');
    expect((await cache.load('Port', ['a'])).size).toBe(1);
  });

  it('win over an answer of an older revision', async () => {
    const { cache, gate } = setUp({ Port: [port('a', { name: 'old' })] });
    gate.pull = async () => cache.recordUpdated('Port', port('a', { revision_number: 2, name: 'new' }));
    await cache.load('Port', ['a']);
    expect(cache.get('Port', 'a')?.name).toBe('new');
  });
});

describe('indices', () => {
  it('find by a field and by each value of a list, and follow changes', () => {
    const { cache } = setUp();
    cache.recordUpdated('Port', port('a', { security_group_ids: ['g', 'h'] }));
    cache.recordUpdated('Port', port('b', { security_group_ids: ['h'] }));
    cache.recordUpdated('Port', port('a', { security_group_ids: ['g'], revision_number: 2, network_id: 'm' }));
    const ids = (field: string, value: string) => cache.findBy('Port', field, value).map(({ id }) => id);
    expect([ids('security_group_ids', 'g'), ids('security_group_ids', 'h'), ids('network_id', 'm')]).toEqual([
      ['a'],
      ['b'],
      ['a'],
    ]);
    cache.recordDeleted('Port', 'a');
    expect(ids('security_group_ids', 'g')).toEqual([]);
  });

  it('that were not asked for are an error that names the field', () => {
    expect(() => setUp().cache.findBy('Port', 'name', 'x')).toThrow('Port has no index on name');
  });
});

describe('a security group', () => {
  const rule = (id: string, more: Partial<Rule> = {}): Rule => ({
    id,
    security_group_id: 'g',
    revision_number: 0,
    ...more,
  });

  it('brings its rules with it', () => {
    const { cache, events } = setUp();
    cache.recordUpdated('Group', { id: 'g', rules: [rule('r')] });
    expect(events()).toEqual(['Group g created', 'Rule r created']);
  });

  it('takes its rules, and those that refer to it, away with it', () => {
    const { cache } = setUp();
    cache.recordUpdated('Group', { id: 'g', rules: [rule('r')] });
    cache.recordUpdated('Rule', rule('other', { security_group_id: 'h', remote_group_id: 'g' }));
    cache.recordUpdated('Rule', rule('stays', { security_group_id: 'h' }));
    cache.recordDeleted('Group', 'g');
    expect(cache.all('Rule').map(({ id }) => id)).toEqual(['stays']);
  });
});

describe('an object that cannot be read', () => {
  const world = { Port: [port('good', { security_group_ids: ['g'] }), port('bad', { security_group_ids: ['g'] })] };

  it('is an error to who asked for it, and to nobody else', async () => {
    const { cache, garbled, complaints } = setUp(world);
    garbled.add('bad');
    const [good, bad] = await Promise.allSettled([cache.load('Port', ['good']), cache.load('Port', ['bad'])]);
    expect([good.status, bad]).toEqual(['fulfilled', { status: 'rejected', reason: unreadable('bad') }]);
    expect(complaints).toEqual([]);
  });

  it('is asked for again', async () => {
    const { cache, garbled } = setUp(world);
    garbled.add('bad');
    await expect(cache.load('Port', ['bad'])).rejects.toThrow('bad cannot be read');
    garbled.clear();
    expect([...(await cache.load('Port', ['bad'])).keys()]).toEqual(['bad']);
  });

  it('is missing among many, which stay, and is complained of', async () => {
    const { cache, garbled, complaints } = setUp(world);
    garbled.add('bad');
    expect((await cache.loadBy('Port', 'security_group_ids', ['g'])).map(({ id }) => id)).toEqual(['good']);
    expect(complaints).toEqual(['bad']);
  });

  it('stays as it was last read, and keeps nothing else from being told after an outage', async () => {
    const { cache, garbled, world: server, events, changes } = setUp(world);
    await cache.load('Port', ['good', 'bad']);
    garbled.add('bad');
    server.Port = [port('good', { name: 'new', revision_number: 2 }), port('bad', { name: 'garbled' })];
    changes.length = 0;
    await cache.resynchronise();
    expect([events(), cache.get('Port', 'bad')?.name]).toEqual([['Port good updated'], undefined]);
  });
});

describe('resynchronisation', () => {
  it('emits what was missed and nothing else', async () => {
    const { cache, events, world, changes } = setUp({ Port: [port('same'), port('changes'), port('goes')] });
    await cache.load('Port', ['same', 'changes', 'goes', 'comes']);
    world.Port = [
      port('same', { revision_number: 5 }),
      port('changes', { name: 'new', revision_number: 2 }),
      port('comes'),
    ];
    changes.length = 0;
    await cache.resynchronise();
    expect(events().sort()).toEqual(['Port changes updated', 'Port comes created', 'Port goes deleted']);
    expect(changes.every(({ cause }) => cause === 'resynchronisation')).toBe(true);
  });

  it('asks again by every field that was asked by', async () => {
    const { cache, world } = setUp({ Rule: [{ id: 'r1', security_group_id: 'g' }] });
    await cache.loadBy('Rule', 'security_group_id', ['g']);
    world.Rule = [{ id: 'r2', security_group_id: 'g' } as Rule];
    await cache.resynchronise();
    expect(cache.all('Rule').map(({ id }) => id)).toEqual(['r2']);
  });

  it('leaves the cache as it was if the server cannot be asked', async () => {
    const { cache, gate, changes } = setUp({ Port: [port('a')] });
    await cache.load('Port', ['a']);
    changes.length = 0;
    gate.pull = () => Promise.reject(new Error('no server'));
    await expect(cache.resynchronise()).rejects.toThrow('no server');
    expect([cache.all('Port').length, changes.length]).toEqual([1, 0]);
  });

  it('does not undo a push that came meanwhile', async () => {
    const { cache, gate } = setUp({ Port: [port('a', { name: 'old' })] });
    await cache.load('Port', ['a']);
    gate.pull = async () => cache.recordUpdated('Port', port('a', { revision_number: 7, name: 'pushed' }));
    await cache.resynchronise();
    expect(cache.get('Port', 'a')?.name).toBe('pushed');
  });

  it('keeps an object that was pushed meanwhile and that the answer did not have yet', async () => {
    const { cache, gate, world } = setUp({ Port: [port('a')] });
    await cache.load('Port', ['a']);
    world.Port = [];
    gate.pull = async () => cache.recordUpdated('Port', port('b'));
    await cache.resynchronise();
    expect(cache.all('Port').map(({ id }) => id)).toEqual(['b']);
  });
});
