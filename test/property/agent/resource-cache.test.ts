import fc from 'fast-check';
import { ResourceCache } from '../../../core/agent/resource-cache';

interface Item {
  readonly id: string;
  readonly revision_number: number;
  readonly owner: string;
}

const history = fc.array(
  fc.record({ id: fc.constantFrom('a', 'b', 'c'), owner: fc.constantFrom('x', 'y'), remove: fc.boolean() }),
  { maxLength: 20 },
);

/** What the server did, one revision after the other; nothing follows the deletion of an id. */
function serverEvents(steps: readonly { id: string; owner: string; remove: boolean }[]) {
  const gone = new Set<string>();
  const events: (
    | { readonly kind: 'updated'; readonly item: Item }
    | { readonly kind: 'deleted'; readonly id: string }
  )[] = [];
  steps.forEach(({ id, owner, remove }, revision_number) => {
    if (gone.has(id)) return;
    if (remove) gone.add(id);
    events.push(remove ? { kind: 'deleted', id } : { kind: 'updated', item: { id, owner, revision_number } });
  });
  return events;
}

describe('the resource cache', () => {
  it('ends in the state of the server in whatever order the pushes arrive', () => {
    fc.assert(
      fc.property(
        history.chain((steps) => {
          const events = serverEvents(steps);
          return fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }));
        }),
        ([events, arrival]) => {
          const cache = new ResourceCache<{ readonly Item: Item }>({
            pull: async () => ({ objects: [], unreadable: [] }),
            indices: { Item: ['owner'] },
          });
          for (const event of arrival) {
            if (event.kind === 'updated') cache.recordUpdated('Item', event.item);
            else cache.recordDeleted('Item', event.id);
          }
          const expected = new Map<string, Item>();
          for (const event of events) {
            if (event.kind === 'updated') expected.set(event.item.id, event.item);
            else expected.delete(event.id);
          }
          expect(new Map(cache.all('Item').map((item) => [item.id, item]))).toEqual(expected);
          for (const owner of ['x', 'y']) {
            const found = cache.findBy('Item', 'owner', owner).map(({ id }) => id);
            expect(found.sort()).toEqual(
              [...expected.values()]
                .filter((item) => item.owner === owner)
                .map(({ id }) => id)
                .sort(),
            );
          }
        },
      ),
    );
  });

  it('ends in the state of the server after a resynchronisation, and its events add up to that state', async () => {
    const world = fc.uniqueArray(
      fc.record({
        id: fc.constantFrom('a', 'b', 'c', 'd'),
        owner: fc.constantFrom('x', 'y'),
        revision_number: fc.constant(9),
      }),
      {
        selector: ({ id }) => id,
      },
    );
    await fc.assert(
      fc.asyncProperty(history, world, async (steps, now) => {
        const ids = ['a', 'b', 'c', 'd'];
        const cache = new ResourceCache<{ readonly Item: Item }>({
          pull: async (_, query) =>
            ({ objects: now.filter(({ id }) => query.id?.includes(id)), unreadable: [] }) as never,
        });
        const seen = new Map<string, unknown>();
        cache.onChange(({ id, kind, new: object }) => (kind === 'deleted' ? seen.delete(id) : seen.set(id, object)));
        for (const event of serverEvents(steps)) {
          if (event.kind === 'updated') cache.recordUpdated('Item', { ...event.item, revision_number: 0 });
          else cache.recordDeleted('Item', event.id);
        }
        await cache.load('Item', ids);
        await cache.resynchronise();
        const owners = (items: Iterable<unknown>) =>
          [...items].map((item) => `${(item as Item).id} ${(item as Item).owner}`).sort();
        expect(owners(cache.all('Item'))).toEqual(owners(now));
        expect(owners(seen.values())).toEqual(owners(now));
      }),
    );
  });

  it('answers as the server would, whatever was asked, forgotten and pushed before', async () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const owner = fc.constantFrom('x', 'y');
    const step = fc.oneof(
      fc.record({ does: fc.constant('write' as const), id, owner }),
      fc.record({ does: fc.constant('delete' as const), id }),
      fc.record({ does: fc.constantFrom('load' as const, 'forget' as const), id }),
      fc.record({ does: fc.constantFrom('find' as const, 'forgetFound' as const), owner }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const server = new Map<string, Item>();
        const gone = new Set<string>();
        const followed = new Set<string>();
        const pull = async (_type: string, query: Readonly<Record<string, readonly string[]>>) => ({
          objects: [...server.values()].filter(
            (item) => query.id?.includes(item.id) || query.owner?.includes(item.owner),
          ) as never,
          unreadable: [],
        });
        const cache = new ResourceCache<{ readonly Item: Item }>({ pull, indices: { Item: ['owner'] } });
        for (const [revision_number, each] of steps.entries()) {
          switch (each.does) {
            case 'write': {
              if (gone.has(each.id)) break;
              const item = { id: each.id, owner: each.owner, revision_number };
              server.set(each.id, item);
              if (cache.isFollowed('Item', item)) cache.recordUpdated('Item', item);
              break;
            }
            case 'delete':
              gone.add(each.id);
              server.delete(each.id);
              cache.recordDeleted('Item', each.id);
              break;
            case 'load': {
              const found = await cache.load('Item', [each.id]);
              expect(found.get(each.id)).toEqual(server.get(each.id));
              followed.add(each.id);
              break;
            }
            case 'find': {
              const found = await cache.loadBy('Item', 'owner', [each.owner]);
              const ofOwner = [...server.values()].filter((item) => item.owner === each.owner);
              expect(new Set(found)).toEqual(new Set(ofOwner));
              break;
            }
            case 'forget':
              cache.forget('Item', each.id);
              followed.delete(each.id);
              break;
            case 'forgetFound':
              cache.forgetBy('Item', 'owner', each.owner);
          }
          for (const one of followed) expect(cache.get('Item', one)).toEqual(server.get(one));
        }
        for (const each of ['x', 'y']) cache.forgetBy('Item', 'owner', each);
        for (const each of ['a', 'b', 'c']) cache.forget('Item', each);
        expect(cache.all('Item')).toEqual([]);
      }),
    );
  });
});
