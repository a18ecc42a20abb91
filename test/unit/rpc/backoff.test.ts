import { CallTimeouts, retryDelayMs } from '../../../core/rpc';
import { doublingPauses, pauseAfterLossMs, scopedMethod } from '../../../core/rpc/backoff';

describe('call timeouts', () => {
  const timeouts = () => new CallTimeouts({ initialMs: 60_000, maxMs: 600_000, random: () => 0.5 });

  it('double with each timeout up to the maximum', () => {
    const policy = timeouts();
    const seen = Array.from({ length: 6 }, () => {
      const before = policy.timeoutOf('m');
      policy.timedOut('m', before);
      return before;
    });
    expect(seen).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it('double once for calls that waited side by side', () => {
    const policy = timeouts();
    for (let call = 0; call < 5; call += 1) policy.timedOut('m', 60_000);
    expect(policy.timeoutOf('m')).toBe(120_000);
  });

  it('are as at first once an answer came within the first', () => {
    const policy = timeouts();
    policy.timedOut('m', 60_000);
    policy.answered('m', 70_000);
    expect(policy.timeoutOf('m')).toBe(120_000);
    policy.answered('m', 5_000);
    expect(policy.timeoutOf('m')).toBe(60_000);
  });

  it('are counted for each method of each namespace', () => {
    const policy = timeouts();
    policy.timedOut(scopedMethod('trunk', 'm'), 60_000);
    expect([policy.timeoutOf(scopedMethod('trunk', 'm')), policy.timeoutOf(scopedMethod(undefined, 'm'))]).toEqual([
      120_000, 60_000,
    ]);
  });

  it('hold the caller back a random part of what it waited, of 60 s at most', () => {
    const policy = timeouts();
    expect([policy.timedOut('m', 60_000), policy.timedOut('m', 120_000)]).toEqual([30_000, 30_000]);
    expect(new CallTimeouts({ initialMs: 1000, maxMs: 2000, random: () => 0.5 }).timedOut('m', 1000)).toBe(500);
  });
});

const RETRY = { first: 1, step: 2, max: 30 };

describe('pauses between rounds of connection attempts', () => {
  it('are shorter by up to half, as chance has it', () => {
    expect([0, 0.5, 1].map((drawn) => retryDelayMs(RETRY, 1, () => drawn))).toEqual([3000, 2250, 1500]);
  });

  it('spread a thousand agents that lost the broker at once', () => {
    const pauses = Array.from({ length: 1000 }, (_, agent) => pauseAfterLossMs(RETRY, 3_600_000, () => agent / 1000));
    const inTenths = new Set(pauses.map((pause) => Math.floor(pause / 100)));
    expect(inTenths.size).toBe(10);
    expect(Math.max(...pauses)).toBeLessThan(1000);
  });

  it('begin before the first try where the connection did not live long', () => {
    expect(pauseAfterLossMs(RETRY, 100, () => 1)).toBe(500);
    expect(pauseAfterLossMs(RETRY, 3_600_000, () => 0)).toBe(0);
  });

  it('grow by the step up to the maximum', () => {
    const rounds = [0, 1, 2, 15, 100];
    expect(rounds.map((round) => retryDelayMs(RETRY, round, () => 0))).toEqual([1000, 3000, 5000, 30_000, 30_000]);
  });
});

describe('pauses between tries of one message', () => {
  it('double up to the longest', () => {
    const pauses = doublingPauses(50, 300);
    expect(Array.from({ length: 5 }, () => pauses.next().value)).toEqual([50, 100, 200, 300, 300]);
  });
});
