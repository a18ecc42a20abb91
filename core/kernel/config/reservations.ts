import { LEARNED_COOKIE } from '@patchbay/sdk';
import { z } from 'zod';
import { nearest, suggestion } from '../nearest';
import { isPlainObject } from '../plain';

/** Cookies that agree with `value` in the bits of `mask`, which has all 64 for a whole cookie. */
export interface MaskedCookie {
  readonly value: bigint;
  readonly mask: bigint;
}

/** Places in which somebody else keeps flows under cookies that nobody can name beforehand. */
export interface ReservedFlows {
  /** `integration`, `tunnel`, `provider` (any of them), or a bridge by name. */
  readonly bridge: string;
  readonly tables: readonly number[];
  /** Lowest and highest, both included. Default: any. */
  readonly priorities?: readonly [number, number] | undefined;
}

export const BRIDGE_ROLES = ['integration', 'tunnel', 'provider'] as const;
const WHOLE = 0xffff_ffff_ffff_ffffn;
/** Bits in which every cookie of ours is alike. */
const OURS: MaskedCookie = { value: LEARNED_COOKIE & ~0xffff_ffffn, mask: WHOLE & ~0xffff_ffffn };
/** IFNAMSIZ less one. */
const LONGEST_NAME = 15;
/** Above it is OFPTT_ALL, which is no table. */
const LAST_TABLE = 254;
const HIGHEST_PRIORITY = 65535;

/** Reads `0x…` or `0x…/0x…`; undefined where it is neither. */
export function parseMaskedCookie(text: string): MaskedCookie | undefined {
  const [, value, mask] = /^(0x[0-9a-f]{1,16})(?:\/(0x[0-9a-f]{1,16}))?$/i.exec(text) ?? [];
  if (value === undefined) return undefined;
  return { value: BigInt(value), mask: mask === undefined ? WHOLE : BigInt(mask) };
}

export function isWithin(cookie: bigint, { value, mask }: MaskedCookie): boolean {
  return (cookie & mask) === value;
}

/** Whether it takes in a cookie of ours. */
export function takesOurs({ value, mask }: MaskedCookie): boolean {
  return ((value ^ OURS.value) & mask & OURS.mask) === 0n;
}

function cookieMistake(text: string): string | undefined {
  const cookie = parseMaskedCookie(text);
  if (cookie === undefined)
    return 'is no cookie, such as 0x1a2b, nor one with a mask, such as 0x5a00000000000000/0xff00000000000000';
  if ((cookie.value & ~cookie.mask) !== 0n) {
    return 'has bits that its mask leaves out, so no cookie is like it: a mask has ones where the cookie counts';
  }
  if (takesOurs(cookie))
    return "takes in Patchbay's own cookies, 0x50617463…: let the mask have more of the upper bits";
  return undefined;
}

export const ReservedCookie = z.string().check((context) => {
  const mistake = cookieMistake(context.value);
  if (mistake === undefined) return;
  context.issues.push({ code: 'custom', input: context.value, message: `"${context.value}" ${mistake}` });
});

const Bridge = z.string('is no bridge: write integration, tunnel, provider or a name').check((context) => {
  const mistake = bridgeMistake(context.value);
  if (mistake === undefined) return;
  context.issues.push({ code: 'custom', input: context.value, message: `"${context.value}" ${mistake}` });
});

function bridgeMistake(name: string): string | undefined {
  if ((BRIDGE_ROLES as readonly string[]).includes(name)) return undefined;
  // A word that is nearly a role is one that is misspelt: as a name it would reserve nothing, without a word.
  const role = /^[a-z]+$/i.test(name) ? nearest(name, BRIDGE_ROLES) : undefined;
  if (role !== undefined) return `is no bridge: did you mean ${role}?`;
  if (/^[^\s/]+$/.test(name) && name.length <= LONGEST_NAME) return undefined;
  return `is no bridge: write integration, tunnel, provider or a name of up to ${LONGEST_NAME} characters`;
}

const within = (noun: string, highest: number) => {
  const params = { error: ({ input }: { input?: unknown }) => `${String(input)} is no ${noun}: 0 to ${highest}` };
  return z.number(params).int(params).min(0, params).max(highest, params);
};

const TABLES_FORM = 'is no list of tables, such as [4, 20]';
const PRIORITIES_FORM = 'is no pair of the lowest and the highest priority, such as [0, 100]';

const Place = z.object(
  {
    bridge: Bridge,
    tables: z.array(within('table', LAST_TABLE), TABLES_FORM).min(1, 'is empty: name the tables'),
    priorities: z
      .tuple([within('priority', HIGHEST_PRIORITY), within('priority', HIGHEST_PRIORITY)], PRIORITIES_FORM)
      .refine(([lowest, highest]) => lowest <= highest, 'the lowest comes first')
      .optional(),
  },
  'is no place: write { bridge: tunnel, tables: [4, 20], priorities: [0, 100] }',
);

/** A place as an object, or in one word: `tunnel:4+20+21:0-100`, for files that have no objects. */
export const ReservedPlace = z.preprocess((given, context) => {
  if (typeof given !== 'string') {
    for (const key of isPlainObject(given) ? Object.keys(given) : []) {
      if (key in Place.shape) continue;
      const message = `unknown; ${suggestion(key, Object.keys(Place.shape))}`;
      context.issues.push({ code: 'custom', input: given, path: [key], message });
    }
    return given;
  }
  const [, bridge, tables = '', lowest, highest] = /^([^:]*):([\d+]+)(?::(\d+)-(\d+))?$/.exec(given) ?? [];
  if (bridge === undefined || !/^\d+(\+\d+)*$/.test(tables)) {
    const form = `"${given}" is no place: write bridge:tables or bridge:tables:priorities, such as tunnel:4+20+21:0-100`;
    context.issues.push({ code: 'custom', input: given, message: form });
    return z.NEVER;
  }
  const priorities = lowest === undefined ? {} : { priorities: [Number(lowest), Number(highest)] };
  return { bridge, tables: tables.split('+').map(Number), ...priorities };
}, Place);
