import { type DesiredRecords, parseFlow } from '@patchbay/sdk';
import type { OpenFlowConnection } from '../../../core/switch/openflow';
import { SwitchRig } from '../../support/switch/rig';

const admission = {
  ...parseFlow('br-int', 'table=0,priority=5 actions=goto_table:60'),
  match: { in_port: { port: 'tap1' } },
};

let rig: SwitchRig;
/** What happens on the switch while the next bundle is on its way. */
let meanwhile: (() => void) | undefined;

beforeEach(async () => {
  meanwhile = undefined;
  const connect = async (bridge: string): Promise<OpenFlowConnection> => {
    const connection = rig.bridge(bridge).connect();
    const { bundle } = connection;
    connection.bundle = async (...words) => {
      const act = meanwhile;
      meanwhile = undefined;
      if (act !== undefined) {
        act();
        // What the database tells is heard some turns later, however long each takes.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return bundle.apply(connection, words);
    };
    return connection as unknown as OpenFlowConnection;
  };
  rig = await SwitchRig.start([], { connect: (bridge) => connect(bridge) });
  rig.addBridge('br-int');
  rig.plug('tap1');
  await rig.quiet();
  rig.state('guard', 'port/p1', {});
});

afterEach(() => rig.stop());

const rowOf = (name: string) => String(rig.row('Port', name)?._uuid);
const wired = (portRow: string): DesiredRecords => ({
  gates: [{ bridge: 'br-int', port: 'tap1', portRow, subject: 'p1', tag: 7, admission: [admission] }],
});
const makeAnew = () => {
  rig.unplug('tap1');
  rig.plug('tap1');
};

describe('a port that is made again under its name', () => {
  it('gets nothing of the gate that was decided for the one before, while the round is under way', async () => {
    meanwhile = makeAnew;
    const progress = await rig.stated('wiring', 'port/p1', wired(rowOf('tap1')));
    await rig.quiet();
    expect(progress).toEqual({
      state: 'pending',
      waitingFor: ['port tap1 on br-int as it was: another has its name by now'],
    });
    expect(rig.row('Port', 'tap1')?.tag).toBeUndefined();
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('nor before it', async () => {
    const before = rowOf('tap1');
    makeAnew();
    await rig.quiet();
    expect((await rig.stated('wiring', 'port/p1', wired(before))).state).toBe('pending');
    expect(rig.row('Port', 'tap1')?.tag).toBeUndefined();
  });

  it('nor after it, and what let the frames of the one before in goes', async () => {
    expect(await rig.stated('wiring', 'port/p1', wired(rowOf('tap1')))).toEqual({ state: 'applied' });
    expect(rig.flows('br-int')).toHaveLength(1);
    makeAnew();
    await rig.quiet();
    expect(rig.row('Port', 'tap1')?.tag).toBeUndefined();
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('is wired once its own gate is stated', async () => {
    await rig.stated('wiring', 'port/p1', wired(rowOf('tap1')));
    makeAnew();
    await rig.quiet();
    expect(await rig.stated('wiring', 'port/p1', wired(rowOf('tap1')))).toEqual({ state: 'applied' });
    expect(rig.row('Port', 'tap1')?.tag).toBe(7);
  });

  it('is not taken off its bridge in the place of the one before', async () => {
    const before = rowOf('tap1');
    makeAnew();
    await rig.quiet();
    rig.state('wiring', 'port/p1', {
      gates: [{ bridge: 'br-int', port: 'tap1', portRow: before, subject: 'p1', unplugged: true }],
    });
    await rig.quiet();
    expect(rig.row('Port', 'tap1')).toBeDefined();
  });
});
