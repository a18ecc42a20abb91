import { type DesiredRecords, type Group, type Meter, parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

const groupTo = (port: string): Group => ({
  bridge: 'br-int',
  group: 7,
  kind: 'all',
  buckets: [{ actions: [{ type: 'output', port: { port } }] }],
});
const meter: Meter = { bridge: 'br-int', meter: 3, unit: 'kbps', bands: [{ kind: 'drop', rate: 100 }] };
const flowTo = (actions: string): DesiredRecords => ({
  flows: [parseFlow('br-int', `table=60,priority=2 actions=${actions}`)],
});
const progress = (key: string) => rig.side.store.progress('wiring', key);
const errors = () => rig.logger.lines.filter((line) => line.startsWith('error'));
const GROUP_WAITS = 'group 7 on br-int, which waits for port tap1 on br-int';

describe('a flow that names a group', () => {
  it('of another key that is pending waits for it, and leaves with it', async () => {
    rig.apply([
      { plugin: 'wiring', key: 'flow', records: flowTo('group:7') },
      { plugin: 'wiring', key: 'group', records: { groups: [groupTo('tap1')] } },
    ]);
    expect(await progress('flow')).toEqual({ state: 'pending', waitingFor: [GROUP_WAITS] });
    rig.plug('tap1');
    await rig.quiet();
    expect(await progress('flow')).toEqual({ state: 'applied' });
    expect(rig.flows('br-int')).toEqual(['table=60,priority=2 actions=group:7']);
    expect(errors()).toEqual([]);
  });

  it('of its own key that is pending waits for it, and leaves with it', async () => {
    await rig.stated('wiring', 'both', { ...flowTo('write_actions(group:7)'), groups: [groupTo('tap1')] });
    expect(await progress('both')).toEqual({ state: 'pending', waitingFor: [GROUP_WAITS, 'port tap1 on br-int'] });
    rig.plug('tap1');
    await rig.quiet();
    expect(await progress('both')).toEqual({ state: 'applied' });
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  it('goes before the group when the group’s port is unplugged, and comes again with it', async () => {
    rig.plug('tap1');
    await rig.quiet();
    await rig.stated('wiring', 'group', { groups: [groupTo('tap1')] });
    await rig.stated('wiring', 'flow', flowTo('group:7'));
    rig.unplug('tap1');
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual([]);
    expect(rig.bridge('br-int').applied.slice(-2)).toMatchObject([
      { kind: 'flow' },
      { kind: 'group', command: 'delete' },
    ]);
    expect(await progress('flow')).toEqual({ state: 'pending', waitingFor: [GROUP_WAITS] });
    rig.plug('tap1');
    await rig.quiet();
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  it('that the switch refuses waits, and only the group’s key is held back', async () => {
    rig.plug('tap1');
    rig.bridge('br-int').refuse(({ kind }) => (kind === 'group' ? 'OFPGMFC_INVALID_GROUP' : undefined));
    rig.apply([
      { plugin: 'wiring', key: 'flow', records: flowTo('group:7') },
      { plugin: 'wiring', key: 'group', records: { groups: [groupTo('tap1')] } },
    ]);
    await rig.quiet();
    expect((await progress('group')).state).toBe('quarantined');
    expect(await progress('flow')).toMatchObject({
      state: 'pending',
      waitingFor: [
        expect.stringMatching(/^group 7 on br-int, which was refused \(bridge br-int: OFPGMFC_INVALID_GROUP/),
      ],
    });
    expect(errors()).toHaveLength(1);
  });

  it('that nobody has stated yet is tried again as soon as somebody does', async () => {
    rig.plug('tap1');
    expect((await rig.stated('wiring', 'flow', flowTo('group:7'))).state).toBe('quarantined');
    await rig.stated('wiring', 'group', { groups: [groupTo('tap1')] });
    await rig.quiet();
    expect(await progress('flow')).toEqual({ state: 'applied' });
    expect(rig.side.status().quarantined).toBe(0);
  });

  it('of another program is sent', async () => {
    await rig
      .bridge('br-int')
      .connect()
      .send([{ kind: 'group', command: 'add', group: { ...groupTo('tap1'), buckets: [] } }]);
    expect(await rig.stated('wiring', 'flow', flowTo('group:7'))).toEqual({ state: 'applied' });
  });

  it('of two keys leaves with the one that is there', async () => {
    rig.plug('tap2');
    await rig.stated('wiring', 'group', { groups: [groupTo('tap1')] });
    await rig.stated('wiring', 'flow', flowTo('group:7'));
    await rig.stated('other', 'group', { groups: [groupTo('tap2')] });
    await rig.quiet();
    expect(await progress('flow')).toEqual({ state: 'applied' });
  });
});

it('a flow that names a meter which the switch refuses waits', async () => {
  rig.bridge('br-int').refuse(({ kind }) => (kind === 'meter' ? 'OFPMMFC_OUT_OF_METERS' : undefined));
  rig.apply([
    { plugin: 'wiring', key: 'flow', records: flowTo('meter:3,NORMAL') },
    { plugin: 'wiring', key: 'meter', records: { meters: [meter] } },
  ]);
  await rig.quiet();
  expect((await progress('meter')).state).toBe('quarantined');
  expect(await progress('flow')).toMatchObject({ state: 'pending' });
  rig.bridge('br-int').refuse();
  rig.state('wiring', 'meter', { meters: [{ ...meter }] });
  await rig.quiet();
  expect(await progress('flow')).toEqual({ state: 'applied' });
});

describe('a group or meter that somebody else removes, with the flows that name it', () => {
  const remove = (message: { kind: 'group'; group: number } | { kind: 'meter'; meter: number }): Promise<void> =>
    rig
      .bridge('br-int')
      .connect()
      .send([{ ...message, command: 'delete' }]);

  it.each([
    ['another key', ['group', 'flow']],
    ['the same key', ['both', 'both']],
  ] as const)('comes back at once with the flows of %s', async (_what, [one, other]) => {
    rig.plug('tap1');
    await rig.quiet();
    const group = { groups: [groupTo('tap1')] };
    rig.state('wiring', one, group);
    await rig.stated('wiring', other, one === other ? { ...group, ...flowTo('group:7') } : flowTo('group:7'));
    await remove({ kind: 'group', group: 7 });
    await rig.quiet();
    expect([...rig.bridge('br-int').groups.keys()]).toEqual([7]);
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(await progress(other)).toEqual({ state: 'applied' });
    expect(errors()).toEqual([]);
    expect(rig.side.status().figures.drift.removed).toBe(2);
  });

  it('comes back at once, a meter too', async () => {
    await rig.stated('wiring', 'meter', { meters: [meter] });
    await rig.stated('wiring', 'flow', flowTo('meter:3,NORMAL'));
    await remove({ kind: 'meter', meter: 3 });
    await rig.quiet();
    expect([...rig.bridge('br-int').meters.keys()]).toEqual([3]);
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  it('is found where a new flow names it', async () => {
    rig.plug('tap1');
    await rig.quiet();
    await rig.stated('wiring', 'group', { groups: [groupTo('tap1')] });
    await remove({ kind: 'group', group: 7 });
    await rig.quiet();
    expect(await rig.stated('wiring', 'flow', flowTo('group:7'))).toEqual({ state: 'applied' });
    expect(errors()).toEqual([]);
  });

  it('comes back before others of the refused key’s flows are touched', async () => {
    rig.plug('tap1');
    await rig.quiet();
    await rig.stated('wiring', 'group', { groups: [groupTo('tap1')] });
    const kept = parseFlow('br-int', 'table=60,priority=3 actions=drop');
    await rig.stated('wiring', 'flow', { flows: [kept, ...(flowTo('group:7').flows ?? [])] });
    const before = rig.bridge('br-int').applied.length;
    await remove({ kind: 'group', group: 7 });
    await rig.quiet();
    const since = rig.bridge('br-int').applied.slice(before + 1);
    expect(since).toMatchObject([
      { kind: 'group', command: 'add' },
      { kind: 'flow', command: 'add' },
    ]);
  });
});
