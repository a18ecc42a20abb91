import { OsloConfigError } from './errors';
import { type IniFile, normalizeSection } from './parse';
import { substitute } from './substitute';
import { convert, type OptionType, type OptionValue, ValueMistake } from './types';

/** An option as its program registers it. */
export interface OptionDeclaration {
  readonly section: string;
  readonly name: string;
  readonly type: OptionType;
  /** As it would be written in a file; null is none. */
  readonly default: string | null;
  /** Older names, in the order they are looked for; what is left out is as now. */
  readonly deprecated?: readonly { readonly section?: string; readonly name?: string }[];
}

export type Origin =
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly line: number;
      readonly section: string;
      readonly key: string;
    }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'command line' }
  | { readonly kind: 'default' };

export interface EffectiveValue {
  readonly value: OptionValue;
  readonly origin: Origin;
}

export interface ReaderInput {
  /** In the order they were read: a later one outweighs an earlier one. */
  readonly files: readonly IniFile[];
  readonly options: readonly OptionDeclaration[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Text by option name, for options of [DEFAULT]; outweighs everything. */
  readonly commandLine?: Readonly<Record<string, string>>;
}

interface Raw {
  readonly texts: readonly string[];
  readonly origin: Origin;
}

const identify = (section: string, name: string): string => `${normalizeSection(section)}.${name}`;

export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'environment':
      return `environment ${origin.variable}`;
    default:
      return origin.kind;
  }
}

/**
 * Values as oslo.config gives them: command line, then the environment's OS_<SECTION>__<OPTION>, then files from the last to the
 * first, then the default. Within a file a current name outweighs an older one, and of a repeated key the last counts.
 */
export class OsloReader {
  private readonly declared: ReadonlyMap<string, OptionDeclaration>;
  private readonly renamed: ReadonlyMap<string, OptionDeclaration>;
  private readonly assigned: readonly ReadonlyMap<string, Raw>[];

  constructor(private readonly input: ReaderInput) {
    this.declared = new Map(input.options.map((option) => [identify(option.section, option.name), option]));
    this.renamed = new Map(
      input.options.flatMap((option) =>
        (option.deprecated ?? []).map(
          ({ section = option.section, name = option.name }) => [identify(section, name), option] as const,
        ),
      ),
    );
    this.assigned = input.files.map(index).reverse();
  }

  /**
   * The value of a declared option.
   * @throws OsloConfigError of kind `value` or `reference`
   */
  get(section: string, name: string): EffectiveValue {
    return this.effective(section, name, []);
  }

  private effective(section: string, name: string, within: readonly string[]): EffectiveValue {
    const identity = identify(section, name);
    const option = this.declared.get(identity);
    if (option === undefined) throw new RangeError(`[${section}] ${name} is not declared`);
    const raw = this.raw(option);
    if (raw === undefined) return { value: null, origin: { kind: 'default' } };
    if (within.includes(identity)) throw this.wrongReference(option, raw.origin, `$${name} refers to itself`);
    const counting = option.type.kind === 'multi' ? raw.texts : raw.texts.slice(-1);
    const texts = counting.map((text) =>
      substitute(text, (reference) =>
        this.referred(reference, option.section, option, raw.origin, [...within, identity]),
      ),
    );
    try {
      const value =
        option.type.kind === 'multi'
          ? texts.flatMap((text) => convert(option.type, text))
          : convert(option.type, texts.at(-1) ?? '');
      return { value, origin: raw.origin };
    } catch (mistake) {
      if (!(mistake instanceof ValueMistake)) throw mistake;
      const origin = describeOrigin(raw.origin);
      throw new OsloConfigError(`${origin}: [${option.section}] ${option.name}: ${mistake.message}`, {
        kind: 'value',
        section: option.section,
        option: option.name,
        origin,
      });
    }
  }

  private raw(option: OptionDeclaration): Raw | undefined {
    const typed = option.section === 'DEFAULT' ? this.input.commandLine?.[option.name] : undefined;
    if (typed !== undefined) return { texts: [typed], origin: { kind: 'command line' } };
    const variable = `OS_${option.section.toUpperCase()}__${option.name.toUpperCase()}`;
    const exported = this.input.environment?.[variable];
    if (exported !== undefined) return { texts: [exported], origin: { kind: 'environment', variable } };
    const written = this.written([option, ...(option.deprecated ?? [])], option);
    if (written !== undefined) return written;
    return option.default === null ? undefined : { texts: [option.default], origin: { kind: 'default' } };
  }

  private written(
    names: readonly { readonly section?: string; readonly name?: string }[],
    option: OptionDeclaration,
  ): Raw | undefined {
    let texts: readonly string[] = [];
    let origin: Origin | undefined;
    for (const file of this.assigned) {
      for (const { section = option.section, name = option.name } of names) {
        const found = file.get(identify(section, name));
        if (found === undefined) continue;
        if (option.type.kind !== 'multi') return found;
        texts = [...found.texts, ...texts];
        origin ??= found.origin;
      }
    }
    return origin === undefined ? undefined : { texts, origin };
  }

  /**
   * The text of `$name` for an option: its own section's, else [DEFAULT]'s; `$section.name` is looked for there. More is found than
   * by oslo.config: a section in any case, and what the files set and nobody declares, for Neutron declares more than we do.
   */
  private referred(
    reference: string,
    section: string,
    option: OptionDeclaration,
    origin: Origin,
    within: readonly string[],
  ): string {
    const dot = reference.indexOf('.');
    const candidates =
      dot < 0
        ? [
            { section, name: reference },
            { section: 'DEFAULT', name: reference },
          ]
        : [{ section: reference.slice(0, dot), name: reference.slice(dot + 1) }];
    for (const candidate of candidates) {
      const identity = identify(candidate.section, candidate.name);
      const declared = this.declared.get(identity) ?? this.renamed.get(identity);
      if (declared !== undefined) {
        return show(this.effective(declared.section, declared.name, within).value, declared.type);
      }
    }
    for (const candidate of candidates) {
      const identity = identify(candidate.section, candidate.name);
      for (const file of this.assigned) {
        const text = file.get(identity)?.texts.at(-1);
        if (text === undefined) continue;
        if (within.includes(identity)) throw this.wrongReference(option, origin, `$${reference} refers to itself`);
        return substitute(text, (next) =>
          this.referred(next, candidate.section, option, origin, [...within, identity]),
        );
      }
    }
    throw this.wrongReference(
      option,
      origin,
      `there is no option "${reference}" that $${reference} could stand for (write $$ for a dollar sign)`,
    );
  }

  private wrongReference(option: OptionDeclaration, from: Origin, message: string): OsloConfigError {
    const origin = describeOrigin(from);
    return new OsloConfigError(`${origin}: [${option.section}] ${option.name}: ${message}`, {
      kind: 'reference',
      section: option.section,
      option: option.name,
      origin,
    });
  }
}

/** The values of a file by section and key; `origin` is that of the last. */
function index(file: IniFile): ReadonlyMap<string, Raw> {
  const values = new Map<string, Raw>();
  for (const { section, key, value, line } of file.assignments) {
    const identity = identify(section, key);
    values.set(identity, {
      texts: [...(values.get(identity)?.texts ?? []), value],
      origin: { kind: 'file', file: file.file, line, section, key },
    });
  }
  return values;
}

/** As Python writes it. Lists and dictionaries are written as a file has them, which oslo.config does not. */
function show(value: OptionValue, type: OptionType): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return type.kind === 'float' && Number.isInteger(value) ? `${value}.0` : `${value}`;
  if (typeof value === 'string') return value;
  const text: OptionType = { kind: 'string' };
  if (Array.isArray(value)) return value.map((item) => show(item, text)).join(',');
  return Object.entries(value)
    .map(([key, item]) => `${key}:${show(item, text)}`)
    .join(',');
}
