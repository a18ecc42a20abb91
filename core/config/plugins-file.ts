import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PatchbayError } from '@patchbay/sdk';
import type { PluginEntry } from '../kernel/config/model';
import { readYaml } from '../kernel/config/yaml';
import { ConfigError } from './errors';
import { asPatchbayError, type OptionValues } from './values';

export interface MergedPlugins {
  readonly plugins: readonly PluginEntry[];
  /** Of the options that the file gives. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly problems: readonly PatchbayError[];
}

/**
 * Has the `plugins:` of the YAML file that `[patchbay] plugins_file` names edit the list, in the words of patchbay.yaml.
 * What it gives outweighs the ini, for it was written for us.
 */
export function mergePluginsFile(values: OptionValues, selected: readonly PluginEntry[]): MergedPlugins {
  const set = values.get('patchbay', 'plugins_file');
  if (set === undefined) return { plugins: selected, provenance: {}, problems: [] };
  const path = resolve(set.file === null ? '.' : dirname(set.file), String(set.value));
  const refuse = (...problems: PatchbayError[]) => ({ plugins: selected, provenance: {}, problems });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const problem = `[patchbay] plugins_file: ${String((cause as Error).message)} (a relative path starts at the ini file)`;
    return refuse(ConfigError.pluginsFile({ where: set.where, problem }, cause));
  }
  try {
    const names = selected.map((entry) => entry.name);
    const { plugins, provenance } = readYaml(text, path, { standalone: names, neutron: names });
    const foreign = Object.entries(provenance).find(([place]) => place.startsWith('settings.'));
    if (foreign !== undefined) {
      const [place, where] = foreign;
      const problem = `${place} has no place in a plugins_file: the settings of the agent are in the ini`;
      return refuse(ConfigError.pluginsFile({ where, problem }));
    }
    const before = new Map(selected.map((entry) => [entry.name, entry]));
    return {
      plugins: plugins.map((entry) =>
        entry.from === 'stock list' ? (before.get(entry.name) ?? entry) : { ...entry, directory: dirname(path) },
      ),
      provenance,
      problems: [],
    };
  } catch (problem) {
    return refuse(asPatchbayError(problem));
  }
}
