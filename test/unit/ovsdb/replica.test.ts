import { parseSchema, type Uuid } from '../../../core/switch/ovsdb';
import { openVSwitchSchema } from '../../../core/switch/ovsdb/fake';
import { ReplicaStore } from '../../../core/switch/ovsdb/replica';

const first = '00000000-0000-0000-0000-000000000001' as Uuid;
const second = '00000000-0000-0000-0000-000000000002' as Uuid;

function newReplica(): ReplicaStore {
  const store = new ReplicaStore(['Port']);
  store.adopt(parseSchema(openVSwitchSchema()), new Map([['Port', ['name', 'tag', 'trunks', 'external_ids']]]));
  return store;
}

const empty = { tag: undefined, trunks: [], external_ids: new Map() };

describe('a replica', () => {
  it('fills the columns that update2 leaves out with their defaults', () => {
    const store = newReplica();
    store.applySnapshot('update2', { Port: { [first]: { initial: { name: 'a' } } } });
    expect(store.table('Port').get(first)).toEqual({ _uuid: first, name: 'a', ...empty });
  });

  it('reads a set of one element and an optional value however the server writes them', () => {
    const store = newReplica();
    store.applySnapshot('update2', {
      Port: {
        [first]: { initial: { name: 'a', tag: 3, trunks: 7 } },
        [second]: { initial: { name: 'b', tag: ['set', [3]], trunks: ['set', [9, 7]] } },
      },
    });
    expect([...store.table('Port')]).toMatchObject([
      { tag: 3, trunks: [7] },
      { tag: 3, trunks: [7, 9] },
    ]);
  });

  it('applies the differences of update2 and leaves the old row as it was', () => {
    const store = newReplica();
    const row = {
      name: 'a',
      tag: 1,
      trunks: ['set', [1, 2]],
      external_ids: [
        'map',
        [
          ['k', 'v'],
          ['l', 'w'],
        ],
      ],
    };
    store.applySnapshot('update2', { Port: { [first]: { initial: row } } });
    const difference = {
      tag: ['set', []],
      trunks: ['set', [2, 3]],
      external_ids: [
        'map',
        [
          ['k', 'v'],
          ['l', 'x'],
          ['m', 'y'],
        ],
      ],
    };
    const [change] = store.applyUpdate('update2', { Port: { [first]: { modify: difference } } });
    expect(change).toEqual({
      kind: 'modify',
      table: 'Port',
      uuid: first,
      old: {
        _uuid: first,
        name: 'a',
        tag: 1,
        trunks: [1, 2],
        external_ids: new Map([
          ['k', 'v'],
          ['l', 'w'],
        ]),
      },
      new: {
        _uuid: first,
        name: 'a',
        tag: undefined,
        trunks: [1, 3],
        external_ids: new Map([
          ['l', 'x'],
          ['m', 'y'],
        ]),
      },
    });
  });

  it('reads the updates of RFC 7047, whole rows', () => {
    const store = newReplica();
    const row = (name: string): object => ({ name, tag: ['set', []], trunks: ['set', []], external_ids: ['map', []] });
    store.applySnapshot('update', { Port: { [first]: { new: row('a') } } });
    expect(store.applyUpdate('update', { Port: { [first]: { old: { name: 'a' }, new: row('b') } } })).toMatchObject([
      { kind: 'modify', old: { name: 'a' }, new: { name: 'b' } },
    ]);
    expect(store.applyUpdate('update', { Port: { [first]: { old: row('b') } } })).toMatchObject([{ kind: 'delete' }]);
  });

  it('tells of a new full description only what differs', () => {
    const store = newReplica();
    store.applySnapshot('update2', {
      Port: { [first]: { initial: { name: 'a' } }, [second]: { initial: { name: 'b' } } },
    });
    const third = '00000000-0000-0000-0000-000000000003';
    const changes = store.applySnapshot('update2', {
      Port: { [second]: { initial: { name: 'b' } }, [third]: { initial: { name: 'a' } } },
    });
    expect(changes).toMatchObject([
      { kind: 'delete', uuid: first },
      { kind: 'insert', uuid: third },
    ]);
    expect(store.table('Port').findBy('name', 'a')?._uuid).toBe(third);
  });

  it('finds rows by name when two of them exchange theirs', () => {
    const store = newReplica();
    store.applySnapshot('update2', {
      Port: { [first]: { initial: { name: 'a' } }, [second]: { initial: { name: 'b' } } },
    });
    store.applyUpdate('update2', { Port: { [first]: { modify: { name: 'b' } }, [second]: { modify: { name: 'a' } } } });
    expect(store.table('Port').findBy('name', 'a')?._uuid).toBe(second);
    expect(store.table('Port').findBy('name', 'b')?._uuid).toBe(first);
  });

  it('finds rows by a column that is no index', () => {
    const store = newReplica();
    store.applySnapshot('update2', { Port: { [first]: { initial: { name: 'a', tag: 4 } } } });
    expect(store.table('Port').findBy('tag', 4)?.name).toBe('a');
    expect(store.table('Port').findBy('tag', 5)).toBeUndefined();
  });

  it('changes nothing where an update does not fit', () => {
    const store = newReplica();
    store.applySnapshot('update2', { Port: { [first]: { initial: { name: 'a' } } } });
    const misfit = { Port: { [first]: { modify: { name: 'b' } }, [second]: { modify: { name: 'c' } } } };
    expect(() => store.applyUpdate('update2', misfit)).toThrow('not known here');
    expect(() => store.applyUpdate('update2', { Port: { [first]: { modify: { tag: 'x' } } } })).toThrow('Port.tag');
    expect(store.table('Port').get(first)?.name).toBe('a');
  });

  it('names a table that was not asked for', () => {
    expect(() => newReplica().table('Bridge')).toThrow('table Bridge is not replicated');
  });
});
