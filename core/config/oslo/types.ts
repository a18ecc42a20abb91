import { isIP } from 'node:net';
import { strip } from './text';

/** The types of oslo.config that an option can have. Bounds are included. */
export type OptionType =
  | { readonly kind: 'string'; readonly choices?: readonly string[]; readonly ignoreCase?: boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number; readonly choices?: readonly number[] }
  | { readonly kind: 'float'; readonly min?: number; readonly max?: number }
  /** 0 to 65535. */
  | { readonly kind: 'port' }
  | { readonly kind: 'ip' }
  /** Divided at commas; where an item is wrong by itself, the next one is joined to it. */
  | { readonly kind: 'list'; readonly item?: OptionType }
  /** `key:value` pairs divided at commas. */
  | { readonly kind: 'dict'; readonly value?: OptionType }
  /** Given as often as one likes, all count. */
  | { readonly kind: 'multi'; readonly item: OptionType };

export type OptionValue =
  | string
  | number
  | boolean
  | null
  | readonly OptionValue[]
  | { readonly [key: string]: OptionValue };

/** What is wrong with a value, in words that follow on the option's name. */
export class ValueMistake extends Error {}

const trueWords = ['true', '1', 'on', 'yes'];
const falseWords = ['false', '0', 'off', 'no'];

/**
 * Reads a value as oslo.config's type of the same name does.
 * @throws ValueMistake
 */
export function convert(type: OptionType, text: string): OptionValue {
  switch (type.kind) {
    case 'string':
      return choice(text, type.choices, type.ignoreCase === true);
    case 'boolean': {
      const word = text.toLowerCase();
      if (trueWords.includes(word)) return true;
      if (falseWords.includes(word)) return false;
      throw new ValueMistake(`"${text}" is no boolean: write true or false (1/0, on/off and yes/no are taken too)`);
    }
    case 'integer':
      return number(text, /^[+-]?\d+(_\d+)*$/, 'whole number', type);
    case 'port':
      return number(text, /^[+-]?\d+(_\d+)*$/, 'port number', { min: 0, max: 65535 });
    case 'float':
      return number(text, /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i, 'number', type);
    case 'ip':
      if (isIP(text) !== 0 && !text.includes('%')) return text;
      throw new ValueMistake(
        `"${text}" is no IPv4 or IPv6 address (a prefix length, a name or a port does not belong here)`,
      );
    case 'list':
      return joining(listBody(text), (part) => convert(type.item ?? { kind: 'string' }, strip(part)));
    case 'dict':
      return dictionary(text, type.value ?? { kind: 'string' });
    case 'multi':
      return [convert(type.item, text)];
  }
}

function choice(text: string, choices: readonly string[] | undefined, ignoreCase: boolean): string {
  if (choices === undefined) return text;
  const wanted = ignoreCase ? text.toLowerCase() : text;
  if (choices.some((one) => (ignoreCase ? one.toLowerCase() : one) === wanted)) return text;
  throw new ValueMistake(`"${text}" is none of ${choices.join(', ')}`);
}

/** Blank text is null, as it is for oslo.config. */
function number(
  text: string,
  form: RegExp,
  noun: string,
  bounds: { readonly min?: number; readonly max?: number; readonly choices?: readonly number[] },
): number | null {
  const digits = strip(text);
  if (digits === '') return null;
  if (!form.test(digits)) throw new ValueMistake(`"${text}" is no ${noun}`);
  const value = Number(digits.replaceAll('_', ''));
  if (bounds.choices !== undefined) {
    if (!bounds.choices.includes(value)) throw new ValueMistake(`${value} is none of ${bounds.choices.join(', ')}`);
    return value;
  }
  if (bounds.min !== undefined && value < bounds.min) throw new ValueMistake(`${value} is below ${bounds.min}`);
  if (bounds.max !== undefined && value > bounds.max) throw new ValueMistake(`${value} is above ${bounds.max}`);
  return value;
}

const listBody = (text: string): string => strip(text).replace(/,+$/, '');

/** Reads comma-separated parts; a part that is wrong takes the following ones to itself until it is right. */
function joining<T>(body: string, read: (part: string) => T): T[] {
  const parts = body === '' ? [] : body.split(',');
  const values: T[] = [];
  for (let from = 0; from < parts.length; ) {
    let to = from + 1;
    for (;;) {
      try {
        values.push(read(parts.slice(from, to).join(',')));
        break;
      } catch (mistake) {
        if (to >= parts.length) throw mistake;
        to += 1;
      }
    }
    from = to;
  }
  return values;
}

function dictionary(text: string, valueType: OptionType): Readonly<Record<string, OptionValue>> {
  const pairs = new Map<string, OptionValue>();
  const read = joining(strip(text), (part): [string, OptionValue] => {
    const colon = part.indexOf(':');
    if (colon < 0) throw new ValueMistake(`"${strip(part)}" has no colon: write key:value, divided by commas`);
    return [strip(part.slice(0, colon)), convert(valueType, strip(part.slice(colon + 1)))];
  });
  for (const [key, value] of read) {
    if (key === '') throw new ValueMistake(`there is nothing before a colon in "${text}"`);
    if (pairs.has(key)) throw new ValueMistake(`"${key}" is given twice in "${text}"`);
    pairs.set(key, value);
  }
  return Object.fromEntries(pairs);
}
