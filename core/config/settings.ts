import type { PatchbayError } from '@patchbay/sdk';
import type { AgentSettings, LoggingSettings } from '../kernel/config/model';
import { AgentSettingsSchema, defaultSettings } from '../kernel/config/settings';
import { ConfigError } from './errors';
import type { OptionValues, SetOption } from './values';

export interface Placed {
  readonly settings: AgentSettings;
  /** Options by plugin. */
  readonly options: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly provenance: Readonly<Record<string, string>>;
  /** Settings that are no setting's value: a target without its scheme, a path that is not absolute. */
  readonly problems: readonly PatchbayError[];
}

/** Puts every option that is set in its place, as the option table says. A list of plugins says which take any. */
export function place(values: OptionValues, hostname: string | undefined, plugins: ReadonlySet<string>): Placed {
  const defaults = { ...defaultSettings(), ...(hostname === undefined ? {} : { host: hostname }) };
  const settings: Record<string, unknown> = {};
  const logging: Record<string, unknown> = {};
  const options = new Map<string, Record<string, unknown>>();
  const provenance: Record<string, string> = {};
  const problems: PatchbayError[] = [];
  for (const set of values.all) {
    const { option, value, where } = set;
    if (option.verdict.kind !== 'honoured') continue;
    for (const target of option.verdict.becomes) {
      const [owner = '', name = '', inner] = target.split('.');
      if (owner === 'settings') {
        const read = inner === undefined ? readSetting(set, name) : undefined;
        if (inner !== undefined) logging[inner] = value;
        else if (read !== undefined && 'problem' in read) problems.push(read.problem);
        else settings[name] = read?.value;
        provenance[target] = where;
      } else if (plugins.has(owner)) {
        const own = options.get(owner) ?? {};
        own[name] = inner === undefined ? value : { ...(own[name] as object | undefined), [inner]: value };
        options.set(owner, own);
        provenance[`plugins.${target}`] = where;
      }
    }
  }
  const runDirectory = settings.ovs_run_dir;
  return {
    // Each value passed its own schema in AgentSettingsSchema.
    settings: {
      ...defaults,
      ...(runDirectory === undefined ? {} : { ovsdb_connection: `unix:${String(runDirectory)}/db.sock` }),
      ...(settings as Partial<AgentSettings>),
      logging: { ...defaults.logging, ...(logging as Partial<LoggingSettings>) },
    },
    options,
    provenance,
    problems,
  };
}

function readSetting(
  { option, value, where }: SetOption,
  name: string,
): { readonly value: unknown } | { readonly problem: PatchbayError } {
  const schema = Object.entries(AgentSettingsSchema.shape).find(([setting]) => setting === name)?.[1];
  const result = schema?.safeParse(value);
  if (result === undefined) return { value };
  if (result.success) return { value: result.data };
  const problem = result.error.issues.map((issue) => issue.message).join('; ');
  return { problem: ConfigError.value({ where, section: option.section, option: option.name, problem }) };
}
