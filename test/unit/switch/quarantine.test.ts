import { parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

const drop = parseFlow('br-int', 'table=60,priority=2 actions=drop');

let rig: SwitchRig;

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'], advanceTimers: true });
  rig = await SwitchRig.start(['br-int']);
});

afterEach(async () => {
  await rig.stop();
  jest.useRealTimers();
});

/** Lets the switch refuse flows of table 60, and answers how often one came. */
function refusing(): { count: number; refuses: boolean } {
  const state = { count: 0, refuses: true };
  rig.bridge('br-int').refuse((message) => {
    if (message.kind !== 'flow' || message.command !== 'add' || message.flow.table !== 60) return undefined;
    state.count += 1;
    return state.refuses ? 'OFPBAC_BAD_ARGUMENT' : undefined;
  });
  return state;
}

describe('a key that the switch refused', () => {
  it('is in quarantine no more once the switch has taken it', async () => {
    const state = refusing();
    await rig.stated('wiring', 'base', { flows: [drop] });
    expect(rig.side.status().quarantined).toBe(1);
    state.refuses = false;
    await jest.advanceTimersByTimeAsync(1_100);
    await rig.quiet();
    expect(await rig.side.store.progress('wiring', 'base')).toEqual({ state: 'applied' });
    expect(rig.side.status().quarantined).toBe(0);
  });

  /** What it took before is not what stays of it then: asked for again and again, it would keep the round from ending. */
  it('although it took it before is held back, and tried again as soon as any', async () => {
    const state = refusing();
    await rig.stated('wiring', 'base', { flows: [drop] });
    await jest.advanceTimersByTimeAsync(1_100);
    await rig.quiet();
    state.refuses = false;
    await jest.advanceTimersByTimeAsync(2_100);
    await rig.quiet();
    state.refuses = true;
    rig.bridge('br-int').table.restore(new Map());
    rig.side.compareAll('test');
    await rig.quiet();
    expect((await rig.side.store.progress('wiring', 'base')).state).toBe('quarantined');
    const before = state.count;
    await jest.advanceTimersByTimeAsync(2_100);
    await rig.quiet();
    expect(state.count).toBeGreaterThan(before);
  });
});
