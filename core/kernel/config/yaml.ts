import { z } from 'zod';
import { isPlainObject } from '../plain';
import type { Configuration, PluginEntry } from './model';
import { AgentSettingsSchema } from './settings';
import { type Path, YamlFile } from './yaml-reader';

/** Names of the plugins that come first on a list that says nothing else, by control plane. */
export type StockLists = Readonly<Record<'standalone' | 'neutron', readonly string[]>>;

const Options = z.record(z.string(), z.unknown()).nullable().optional();
const Name = z.string().min(1, 'is empty');
const Isolation = z.enum(['main', 'worker']).optional();
const Removal = z.strictObject({ remove: Name });
const Replacement = z.strictObject({
  replace: Name,
  with: Name,
  options: Options,
  required: z.boolean().optional(),
  isolation: Isolation,
});
const Named = z.strictObject({ name: Name, options: Options, required: z.boolean().optional(), isolation: Isolation });
const TopLevel = z.strictObject({
  agent: z.record(z.string(), z.unknown()).nullable().default({}),
  control_plane: z.enum(['standalone', 'neutron']).default('standalone'),
  stock: z.boolean().default(true),
  plugins: z.array(z.unknown()).nullable().default([]),
});

/** The plugin list, edited line by line. An option is known by the line that set it. */
class PluginList {
  private entries: PluginEntry[];
  readonly provenance: Record<string, string> = {};

  constructor(
    private readonly file: YamlFile,
    stock: readonly string[],
  ) {
    this.entries = stock.map((name) => ({ name, options: {}, from: 'stock list' }));
  }

  list(): readonly PluginEntry[] {
    return this.entries;
  }

  /** Adds a plugin, or adds options to one that is there. */
  put(entry: Omit<PluginEntry, 'from'>, path: Path, optionsPath: Path): void {
    const from = this.file.line(path);
    for (const option of Object.keys(entry.options)) {
      this.provenance[`plugins.${entry.name}.${option}`] = this.file.line([...optionsPath, option]);
    }
    const place = this.entries.findIndex(({ name }) => name === entry.name);
    const earlier = this.entries[place];
    if (earlier === undefined) this.entries.push({ ...entry, from });
    else this.entries[place] = { ...earlier, ...entry, options: { ...earlier.options, ...entry.options }, from };
  }

  remove(name: string, path: Path): void {
    this.mustHave(name, path);
    this.entries = this.entries.filter((entry) => entry.name !== name);
  }

  replace(name: string, entry: Omit<PluginEntry, 'from'>, path: Path): void {
    this.mustHave(name, path);
    const from = this.file.line(path);
    this.entries = this.entries.map((present) => (present.name === name ? { ...entry, from } : present));
    this.put(entry, path, [...path, 'options']);
  }

  private mustHave(name: string, path: Path): void {
    if (this.entries.some((entry) => entry.name === name)) return;
    const names = this.entries.map((entry) => entry.name).join(', ');
    this.file.refuse(path, `${name} is not on the plugin list; on it are ${names || 'none'}`);
  }
}

/** Reads patchbay.yaml. Every mistake is refused with file, line and column. */
export function readYaml(text: string, file: string, stockLists: StockLists): Configuration {
  const yaml = new YamlFile(text, file);
  const top = yaml.checked(TopLevel, yaml.value, []);
  const given = top.agent ?? {};
  if ('accept_missing' in given)
    yaml.refuse(
      ['agent', 'accept_missing'],
      'accept_missing is for ini files, whose options may need a plugin that is not there; here the plugin list says what there is: take the line away',
    );
  const settings = yaml.checked(AgentSettingsSchema, given, ['agent']);
  const list = new PluginList(yaml, top.stock ? stockLists[top.control_plane] : []);
  (top.plugins ?? []).forEach((item, index) => {
    edit(yaml, list, item, ['plugins', index]);
  });
  const provenance = { ...settingsProvenance(yaml, given, ['agent'], 'settings'), ...list.provenance };
  return { settings: { ...settings, accept_missing: [] }, plugins: list.list(), provenance, warnings: [] };
}

/** One item of the list: `heartbeat`, `tunnels: {…}`, `remove: …`, `replace: … with: …`, or `name: … options: …`. */
function edit(yaml: YamlFile, list: PluginList, item: unknown, path: Path): void {
  if (typeof item === 'string') {
    list.put({ name: item, options: {} }, path, path);
  } else if (!isPlainObject(item)) {
    yaml.refuse(path, 'an item of the plugin list is a name, a name with its options, or says remove or replace');
  } else if ('remove' in item) {
    list.remove(yaml.checked(Removal, item, path).remove, path);
  } else if ('replace' in item) {
    const { replace, with: name, ...rest } = yaml.checked(Replacement, item, path);
    list.replace(replace, entryOf(name, rest), path);
  } else if ('name' in item) {
    const { name, ...rest } = yaml.checked(Named, item, path);
    list.put(entryOf(name, rest), path, [...path, 'options']);
  } else {
    const names = Object.keys(item);
    const [name] = names;
    if (name === undefined || names.length > 1) {
      yaml.refuse(
        path,
        `one item configures one plugin, and this one names ${names.join(', ') || 'none'}; mind the dashes and the indentation`,
      );
    }
    const options = yaml.checked(Options, item[name], [...path, name]);
    list.put(entryOf(name, { options }), path, [...path, name]);
  }
}

function entryOf(
  name: string,
  { options, required, isolation }: Pick<z.infer<typeof Named>, 'options' | 'required' | 'isolation'>,
): Omit<PluginEntry, 'from'> {
  return {
    name,
    options: options ?? {},
    ...(required === undefined ? {} : { required }),
    ...(isolation === undefined ? {} : { isolation }),
  };
}

function settingsProvenance(
  yaml: YamlFile,
  given: Readonly<Record<string, unknown>>,
  path: Path,
  prefix: string,
): Record<string, string> {
  const places = Object.entries(given).map(([key, value]): Record<string, string> => {
    const here = [...path, key];
    return isPlainObject(value) && key === 'logging'
      ? settingsProvenance(yaml, value, here, `${prefix}.${key}`)
      : { [`${prefix}.${key}`]: yaml.line(here) };
  });
  return Object.assign({}, ...places);
}
