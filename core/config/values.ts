import { isDeepStrictEqual } from 'node:util';
import { PatchbayError } from '@patchbay/sdk';
import { ConfigError } from './errors';
import { type IniOption, iniOptions } from './options';
import {
  convert,
  describeOrigin,
  type EffectiveValue,
  type OptionValue,
  OsloConfigError,
  type OsloReader,
} from './oslo';

/** An option and what the files, environment and command line make of it. */
export interface SetOption {
  readonly option: IniOption;
  readonly value: OptionValue;
  /** `file:line`, `environment NAME` or `command line`. */
  readonly where: string;
  /** The file, where it is one. */
  readonly file: string | null;
}

/** Every option that somebody set, by section and name, with the problems of those whose value is wrong. */
export class OptionValues {
  private readonly byIdentity = new Map<string, SetOption>();
  readonly problems: PatchbayError[] = [];

  constructor(reader: OsloReader) {
    for (const option of iniOptions) {
      try {
        this.add(option, reader.get(option.section, option.name));
      } catch (problem) {
        this.problems.push(asPatchbayError(problem));
      }
    }
  }

  get all(): readonly SetOption[] {
    return [...this.byIdentity.values()];
  }

  /** Undefined if nobody set it: then our default holds. */
  get(section: string, name: string): SetOption | undefined {
    return this.byIdentity.get(`${section}.${name}`);
  }

  /** The value that the reference agent would work with: what is set, else its default. */
  isOn(section: string, name: string): boolean {
    const set = this.get(section, name);
    if (set !== undefined) return set.value === true;
    return iniOptions.find((option) => option.section === section && option.name === name)?.default === 'true';
  }

  texts(section: string, name: string): readonly string[] {
    const value = this.get(section, name)?.value;
    return Array.isArray(value) ? value.map(String).filter((item) => item !== '') : [];
  }

  private add(option: IniOption, { value, origin }: EffectiveValue): void {
    if (origin.kind === 'default' || value === null || value === '') return;
    const where = describeOrigin(origin);
    const mistake = option.verdict.kind === 'honoured' ? option.mistake?.(String(value)) : undefined;
    if (mistake !== undefined) {
      this.problems.push(ConfigError.value({ where, section: option.section, option: option.name, problem: mistake }));
      return;
    }
    const file = origin.kind === 'file' ? origin.file : null;
    this.byIdentity.set(`${option.section}.${option.name}`, { option, value, where, file });
  }
}

/** Whether a value differs from what the option would be if nobody set it. */
export function isAwayFromDefault({ option, value }: SetOption): boolean {
  if (option.mistake !== undefined) return option.mistake(String(value)) !== undefined;
  if (option.default === null) return true;
  return !isDeepStrictEqual(value, convert(option.type, option.default));
}

export function asPatchbayError(problem: unknown): PatchbayError {
  if (problem instanceof PatchbayError) return problem;
  if (!(problem instanceof OsloConfigError)) throw problem;
  const detail = problem.problem;
  switch (detail.kind) {
    case 'files':
      return ConfigError.unreadable({ problem: problem.message }, problem);
    case 'syntax':
      return ConfigError.syntax({ problem: problem.message }, problem);
    default: {
      const head = `${detail.origin}: [${detail.section}] ${detail.option}: `;
      return ConfigError.value(
        {
          where: detail.origin,
          section: detail.section,
          option: detail.option,
          problem: problem.message.startsWith(head) ? problem.message.slice(head.length) : problem.message,
        },
        problem,
      );
    }
  }
}
