import fc from 'fast-check';
import { type AnyRow, parseSchema, type RowChange, sameRow, type Uuid } from '../../../core/switch/ovsdb';
import { openVSwitchSchema } from '../../../core/switch/ovsdb/fake';
import { FakeDatabase } from '../../../core/switch/ovsdb/fake/database';
import { initialUpdates, readMonitor, updatesFor } from '../../../core/switch/ovsdb/fake/monitors';
import type { MonitorDialect } from '../../../core/switch/ovsdb/monitor';
import { ReplicaStore } from '../../../core/switch/ovsdb/replica';

const schema = parseSchema(openVSwitchSchema());
const COLUMNS = ['dscp', 'external_ids'];

/** One transaction on a table of roots: rows are told apart by the key `n` of their external_ids. */
const operation = fc.oneof(
  fc.record({ op: fc.constant('insert'), n: fc.nat({ max: 5 }), dscp: fc.nat({ max: 63 }) }),
  fc.record({ op: fc.constant('update'), n: fc.nat({ max: 5 }), dscp: fc.nat({ max: 63 }) }),
  fc.record({ op: fc.constant('mutate'), n: fc.nat({ max: 5 }), dscp: fc.nat({ max: 63 }) }),
  fc.record({ op: fc.constant('delete'), n: fc.nat({ max: 5 }), dscp: fc.nat({ max: 63 }) }),
);

function wire({ op, n, dscp }: { readonly op: string; readonly n: number; readonly dscp: number }): object {
  const where = [['external_ids', 'includes', ['map', [['n', String(n)]]]]];
  const table = 'Queue';
  switch (op) {
    case 'insert':
      return { op, table, row: { dscp, external_ids: ['map', [['n', String(n)]]] } };
    case 'update':
      return { op, table, where, row: { dscp: dscp % 2 === 0 ? ['set', []] : dscp } };
    case 'mutate':
      return { op, table, where, mutations: [['external_ids', 'insert', ['map', [[`k${dscp % 4}`, 'v']]]]] };
    default:
      return { op, table, where };
  }
}

function replay(rows: Map<Uuid, AnyRow>, changes: readonly RowChange[]): void {
  for (const change of changes) {
    if (change.kind === 'delete') rows.delete(change.uuid);
    else rows.set(change.uuid, change.new);
  }
}

function sameRows(left: ReadonlyMap<Uuid, AnyRow>, right: Iterable<AnyRow>): boolean {
  const others = [...right];
  return (
    left.size === others.length &&
    others.every((row) => {
      const own = left.get(row._uuid);
      return own !== undefined && sameRow(own, row);
    })
  );
}

function projected(database: FakeDatabase): AnyRow[] {
  return database.rows('Queue').map(({ _uuid, dscp, external_ids }) => ({ _uuid, dscp, external_ids }));
}

describe.each<MonitorDialect>([
  'monitor',
  'monitor_cond_since',
])('a replica that follows in the dialect %s', (dialect) => {
  const form = dialect === 'monitor' ? 'update' : 'update2';

  it('equals the database after every transaction, and so does who applies its changes', () => {
    fc.assert(
      fc.property(fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 12 }), (transactions) => {
        const database = new FakeDatabase(schema);
        const monitor = readMonitor(schema, dialect, 'm', { Queue: { columns: COLUMNS } });
        const store = new ReplicaStore(['Queue']);
        store.adopt(schema, new Map([['Queue', COLUMNS]]));
        const follower = new Map<Uuid, AnyRow>();
        database.onCommit(({ deltas }) => replay(follower, store.applyUpdate(form, updatesFor(monitor, deltas) ?? {})));
        for (const operations of transactions) {
          database.transact(
            operations.map(wire),
            () => false,
            () => undefined,
          );
          expect(sameRows(follower, projected(database))).toBe(true);
          expect(sameRows(follower, store.table('Queue'))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('equals the database after it was away, and tells just the difference', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 10 }), fc.array(operation, { maxLength: 10 }), (before, away) => {
        const database = new FakeDatabase(schema);
        const monitor = readMonitor(schema, dialect, 'm', { Queue: { columns: COLUMNS } });
        const store = new ReplicaStore(['Queue']);
        store.adopt(schema, new Map([['Queue', COLUMNS]]));
        const follower = new Map<Uuid, AnyRow>();
        database.transact(
          before.map(wire),
          () => false,
          () => undefined,
        );
        replay(follower, store.applySnapshot(form, initialUpdates(database, monitor)));
        const known = new Map(follower);
        database.transact(
          away.map(wire),
          () => false,
          () => undefined,
        );
        const changes = store.applySnapshot(form, initialUpdates(database, monitor));
        replay(follower, changes);
        expect(sameRows(follower, projected(database))).toBe(true);
        for (const change of changes) {
          if (change.kind === 'modify') expect(sameRow(change.old, change.new)).toBe(false);
          if (change.kind !== 'insert') expect(known.get(change.uuid)).toEqual(change.old);
        }
      }),
      { numRuns: 60 },
    );
  });
});
