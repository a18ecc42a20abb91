import { parseEthernet, parseIpv4, parseIpv6 } from './addresses';
import { FlowNotationError } from './errors';
import { CT_STATE_FLAGS, type Field, FRAGMENT_WORDS, TCP_FLAGS } from './fields';
import type { FieldValue, MatchValue } from './model';

/** A value and the bits of it that count; without a mask all of them do. */
export interface ValueAndMask {
  readonly value: FieldValue;
  readonly mask?: FieldValue;
}

function putNumber(field: Field, value: number | bigint, out: Uint8Array, at: number): void {
  const bytes = field.bytes;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0 || (field.bits < 53 && value >= 2 ** field.bits)) {
      throw new FlowNotationError(field.name, `${value} is not a whole number of ${field.bits} bits`);
    }
    let rest = value;
    for (let index = at + bytes - 1; index >= at; index--) {
      out[index] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
    return;
  }
  if (value < 0n || value >> BigInt(field.bits) !== 0n) {
    throw new FlowNotationError(field.name, `${value} is not a whole number of ${field.bits} bits`);
  }
  let rest = value;
  for (let index = at + bytes - 1; index >= at; index--) {
    out[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** A number in decimal or, after 0x, in hexadecimal. */
export function parseNumber(subject: string, text: string): number | bigint {
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) throw new FlowNotationError(subject, `'${text}' is not a number`);
  const short = text.length <= 15 ? Number(text) : undefined;
  return short ?? narrowest(BigInt(text));
}

/** The same number as `number` where that is exact, as `bigint` where it is not. */
export function narrowest(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/**
 * Writes a value in a field's wire width, most significant byte first, at `out[at]`.
 * @throws FlowNotationError when the value does not fit the field or is not in its notation.
 */
export function putValue(field: Field, value: FieldValue, out: Uint8Array, at: number): void {
  if (typeof value !== 'string') {
    putNumber(field, value, out, at);
    return;
  }
  const known =
    field.notation === 'ethernet'
      ? parseEthernet(value, out, at)
      : field.bytes === 16 && value.includes(':')
        ? parseIpv6(value, out, at)
        : field.bytes === 4 && value.includes('.')
          ? parseIpv4(value, out, at)
          : false;
  if (!known) putNumber(field, parseNumber(field.name, value), out, at);
}

/** The value's bytes in the field's wire width. */
export function valueBytes(field: Field, value: FieldValue): Uint8Array {
  const out = new Uint8Array(field.bytes);
  putValue(field, value, out, 0);
  return out;
}

function parseFlags(field: Field, text: string, names: readonly string[]): ValueAndMask {
  let value = 0;
  let mask = 0;
  let consumed = 0;
  for (const [whole, sign, name] of text.matchAll(/([+-])([a-z]+)/g)) {
    const bit = names.indexOf(name ?? '');
    if (bit < 0) throw new FlowNotationError(field.name, `no flag '${name}'; the flags are ${names.join(', ')}`);
    mask |= 1 << bit;
    if (sign === '+') value |= 1 << bit;
    consumed += whole.length;
  }
  if (consumed !== text.length)
    throw new FlowNotationError(field.name, `'${text}' is not a list such as +${names[1]}-${names[2]}`);
  return { value, mask };
}

/** Bytes of a prefix mask as a number or, for IPv6, a bigint. */
export function prefixMask(bits: number, length: number): number | bigint {
  if (bits <= 32) return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  return ((1n << BigInt(length)) - 1n) << BigInt(bits - length);
}

function parseMask(field: Field, text: string): FieldValue {
  const isAddress = field.notation === 'ipv4' || field.notation === 'ipv6';
  if (isAddress && /^[0-9]+$/.test(text)) {
    const length = Number(text);
    if (length > field.bits) throw new FlowNotationError(field.name, `/${text} is longer than ${field.bits} bits`);
    return prefixMask(field.bits, length);
  }
  return text;
}

/**
 * Splits what a match asks of a field into value and mask: `10.0.0.0/24`, `+est-rel`, `0x1000/0x1000`, `{ value, mask }`.
 * Text that needs no reading is handed on as it is.
 */
export function splitMask(field: Field, wanted: Exclude<MatchValue, { port: string }>): ValueAndMask {
  if (typeof wanted === 'object') return wanted;
  if (typeof wanted !== 'string') return { value: wanted };
  if (field.notation === 'ct_state' && /^[+-]/.test(wanted)) return parseFlags(field, wanted, CT_STATE_FLAGS);
  if (field.notation === 'tcp_flags' && /^[+-]/.test(wanted)) return parseFlags(field, wanted, TCP_FLAGS);
  if (field.notation === 'frag') {
    const word = FRAGMENT_WORDS[wanted];
    if (word !== undefined) return { value: word[0], mask: word[1] };
  }
  const slash = wanted.indexOf('/');
  if (slash < 0) return { value: wanted };
  return { value: wanted.slice(0, slash), mask: parseMask(field, wanted.slice(slash + 1)) };
}
