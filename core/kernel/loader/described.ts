import { type Manifest, manifestOf, type PluginClass } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import { constructorTokens } from '../container';
import { KernelError } from '../errors';
import { isPlainObject } from '../plain';
import { checkedManifest } from './manifest';
import { withAbsolutePaths } from './option-paths';
import { type ParsedConfig, parsedConfig } from './plugin-config';

/** What is known of a plugin before any of its own code runs. */
export interface DescribedPlugin {
  /** Null where the class is in a thread of its own. */
  readonly plugin: PluginClass | null;
  readonly manifest: Manifest;
  /** The tokens that its constructor asks for, by position. */
  readonly tokens: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly config: ParsedConfig;
}

/** @throws PatchbayError where the manifest is refused. */
export function describedPlugin(
  plugin: PluginClass,
  from: string,
  entry: Pick<PluginEntry, 'from' | 'options' | 'directory'>,
): DescribedPlugin {
  const manifest = checkedManifest(plugin, from);
  const options = withAbsolutePaths(entry.options, manifest, entry.directory);
  return {
    plugin,
    manifest,
    tokens: constructorTokens(plugin),
    options,
    config: parsedConfig({ manifest, options, from: entry.from }),
  };
}

/** The plugins of a module, which may export one as default, or several by name. @throws PatchbayError where there is none. */
export function describedPlugins(module: unknown, entry: PluginEntry): readonly DescribedPlugin[] {
  const classes = pluginClasses(module);
  if (classes.length === 0) throw KernelError.notAPlugin({ name: entry.name, from: entry.from });
  return classes.map((plugin) => {
    const id = manifestOf(plugin)?.id ?? '';
    const options = classes.length === 1 ? entry.options : optionsFor(id, entry);
    return describedPlugin(plugin, entry.from, { ...entry, options });
  });
}

/** A default export counts alone; a CommonJS module seen through import() has it one level further in. */
export function pluginClasses(module: unknown): readonly PluginClass[] {
  if (isPluginClass(module)) return [module];
  if (typeof module !== 'object' || module === null) return [];
  const exported = new Map(Object.entries(module));
  const byDefault = exported.get('default');
  if (isPluginClass(byDefault)) return [byDefault];
  const named = [...new Set(exported.values())].filter(isPluginClass);
  if (named.length > 0) return named;
  return typeof byDefault === 'object' && byDefault !== null ? pluginClasses(byDefault) : [];
}

function isPluginClass(exported: unknown): exported is PluginClass {
  return typeof exported === 'function' && manifestOf(exported) !== undefined;
}

/** Where a module exports several plugins, the entry's options are given by plugin id. */
function optionsFor(id: string, entry: PluginEntry): Readonly<Record<string, unknown>> {
  const own = entry.options[id] ?? {};
  if (isPlainObject(own)) return own;
  throw KernelError.optionInvalid({ plugin: id, field: id, from: entry.from, problem: 'options are no map' });
}
