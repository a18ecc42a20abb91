import { setImmediate as turn } from 'node:timers/promises';
import { Places } from '../../../plugins/port-binding/places';

describe('places', () => {
  test('are given to so many at a time, in order, and to the next when one is done or fails', async () => {
    const places = new Places(2);
    const begun: string[] = [];
    const ends = new Map<string, (outcome: 'done' | 'failed') => void>();
    const work = (name: string) =>
      places
        .within(async () => {
          begun.push(name);
          const outcome = await new Promise((resolve) => ends.set(name, resolve));
          if (outcome === 'failed') throw new Error(name);
          return name;
        })
        .catch((error: Error) => `${error.message} failed`);
    const outcomes = Promise.all(['a', 'b', 'c', 'd'].map(work));
    await turn();
    expect(begun).toEqual(['a', 'b']);
    ends.get('b')?.('failed');
    await turn();
    expect(begun).toEqual(['a', 'b', 'c']);
    ends.get('a')?.('done');
    await turn();
    for (const name of ['c', 'd']) ends.get(name)?.('done');
    expect(await outcomes).toEqual(['a', 'b failed', 'c', 'd']);
  });
});
