import type { DesiredRecords, Flow } from '@patchbay/sdk';
import fc from 'fast-check';
import { canonical } from '../../../core/switch/canonical';
import { Blueprint } from '../../../core/switch/planner/blueprint';
import type { Installed } from '../../../core/switch/planner/board';
import type { Plan } from '../../../core/switch/planner/plan';
import type { PortRow, Rows } from '../../../core/switch/planner/rows';

const BRIDGES = ['br-int', 'br-tun'];
const PORTS = ['a', 'b', 'c', 'd'];

/** A switch whose ports are those of the map, by name on br-int. */
class MemoryRows implements Rows {
  constructor(readonly ofports: ReadonlyMap<string, number>) {}

  bridge(name: string) {
    const none = { datapathType: '', datapathId: null, failMode: 'secure', protocols: [], mcastSnooping: false };
    return BRIDGES.includes(name) ? { name, ...none, otherConfig: {}, externalIds: {}, controllers: [] } : undefined;
  }

  port(name: string): PortRow | undefined {
    const ofport = this.ofports.get(name);
    if (ofport === undefined) return undefined;
    const maps = { options: {}, otherConfig: {}, externalIds: {} };
    const interfaces = [{ name, type: '', ofport, error: null, mac: null, ...maps }];
    const rest = {
      tag: null,
      vlanMode: null,
      trunks: [],
      bondMode: null,
      lacp: null,
      otherConfig: {},
      externalIds: {},
      qos: null,
    };
    return { uuid: `row-${name}`, bridge: 'br-int', name, ...rest, interfaces };
  }

  bridges() {
    return BRIDGES.flatMap((name) => this.bridge(name) ?? []);
  }

  ports() {
    return PORTS.flatMap((name) => this.port(name) ?? []);
  }
}

const flow: fc.Arbitrary<Flow> = fc
  .record({
    table: fc.integer({ min: 0, max: 2 }),
    priority: fc.integer({ min: 0, max: 2 }),
    inPort: fc.option(fc.constantFrom(...PORTS), { nil: undefined }),
    actions: fc.oneof(
      fc.constantFrom<Flow['actions']>([], [{ type: 'output', port: 'NORMAL' }], [{ type: 'goto_table', table: 60 }]),
      fc.subarray(PORTS).map((ports): Flow['actions'] => [{ type: 'output_set', ports }]),
      fc.constantFrom(...PORTS).map((port): Flow['actions'] => [{ type: 'output', port: { port } }]),
      fc
        .record({ id: fc.integer({ min: 1, max: 3 }), clause: fc.integer({ min: 1, max: 2 }) })
        .map(({ id, clause }): Flow['actions'] => [{ type: 'conjunction', id, clause, clauses: 2 }]),
    ),
  })
  .map(({ table, priority, inPort, actions }) => ({
    bridge: 'br-int',
    table,
    priority,
    match: inPort === undefined ? {} : { in_port: { port: inPort } },
    actions,
  }));

interface Key {
  readonly plugin: string;
  readonly key: string;
  readonly records: DesiredRecords;
}

const keys: fc.Arbitrary<Key[]> = fc.uniqueArray(
  fc.record({
    plugin: fc.constantFrom('one', 'two'),
    key: fc.constantFrom('k1', 'k2', 'k3', 'k4'),
    records: fc.array(flow, { maxLength: 6 }).map((flows) => ({ flows })),
  }),
  { selector: ({ plugin, key }) => `${plugin} ${key}`, maxLength: 8 },
);
const ofports = fc
  .subarray(PORTS)
  .chain((names) =>
    fc
      .shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: names.length, maxLength: names.length })
      .map((numbers) => new Map(names.map((name, index) => [name, numbers[index] ?? 0]))),
  );

function blueprint(rows: Rows): Blueprint {
  const made = new Blueprint(
    {
      canonical,
      fate: () => 'remove',
      required: [],
      drift: 'repair',
      describeStranger: () => 'a stranger',
      isReserved: () => false,
      rankOf: (plugin) => ['one', 'two'].indexOf(plugin),
    },
    rows,
  );
  for (const bridge of BRIDGES) made.board(bridge).read([]);
  return made;
}

function carryOut(made: Blueprint, { steps }: Plan): number {
  let count = 0;
  for (const [bridge, list] of steps) {
    for (const step of list) made.board(bridge).applied(step);
    count += list.length;
  }
  return count;
}

function state(made: Blueprint, stated: readonly Key[]): Blueprint {
  for (const { plugin, key, records } of stated) made.state(plugin, key, records);
  return made;
}

const contents = (made: Blueprint): string[] =>
  [...(made.board('br-int').installed?.values() ?? [])]
    .map((one: Installed) => `${one.identity} ${one.body} ${one.kind === 'flow' ? one.cookie : ''}`)
    .sort();

describe('the planner', () => {
  it('has nothing left to plan once a plan was carried out', () => {
    fc.assert(
      fc.property(keys, ofports, (stated, numbers) => {
        const made = state(blueprint(new MemoryRows(numbers)), stated);
        carryOut(made, made.plan());
        made.compareAll();
        expect(carryOut(made, made.plan())).toBe(0);
      }),
    );
  });

  it('comes to the same switch whatever the order of the keys', () => {
    fc.assert(
      fc.property(keys, ofports, (stated, numbers) => {
        const forward = state(blueprint(new MemoryRows(numbers)), stated);
        const backward = state(blueprint(new MemoryRows(numbers)), [...stated].reverse());
        carryOut(forward, forward.plan());
        carryOut(backward, backward.plan());
        expect(contents(backward)).toEqual(contents(forward));
      }),
    );
  });

  it('comes change by change to what it would have come to at once', () => {
    fc.assert(
      fc.property(keys, keys, ofports, ofports, (first, second, before, after) => {
        const live = new Map(before);
        const made = state(blueprint(new MemoryRows(live)), first);
        carryOut(made, made.plan());
        const kept = new Set(second.map(({ plugin, key }) => `${plugin} ${key}`));
        for (const { plugin, key } of first) if (!kept.has(`${plugin} ${key}`)) made.state(plugin, key, null);
        state(made, second);
        live.clear();
        for (const [name, number] of after) live.set(name, number);
        made.rowsChanged(PORTS);
        carryOut(made, made.plan());
        const fresh = state(blueprint(new MemoryRows(after)), second);
        carryOut(fresh, fresh.plan());
        expect(contents(made)).toEqual(contents(fresh));
      }),
    );
  });

  it('comes with flows that are stated again, the same objects, to what it would have come to with flows made anew', () => {
    fc.assert(
      fc.property(
        fc.array(flow, { minLength: 1, maxLength: 12 }),
        fc.array(fc.array(fc.nat(11), { maxLength: 8 }), { minLength: 2, maxLength: 4 }),
        ofports,
        ofports,
        (made, statements, before, after) => {
          const live = new Map(before);
          const kept = blueprint(new MemoryRows(live));
          const anew = blueprint(new MemoryRows(live));
          statements.forEach((indices, turn) => {
            if (turn === statements.length - 1) {
              live.clear();
              for (const [name, number] of after) live.set(name, number);
              for (const one of [kept, anew]) one.rowsChanged(PORTS);
            }
            const flows = indices.flatMap((index) => made[index % made.length] ?? []);
            const key = { plugin: 'one', key: `k${turn % 2}` };
            state(kept, [{ ...key, records: { flows } }]);
            state(anew, [{ ...key, records: structuredClone({ flows }) }]);
            carryOut(kept, kept.plan());
            carryOut(anew, anew.plan());
            expect(contents(kept)).toEqual(contents(anew));
            expect(kept.contests()).toEqual(anew.contests());
            expect(kept.progress('one', key.key)).toEqual(anew.progress('one', key.key));
          });
        },
      ),
    );
  });

  it('rewrites only the flows that name a port which moved', () => {
    fc.assert(
      fc.property(keys, ofports, (stated, numbers) => {
        const live = new Map(numbers).set('a', 9);
        const made = state(blueprint(new MemoryRows(live)), stated);
        carryOut(made, made.plan());
        const before = new Set(contents(made));
        live.set('a', 10);
        made.rowsChanged(['a']);
        carryOut(made, made.plan());
        const named = stated
          .flatMap(({ records }) => records.flows ?? [])
          .filter((one) => JSON.stringify([one.match, one.actions]).includes('"a"'));
        const after = contents(made).filter((line) => !before.has(line));
        expect(after.length).toBeLessThanOrEqual(
          new Set(named.flatMap((one) => [canonicalPlace(one, 10), canonicalPlace(one, 9)])).size,
        );
      }),
    );
  });
});

const canonicalPlace = (one: Flow, number: number): string =>
  `${one.table}/${one.priority}/${JSON.stringify(one.match)}/${number}`;
