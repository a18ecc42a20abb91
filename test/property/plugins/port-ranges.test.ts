import fc from 'fast-check';
import { portMasks } from '../../../plugins/security-groups/port-ranges';

const port = fc.integer({ min: 0, max: 65_535 });

describe('the masks of a range of ports', () => {
  test('cover its ports, and no others', () => {
    fc.assert(
      fc.property(port, port, (one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const masks = portMasks(first, last);
        const covers = (number: number) => masks.some(({ value, mask }) => (number & mask) === value);
        const inside = [first, last, (first + last) >> 1];
        const outside = [first - 1, last + 1].filter((number) => number >= 0 && number <= 65_535);
        expect(inside.map(covers)).toEqual(inside.map(() => true));
        expect(outside.map(covers)).toEqual(outside.map(() => false));
        const sizes = masks.map(({ mask }) => (~mask & 0xffff) + 1);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(last - first + 1);
      }),
    );
  });

  test('are at most 30, and two neighbours never make one', () => {
    fc.assert(
      fc.property(port, port, (one, other) => {
        const masks = portMasks(Math.min(one, other), Math.max(one, other));
        expect(masks.length).toBeLessThanOrEqual(30);
        for (const [index, { value, mask }] of masks.entries()) {
          const next = masks[index + 1];
          if (next?.mask === mask) expect(value & (~mask + 1)).not.toBe(0);
        }
      }),
    );
  });
});
