import { Silence } from '../../../core/kernel/isolation/silence';

describe('the silence of a worker', () => {
  let now = 0;
  const passed = (silence: Silence, ms: number): number => {
    now += ms;
    return silence.look();
  };

  it('grows with every look, and ends with a sign of life', () => {
    const silence = new Silence(1_000, () => now);
    expect([passed(silence, 1_000), passed(silence, 1_000)]).toEqual([1_000, 2_000]);
    silence.heard();
    expect(passed(silence, 1_000)).toBe(1_000);
  });

  it('counts no pause of the machine: nobody could say anything, nor hear it', () => {
    const silence = new Silence(1_000, () => now);
    expect(passed(silence, 60_000)).toBe(2_000);
  });
});
