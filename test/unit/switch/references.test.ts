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
