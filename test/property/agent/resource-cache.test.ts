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
});
