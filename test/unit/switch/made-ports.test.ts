import type { PortRecord } from '@patchbay/sdk';
import { SETTINGS, SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

afterEach(() => rig.stop());

const start = async (drift: 'repair' | 'report' = 'repair'): Promise<void> => {
  rig = await SwitchRig.start(['br-int', 'br-ex'], { settings: { ...SETTINGS, drift } });
};

type Internal = Extract<PortRecord, { kind: 'internal' }>;
type Columns = Partial<Pick<Internal, 'tag' | 'vlanMode' | 'trunks' | 'mac'>>;

const stated = async (columns: Columns, plugin = 'wiring', key = 'port') => {
  rig.state(plugin, key, { ports: [{ kind: 'internal', bridge: 'br-ex', name: 'extra', ...columns }] });
  await rig.quiet();
  return rig.side.store.progress(plugin, key);
};
const edit = async (table: string, row: Readonly<Record<string, unknown>>): Promise<void> => {
  rig.transact([{ op: 'update', table, where: [['name', '==', 'extra']], row }]);
  await rig.quiet();
};
const columns = () => {
  const { tag, vlan_mode: vlanMode, trunks } = rig.row('Port', 'extra') ?? {};
  return { tag, vlanMode, trunks, mac: rig.row('Interface', 'extra')?.mac };
};
const NONE = { tag: undefined, vlanMode: undefined, trunks: [], mac: undefined };
const ALL: Columns = { tag: 7, vlanMode: 'native-tagged', trunks: [30, 7, 20, 7], mac: '52:54:00:00:00:0A' };
const WRITTEN = { tag: 7, vlanMode: 'native-tagged', trunks: [7, 20, 30], mac: '52:54:00:00:00:0a' };

describe('the columns of a port that a plugin makes', () => {
  it('are written with the port', async () => {
    await start();
    expect(await stated(ALL)).toEqual({ state: 'applied' });
    expect(columns()).toEqual(WRITTEN);
  });

  it('of a patch port are written, and it is connected', async () => {
    await start();
    rig.state('wiring', 'patch', {
      ports: [
        { kind: 'patch', bridge: 'br-ex', name: 'one', peer: 'two', tag: 100 },
        { kind: 'patch', bridge: 'br-int', name: 'two', peer: 'one', trunks: [5], vlanMode: 'trunk' },
      ],
    });
    await rig.quiet();
    expect(rig.row('Port', 'one')).toMatchObject({ tag: 100 });
    expect(rig.row('Port', 'two')).toMatchObject({ vlan_mode: 'trunk', trunks: [5] });
    expect(rig.row('Interface', 'one')?.options).toEqual(new Map([['peer', 'two']]));
  });

  it('are changed with the record', async () => {
    await start();
    await stated(ALL);
    await stated({ tag: 8, vlanMode: 'access', mac: '52:54:00:00:00:0b' });
    expect(columns()).toEqual({ tag: 8, vlanMode: 'access', trunks: [], mac: '52:54:00:00:00:0b' });
  });

  it.each([
    'repair',
    'report',
  ] as const)('are cleared where the record names them no more, which is no drift (%s)', async (drift) => {
    await start(drift);
    await stated(ALL);
    expect(await stated({})).toEqual({ state: 'applied' });
    expect(columns()).toEqual(NONE);
    expect(rig.side.status().figures.drift.row).toBe(0);
    rig.side.compareAll('test');
    await rig.quiet();
    expect(rig.side.plan().rows).toEqual([]);
  });

  it('are cleared by the next run, too', async () => {
    await start();
    await stated(ALL);
    await rig.restart();
    await stated({ mac: '52:54:00:00:00:0a' });
    expect(columns()).toEqual({ ...NONE, mac: '52:54:00:00:00:0a' });
  });

  it('are put right where somebody edits them', async () => {
    await start();
    await stated(ALL);
    await edit('Port', { tag: 9, vlan_mode: 'access', trunks: ['set', []] });
    await edit('Interface', { mac: '52:54:00:00:00:ff' });
    expect(columns()).toEqual(WRITTEN);
    expect(rig.side.status().figures.drift.row).toBe(2);
  });

  it('that no record names are left to whoever sets them', async () => {
    await start();
    await stated({ tag: 7 });
    await edit('Port', { trunks: ['set', [3]] });
    await stated({});
    expect(columns()).toEqual({ ...NONE, trunks: [3] });
  });

  it('are a conflict where two keys state them otherwise, and joined where they do not', async () => {
    await start();
    await stated({ tag: 7 });
    expect(await stated({ mac: '52:54:00:00:00:0a' }, 'other')).toEqual({ state: 'applied' });
    expect(columns()).toEqual({ ...NONE, tag: 7, mac: '52:54:00:00:00:0a' });
    expect(await stated({ tag: 8 }, 'other')).toEqual({
      state: 'quarantined',
      reason: 'Port.tag of extra is stated differently by wiring port, which comes first',
    });
    expect(columns()).toEqual({ ...NONE, tag: 7 });
  });

  it('are given back without the mark of who wrote them', async () => {
    await start();
    await stated(ALL);
    await rig.side.release();
    expect(rig.row('Port', 'extra')?.external_ids).toEqual(new Map());
    expect(columns()).toEqual(WRITTEN);
  });
});
