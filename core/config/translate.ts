import type { PatchbayError } from '@patchbay/sdk';
import type { z } from 'zod';
import type { Configuration } from '../kernel/config/model';
import { bridgeMappings, inconsistencies } from './consistency';
import { iniOptions } from './options';
import { type ConfigSource, findConfigFiles, type IniFile, OsloReader, readConfigFiles } from './oslo';
import { pluginOptionProblems } from './plugin-options';
import { mergePluginsFile } from './plugins-file';
import { selectPlugins } from './select';
import { place } from './settings';
import { misplacedOptions } from './unknown-options';
import { asPatchbayError, OptionValues, type SetOption } from './values';

/** The options that oslo.log takes on the command line. */
export type CommandLineOptions = Readonly<
  Partial<Record<'log_dir' | 'log_file' | 'debug' | 'use_syslog' | 'use_journal' | 'use_json', string | boolean>>
>;

export interface IniInput {
  /** `--config-file`, in their order. */
  readonly configFiles?: readonly string[];
  /** `--config-dir`, in their order; they are read after the files. */
  readonly configDirs?: readonly string[];
  /** Both as they were mixed on the command line, which is the order oslo.config reads them in; takes the place of the two above. */
  readonly sources?: readonly ConfigSource[];
  readonly commandLine?: CommandLineOptions;
  /** `--accept-missing`: options and extensions by name. */
  readonly acceptMissing?: readonly string[];
  /** Ids of the plugins that are on hand. */
  readonly available: Iterable<string>;
  /** The schemas of plugins' options by id: with them, options are checked here, where their places are known. */
  readonly schemas?: Readonly<Record<string, z.ZodType>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly hostname?: string;
}

export interface Examination {
  /** What the agent would run on; undefined if files could not be read. With problems, it is what is left of it. */
  readonly configuration: Configuration | undefined;
  /** Each stops the start. */
  readonly problems: readonly PatchbayError[];
  /** Options that nobody knows here, with the likely mistake; they stop nothing. */
  readonly unknown: readonly string[];
}

/** Reads the files and collects all that is wrong with them, without stopping at the first. */
export function examineIni(input: IniInput): Examination {
  const environment = input.environment ?? process.env;
  let files: readonly IniFile[];
  try {
    const sources = input.sources ?? [
      ...(input.configFiles ?? []).map((path) => ({ kind: 'file', path }) as const),
      ...(input.configDirs ?? []).map((path) => ({ kind: 'directory', path }) as const),
    ];
    files = readConfigFiles(
      findConfigFiles({ sources, project: 'neutron', program: 'neutron-openvswitch-agent', environment }),
    );
  } catch (problem) {
    return { configuration: undefined, problems: [asPatchbayError(problem)], unknown: [] };
  }
  const values = new OptionValues(
    new OsloReader({ files, options: iniOptions, environment, commandLine: asTexts(input.commandLine ?? {}) }),
  );
  const { configuration, problems } = translate(values, input);
  const found = [...values.problems, ...problems];
  const places = new Set(found.map((problem) => problem.fields.where));
  const refusedByPlugins = pluginOptionProblems(configuration, input.schemas ?? {}).filter(
    (problem) => !places.has(problem.fields.where),
  );
  return { configuration, problems: [...found, ...refusedByPlugins], unknown: misplacedOptions(files) };
}

function translate(
  values: OptionValues,
  input: IniInput,
): { readonly configuration: Configuration; readonly problems: readonly PatchbayError[] } {
  const available = new Set(input.available);
  const acceptMissing = [...new Set([...(input.acceptMissing ?? []), ...values.texts('patchbay', 'accept_missing')])];
  const selection = selectPlugins(values, available, acceptMissing);
  const merged = mergePluginsFile(values, selection.plugins);
  const names = new Set(merged.plugins.map((entry) => entry.name));
  const placed = place(values, input.hostname, names);
  const mappings = bridgeMappings(values);
  const computed = new Map<string, Readonly<Record<string, unknown>>>();
  const provenance: Record<string, string> = { ...placed.provenance };
  const mapped = values.get('ovs', 'bridge_mappings');
  if (mapped !== undefined) {
    computed.set('bridge-mappings', { bridge_mappings: mappings.bridges });
    computed.set('heartbeat', { resource_provider_bridges: Object.values(mappings.bridges) });
    provenance['plugins.heartbeat.resource_provider_bridges'] = mapped.where;
  }
  if (values.get('agent', 'extensions') !== undefined) {
    computed.set('heartbeat', { ...computed.get('heartbeat'), extensions: selection.extensions });
  }
  const plugins = merged.plugins.map((entry) => ({
    ...entry,
    options: { ...placed.options.get(entry.name), ...computed.get(entry.name), ...entry.options },
  }));
  for (const entry of merged.plugins) {
    if (entry.from !== 'stock list') provenance[`plugins.${entry.name}`] = entry.from;
  }
  Object.assign(provenance, merged.provenance);
  if ((input.acceptMissing ?? []).length > 0) provenance['settings.accept_missing'] = 'command line';
  return {
    configuration: {
      settings: { ...placed.settings, accept_missing: acceptMissing },
      plugins,
      provenance,
      warnings: [...effectless(values, names), ...goneWithout(selection.without)],
    },
    problems: [
      ...selection.problems,
      ...mappings.problems,
      ...inconsistencies(values, mappings.bridges),
      ...placed.problems,
      ...merged.problems,
    ],
  };
}

/** One warning for all options that are set and mean nothing here. */
function effectless(values: OptionValues, plugins: ReadonlySet<string>): readonly string[] {
  const hasEffect = ({ option: { verdict } }: SetOption): boolean =>
    verdict.kind === 'refused' ||
    (verdict.kind === 'honoured' &&
      (verdict.becomes.length === 0 ||
        verdict.becomes.some((target) => target.startsWith('settings.') || plugins.has(target.split('.')[0] ?? ''))));
  const named = values.all
    .filter((set) => !hasEffect(set))
    .map(({ option, where }) => `[${option.section}] ${option.name} (${where})`);
  if (named.length === 0) return [];
  return [`set, and of no meaning here: ${named.join(', ')}; docs/options.md says why`];
}

function goneWithout(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`missing here, and accepted to be: ${names.join(', ')}`];
}

function asTexts(options: CommandLineOptions): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
}
