import fc from 'fast-check';
import { inOrder, type Precedence } from '../../../core/kernel/ordering';

const byName = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
const order = (names: readonly string[], precedences: readonly Precedence[]): readonly string[] =>
  inOrder(names, precedences, byName, 'the test');

const names = fc.uniqueArray(fc.stringMatching(/^[a-f]{1,2}$/), { maxLength: 12 });
const shuffledNames = names.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray([...all], { minLength: all.length })),
);

/** Precedences that point forward in some order of the names, so that they contradict in nothing. */
const consistent = shuffledNames.chain(([all, hidden]) =>
  fc.record({
    all: fc.constant(all),
    precedences: fc.array(
      fc.tuple(fc.nat(11), fc.nat(11)).map(([left, right]): Precedence => {
        const [low, high] = left < right ? [left, right] : [right, left];
        const first = hidden[low % Math.max(hidden.length, 1)] ?? 'absent';
        const next = hidden[high % Math.max(hidden.length, 1)] ?? 'absent';
        return hidden.indexOf(first) < hidden.indexOf(next) ? { first, next } : { first: 'absent', next };
      }),
    ),
  }),
);

describe('ordering', () => {
  it('keeps every name once and every precedence', () => {
    fc.assert(
      fc.property(consistent, ({ all, precedences }) => {
        const ordered = order(all, precedences);
        expect([...ordered].sort()).toEqual([...all].sort());
        for (const { first, next } of precedences) {
          if (first === 'absent') continue;
          expect(ordered.indexOf(first)).toBeLessThan(ordered.indexOf(next));
        }
      }),
    );
  });

  it('does not depend on the order in which names or precedences are given', () => {
    fc.assert(
      fc.property(consistent, ({ all, precedences }) => {
        expect(order([...all].reverse(), [...precedences].reverse())).toEqual(order(all, precedences));
      }),
    );
  });

  it('is by rank alone where nothing else is asked', () => {
    fc.assert(fc.property(names, (all) => expect(order(all, [])).toEqual([...all].sort(byName))));
  });

  it('always names a real loop when it refuses', () => {
    const any = fc.record({
      all: fc.constant(['a', 'b', 'c', 'd']),
      precedences: fc.array(
        fc.record({ first: fc.constantFrom('a', 'b', 'c', 'd'), next: fc.constantFrom('a', 'b', 'c', 'd') }),
      ),
    });
    fc.assert(
      fc.property(any, ({ all, precedences }) => {
        let message = '';
        try {
          order(all, precedences);
        } catch (thrown) {
          message = thrown instanceof Error ? thrown.message : '';
        }
        if (message === '') return;
        const loop = (/: ([a-d](?: → [a-d])+);/.exec(message)?.[1] ?? '').split(' → ');
        expect(loop[0]).toBe(loop.at(-1));
        for (let step = 1; step < loop.length; step += 1) {
          expect(precedences).toContainEqual({ first: loop[step - 1], next: loop[step] });
        }
      }),
    );
  });
});
