import { parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

describe('a round that fails', () => {
  it('leaves no key unsettled that came and went before it', async () => {
    rig.plug('tap1');
    await rig.quiet();
    const { database } = rig.server;
    const { transact } = database;
    database.transact = () => {
      database.transact = transact;
      throw new Error('the disk is full');
    };
    rig.apply([
      { plugin: 'guard', key: 'port/p1', records: {} },
      {
        plugin: 'wiring',
        key: 'port/p1',
        records: { gates: [{ bridge: 'br-int', port: 'tap1', subject: 'p1', tag: 7 }] },
      },
      {
        plugin: 'other',
        key: 'port/p2',
        records: { flows: [parseFlow('br-int', 'table=60,priority=1 actions=drop')] },
      },
      { plugin: 'other', key: 'port/p2', records: null },
    ]);
    await rig.quiet();
    expect(rig.logger.lines.some((line) => line.includes('round failed'))).toBe(true);
    await rig.until(() => rig.row('Port', 'tap1')?.tag === 7);
    expect(rig.row('Port', 'tap1')?.tag).toBe(7);
    expect(rig.side.status().keys).toBe(2);
  });
});
