import { Backoff } from '../../../core/switch/ovsdb/backoff';

describe('waiting between attempts to connect', () => {
  const options = { initialMs: 100, maximumMs: 1000, jitter: 0.5 };

  it('doubles up to the maximum', () => {
    const backoff = new Backoff(options, () => 0);
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('takes at most the jitter off', () => {
    const backoff = new Backoff(options, () => 1);
    expect([backoff.next(), backoff.next()]).toEqual([50, 100]);
  });

  it('begins again after a success', () => {
    const backoff = new Backoff(options, () => 0);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });
});
