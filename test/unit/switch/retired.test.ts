import { type DesiredRecords, LEARNED_COOKIE, parseFlow } from '@patchbay/sdk';
import type { ListedPlugin } from '../../../core/switch';
import { PLUGINS, SwitchRig } from '../../support/switch/rig';

const GUEST: ListedPlugin = { id: 'guest', required: false, claims: [] };

let rig: SwitchRig;

afterEach(() => rig.stop());

const records: DesiredRecords = {
  bridges: [{ name: 'br-guest', presence: 'create' }],
  ports: [{ kind: 'internal', bridge: 'br-guest', name: 'extra' }],
  groups: [{ bridge: 'br-guest', group: 7, kind: 'all', buckets: [] }],
  flows: [parseFlow('br-guest', 'table=0,priority=2 actions=group:7')],
};

/** A guest that makes a bridge of its own, where the switch learns flows and somebody else has one. */
const start = async (plugins: ListedPlugin[]): Promise<void> => {
  rig = await SwitchRig.start(['br-int', 'br-ex'], { plugins });
  await rig.stated('guest', 'own', records);
  await rig.quiet();
  expect(await rig.side.store.progress('guest', 'own')).toEqual({ state: 'applied' });
  const client = rig.bridge('br-guest').connect();
  for (const [cookie, priority] of [
    [LEARNED_COOKIE, 3],
    [0x1234n, 4],
  ] as const) {
    const flow = parseFlow('br-guest', `table=1,priority=${priority} actions=drop`);
    await client.send([{ kind: 'flow', command: 'add', flow, cookie }]);
  }
  await rig.quiet();
};

const FOREIGN = ['table=1,priority=4 actions=drop'];

describe('a plugin that made a bridge', () => {
  it('and is off the list at the next start has all of it withdrawn there once the others are complete', async () => {
    const plugins = [...PLUGINS, GUEST];
    await start(plugins);
    plugins.pop();
    await rig.restart();
    expect(rig.flows('br-guest')).toHaveLength(3);
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-guest')).toEqual(FOREIGN);
    expect([...rig.bridge('br-guest').groups.keys()]).toEqual([]);
    expect(rig.row('Port', 'extra')).toBeUndefined();
  });

  it('and states it no more in the next run has its flows swept once it is complete', async () => {
    await start([...PLUGINS, GUEST]);
    await rig.restart();
    rig.side.store.complete('guest');
    await rig.quiet();
    expect(rig.flows('br-guest')).toHaveLength(2);
  });

  it('and states it keeps what was learned there', async () => {
    await start([...PLUGINS, GUEST]);
    await rig.restart();
    await rig.stated('guest', 'own', records);
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-guest')).toHaveLength(3);
  });

  it('and is taken off the list while the agent runs has all of it withdrawn there', async () => {
    await start([...PLUGINS, GUEST]);
    rig.completeAll();
    await rig.quiet();
    rig.side.store.retire('guest');
    await rig.quiet();
    expect(rig.flows('br-guest')).toEqual(FOREIGN);
    expect([...rig.bridge('br-guest').groups.keys()]).toEqual([]);
  });
});

it('a bridge that was there is not marked as made, and what was learned there stays', async () => {
  rig = await SwitchRig.start(['br-int', 'br-ex'], { plugins: [...PLUGINS, GUEST] });
  await rig.stated('guest', 'own', { bridges: [{ name: 'br-ex', presence: 'create' }] });
  expect(rig.row('Bridge', 'br-ex')?.external_ids).toEqual(new Map());
});
