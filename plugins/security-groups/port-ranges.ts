/** A number with the bits of it that count. */
export interface PortMask {
  readonly value: number;
  readonly mask: number;
}

const BITS = 16;

/**
 * The fewest masked values that cover the port numbers from `first` to `last`, both included, and no others.
 * A range comes to 30 at most (1 to 65534).
 */
export function portMasks(first: number, last: number): readonly PortMask[] {
  const masks: PortMask[] = [];
  for (let value = first; value <= last; ) {
    let size = value === 0 ? 1 << BITS : value & -value;
    while (value + size - 1 > last) size >>>= 1;
    masks.push({ value, mask: ~(size - 1) & 0xffff });
    value += size;
  }
  return masks;
}
