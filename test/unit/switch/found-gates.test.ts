import { DEAD_VLAN, type DesiredRecords, parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

const admission = {
  ...parseFlow('br-int', 'table=0,priority=5 actions=goto_table:60'),
  match: { in_port: { port: 'tap1' } },
};
const wired: DesiredRecords = {
  gates: [{ bridge: 'br-int', port: 'tap1', subject: 'p1', tag: 7, admission: [admission] }],
};
/** The same port, as port binding states it before anybody has described it. */
const found: DesiredRecords = {
  gates: [{ bridge: 'br-int', port: 'tap1', subject: 'p1', tag: 7, admission: [admission], found: true }],
};

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
  rig.plug('tap1');
  rig.state('guard', 'port/p1', { flows: [parseFlow('br-int', 'table=24,priority=2 actions=drop')] });
  await rig.stated('wiring', 'port/p1', wired);
  await rig.quiet();
});

afterEach(() => rig.stop());

const tag = () => rig.row('Port', 'tap1')?.tag;

describe('a port that is found wired, and is not described yet', () => {
  it('stays open where what guarded it is still there', async () => {
    await rig.restart();
    expect(await rig.stated('wiring', 'port/p1', found)).toEqual({ state: 'applied' });
    expect(tag()).toBe(7);
    expect(rig.flows('br-int')).toHaveLength(2);
  });

  it('is shut where the bridge’s tables were found empty', async () => {
    rig.bridge('br-int').table.restore(new Map());
    await rig.restart();
    expect((await rig.stated('wiring', 'port/p1', found)).state).toBe('pending');
    expect(tag()).toBe(DEAD_VLAN);
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('is shut where they are emptied later', async () => {
    await rig.restart();
    await rig.stated('wiring', 'port/p1', found);
    rig.bridge('br-int').table.restore(new Map());
    rig.side.compareAll('test');
    await rig.quiet();
    expect(tag()).toBe(DEAD_VLAN);
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('opens once it is described and guarded', async () => {
    rig.bridge('br-int').table.restore(new Map());
    await rig.restart();
    await rig.stated('wiring', 'port/p1', found);
    rig.state('guard', 'port/p1', { flows: [parseFlow('br-int', 'table=24,priority=2 actions=drop')] });
    expect(await rig.stated('wiring', 'port/p1', wired)).toEqual({ state: 'applied' });
    expect(tag()).toBe(7);
  });
});
