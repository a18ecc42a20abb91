import { Newcomer } from '../../../core/switch/reconciler/newcomer';

const OURS = 'unix:patchbay-none';
const THEIRS = 'tcp:127.0.0.1:6633';

const bridge = (...controllers: readonly (readonly [target: string, state: 'connected' | 'not connected'])[]) => ({
  controllers: controllers.map(([target, state]) => ({ target, connected: state === 'connected' })),
});

describe('an agent that comes to a bridge of ours', () => {
  let gaveUp: number;
  let newcomer: Newcomer;
  beforeEach(() => {
    jest.useFakeTimers();
    gaveUp = 0;
    newcomer = new Newcomer(OURS, () => {
      gaveUp += 1;
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is noticed when it sets its controller in the place of ours', () => {
    newcomer.observe(bridge([OURS, 'not connected']));
    newcomer.observe(bridge([THEIRS, 'not connected']));
    expect(newcomer.arriving).toBe(THEIRS);
  });

  it('is not coming any more once it is connected', () => {
    newcomer.observe(bridge([OURS, 'not connected']));
    newcomer.observe(bridge([THEIRS, 'not connected']));
    newcomer.observe(bridge([THEIRS, 'connected']));
    expect(newcomer.arriving).toBeUndefined();
  });

  it('is not noticed again when it goes and leaves its controller behind', () => {
    newcomer.observe(bridge([OURS, 'not connected']));
    newcomer.observe(bridge([THEIRS, 'connected']));
    newcomer.observe(bridge([THEIRS, 'not connected']));
    expect(newcomer.arriving).toBeUndefined();
  });

  it('is waited for no longer than fifteen seconds', () => {
    newcomer.observe(bridge([OURS, 'not connected']));
    newcomer.observe(bridge([THEIRS, 'not connected']));
    jest.advanceTimersByTime(15_000);
    expect([newcomer.arriving, gaveUp]).toEqual([undefined, 1]);
    newcomer.observe(bridge([THEIRS, 'not connected']));
    expect(newcomer.arriving).toBeUndefined();
  });

  it('is nobody where the controller was there before us, as on a take-over', () => {
    newcomer.observe(bridge([THEIRS, 'not connected']));
    expect(newcomer.arriving).toBeUndefined();
  });

  it('is nobody where our controller was only removed', () => {
    newcomer.observe(bridge([OURS, 'not connected']));
    newcomer.observe(bridge());
    newcomer.observe(undefined);
    expect(newcomer.arriving).toBeUndefined();
  });
});
