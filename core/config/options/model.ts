import type { OptionType } from '../oslo';

/** What becomes of an option of the reference agent's files. */
export type Verdict =
  /** `becomes` are places of the configuration: `settings.<name>`, or `<plugin>.<option>`, which takes effect where that plugin is on the list. */
  | { readonly kind: 'honoured'; readonly becomes: readonly string[]; readonly note?: string }
  /** What it tunes does not exist here: named in a warning if it is set. */
  | { readonly kind: 'meaningless'; readonly reason: string }
  /** Refused if set away from its default, for ignoring it would move traffic or break what the operator relies on; honoured once `provider` is on hand. */
  | {
      readonly kind: 'refused';
      readonly reason: string;
      readonly instead: string;
      readonly provider?: string;
      readonly isStock?: true;
    };

export interface IniOption {
  /** As oslo.config normalises it: lower case, but DEFAULT. */
  readonly section: string;
  readonly name: string;
  readonly type: OptionType;
  /** As a file would have it; null is none. */
  readonly default: string | null;
  readonly deprecated?: readonly { readonly section?: string; readonly name?: string }[];
  readonly verdict: Verdict;
  /** Says more than the type can: the mistake, or undefined. */
  readonly mistake?: (text: string) => string | undefined;
}

export const honoured = (becomes: string | readonly string[], note?: string): Verdict => ({
  kind: 'honoured',
  becomes: typeof becomes === 'string' ? [becomes] : becomes,
  ...(note === undefined ? {} : { note }),
});
export const meaningless = (reason: string): Verdict => ({ kind: 'meaningless', reason });
export const refused = (reason: string, instead: string, provider?: string): Verdict => ({
  kind: 'refused',
  reason,
  instead,
  ...(provider === undefined ? {} : { provider }),
});

/** Chooses a plugin that comes with the agent; refused where that is not on hand. */
export const chooses = (provider: string, reason: string, instead: string): Verdict => ({
  kind: 'refused',
  reason,
  instead,
  provider,
  isStock: true,
});

export const text: OptionType = { kind: 'string' };
export const flag: OptionType = { kind: 'boolean' };
export const whole: OptionType = { kind: 'integer' };
export const natural: OptionType = { kind: 'integer', min: 0 };
export const list: OptionType = { kind: 'list' };
export const dict: OptionType = { kind: 'dict' };

type Row = readonly [
  name: string,
  type: OptionType,
  byDefault: string | null,
  verdict: Verdict,
  more?: Pick<IniOption, 'deprecated' | 'mistake'>,
];

/** The options of one section. */
export const section = (name: string, rows: readonly Row[]): readonly IniOption[] =>
  rows.map(([option, type, byDefault, verdict, more]) => ({
    section: name,
    name: option,
    type,
    default: byDefault,
    verdict,
    ...more,
  }));
