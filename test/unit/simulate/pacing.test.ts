import { Pacing } from '../../../core/simulate/pacing';

/** Takes turns in the background; `taken` counts those that came. */
function taking(pacing: Pacing, turns: number) {
  const state = { taken: 0 };
  void (async () => {
    for (let turn = 0; turn < turns; turn++) {
      await pacing.turn();
      state.taken += 1;
    }
  })();
  return state;
}

const turnsOfTheLoop = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('the pace at which simulated agents start', () => {
  it('holds the next back while as many as allowed are on their way', async () => {
    const pacing = new Pacing({ perSecond: Number.POSITIVE_INFINITY, atOnce: 2 });
    const state = taking(pacing, 5);
    await turnsOfTheLoop();
    expect(state.taken).toBe(2);
    pacing.arrived();
    await turnsOfTheLoop();
    expect(state.taken).toBe(3);
    pacing.arrived();
    pacing.arrived();
    await turnsOfTheLoop();
    expect(state.taken).toBe(5);
  });

  it('lets no more begin in a second than is wished, however fast they arrive', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    try {
      const pacing = new Pacing({ perSecond: 4, atOnce: 100 });
      const state = taking(pacing, 100);
      await jest.advanceTimersByTimeAsync(0);
      expect(state.taken).toBe(1);
      await jest.advanceTimersByTimeAsync(2_010);
      expect(state.taken).toBe(9);
    } finally {
      jest.useRealTimers();
    }
  });
});
