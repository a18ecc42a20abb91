import { type PortRecord, parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

const internal: PortRecord = { kind: 'internal', bridge: 'br-int', name: 'tap1' };
const TAKEN = { state: 'pending', waitingFor: ["the name tap1, which a port on br-int has that is somebody else's"] };

const plugVif = async (): Promise<void> => {
  rig.plug('tap1');
  rig.transact([
    {
      op: 'update',
      table: 'Interface',
      where: [['name', '==', 'tap1']],
      row: { external_ids: ['map', [['iface-id', 'p-1']]] },
    },
  ]);
  await rig.quiet();
};

describe('a port of somebody else', () => {
  it.each<PortRecord>([
    internal,
    { kind: 'bond', bridge: 'br-int', name: 'tap1', members: ['eth1', 'eth2'], mode: 'active-backup', lacp: 'off' },
    { kind: 'patch', bridge: 'br-int', name: 'tap1', peer: 'two' },
  ])('is not taken by a $kind port of its name, and does not go with the key', async (record) => {
    await plugVif();
    expect(await rig.stated('wiring', 'mine', { ports: [record] })).toEqual(TAKEN);
    expect(rig.row('Port', 'tap1')?.external_ids).toEqual(new Map());
    await rig.stated('wiring', 'mine', null);
    rig.completeAll();
    await rig.quiet();
    expect(rig.row('Port', 'tap1')).toBeDefined();
    expect(rig.row('Interface', 'tap1')?.type).toBe('');
  });

  it('is adopted by a patch port for the same VIF: a trunk’s, that another agent made', async () => {
    await plugVif();
    const patch: PortRecord = {
      kind: 'patch',
      bridge: 'br-int',
      name: 'tap1',
      peer: 'two',
      externalIds: { 'iface-id': 'p-1' },
    };
    expect(await rig.stated('wiring', 'mine', { ports: [patch] })).not.toEqual(TAKEN);
    expect(rig.row('Interface', 'tap1')?.type).toBe('patch');
  });

  it('is not what flows of the key are about that name it', async () => {
    await plugVif();
    const flows = [parseFlow('br-int', 'table=60,priority=2,in_port=tap1 actions=drop')];
    expect(await rig.stated('wiring', 'mine', { ports: [internal], flows })).toEqual(TAKEN);
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('makes room when it goes', async () => {
    await plugVif();
    await rig.stated('wiring', 'mine', { ports: [internal] });
    rig.unplug('tap1');
    await rig.quiet();
    expect(await rig.side.store.progress('wiring', 'mine')).toEqual({ state: 'applied' });
    expect(rig.row('Interface', 'tap1')?.type).toBe('internal');
  });
});

it('an internal port of an earlier run is made no second time and no stranger', async () => {
  await rig.stated('wiring', 'mine', { ports: [internal] });
  await rig.restart();
  expect(await rig.stated('wiring', 'mine', { ports: [internal] })).toEqual({ state: 'applied' });
  await rig.stated('wiring', 'mine', null);
  await rig.quiet();
  expect(rig.row('Port', 'tap1')).toBeUndefined();
});
