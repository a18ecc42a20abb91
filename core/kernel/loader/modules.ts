import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Manifest, manifestOf, type PluginClass } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import { KernelError, reasonOf } from '../errors';
import { nearest } from '../nearest';
import { isPlainObject } from '../plain';
import { checkedManifest } from './manifest';

/** A plugin class found for an entry of the list. */
export interface FoundPlugin {
  readonly plugin: PluginClass;
  readonly manifest: Manifest;
  /** Null where it comes from a path with no package around it. */
  readonly version: string | null;
  readonly origin: 'stock' | 'package' | 'path';
  /** The module's absolute path; null where it comes with the agent. */
  readonly file: string | null;
  readonly entry: PluginEntry;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface FindOptions {
  /** Id → class, of the plugins that come with the agent. */
  readonly stock: ReadonlyMap<string, PluginClass>;
  readonly stockVersion: string;
  /** Directories that packages are looked for from, in this order; their node_modules are searched upwards. */
  readonly packageDirs: readonly string[];
  /** Relative paths start here: where the configuration file is. */
  readonly configDir: string;
  /** Loads a module by its absolute path: CommonJS or ESM. */
  readonly load?: (file: string) => Promise<unknown>;
}

/** Finds the classes that an entry of the plugin list stands for. A module may export one as default, or several by name. */
export async function findPlugins(entry: PluginEntry, options: FindOptions): Promise<readonly FoundPlugin[]> {
  const stock = options.stock.get(entry.name);
  if (stock !== undefined) {
    const manifest = checkedManifest(stock, 'stock');
    const own = { plugin: stock, manifest, version: options.stockVersion, origin: 'stock', file: null } as const;
    return [{ ...own, entry, options: entry.options }];
  }
  const origin = isPath(entry.name) ? 'path' : 'package';
  const file = origin === 'path' ? pathOf(entry, options) : packageFile(entry, options);
  const classes = pluginClasses(await loaded(entry, file, options));
  if (classes.length === 0) throw KernelError.notAPlugin({ name: entry.name, from: entry.from });
  const version = versionAbove(file);
  return classes.map((plugin) => {
    const manifest = checkedManifest(plugin, entry.from);
    const own = classes.length === 1 ? entry.options : optionsFor(manifest.id, entry);
    return { plugin, manifest, version, origin, file, entry, options: own };
  });
}

function isPath(name: string): boolean {
  return isAbsolute(name) || /^\.{1,2}\//.test(name) || /\.[cm]?js$/.test(name);
}

function pathOf(entry: PluginEntry, options: FindOptions): string {
  const file = resolve(options.configDir, entry.name);
  try {
    return createRequire(join(options.configDir, 'from')).resolve(file);
  } catch {
    const hint = `there is no module ${file}; a relative path starts at the configuration file's directory`;
    throw KernelError.pluginNotFound({ name: entry.name, from: entry.from, hint });
  }
}

function packageFile(entry: PluginEntry, options: FindOptions): string {
  for (const directory of options.packageDirs) {
    try {
      return createRequire(join(directory, 'from')).resolve(entry.name);
    } catch {
      // The next directory may have it.
    }
  }
  const close = nearest(entry.name, options.stock.keys());
  const looked = `it is no stock plugin, and no package of that name was found from ${options.packageDirs.join(', ')}`;
  const hint = close === undefined ? looked : `did you mean ${close}? ${looked}`;
  throw KernelError.pluginNotFound({ name: entry.name, from: entry.from, hint });
}

async function loaded(entry: PluginEntry, file: string, options: FindOptions): Promise<unknown> {
  try {
    return await (options.load ?? ((path: string) => import(path)))(file);
  } catch (thrown) {
    const hint = `loading ${file} failed: ${reasonOf(thrown)}`;
    throw KernelError.pluginNotFound({ name: entry.name, from: entry.from, hint }, thrown);
  }
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

function versionAbove(file: string): string | null {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    try {
      const described: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
      if (isPlainObject(described) && typeof described.version === 'string') return described.version;
    } catch {
      // No package.json here, or none that can be read.
    }
    if (directory === dirname(directory)) return null;
  }
}
