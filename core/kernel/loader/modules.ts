import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { PatchbayError, type PluginClass, reasonOf } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import { KernelError } from '../errors';
import { describeInWorker } from '../isolation/describe';
import { nearest } from '../nearest';
import { isPlainObject } from '../plain';
import { type DescribedPlugin, describedPlugin, describedPlugins } from './described';

/** A plugin found for an entry of the list. */
export interface FoundPlugin extends DescribedPlugin {
  /** Null where it comes from a path with no package around it. */
  readonly version: string | null;
  readonly origin: 'stock' | 'package' | 'path';
  /** The module's absolute path; null where it comes with the agent. */
  readonly file: string | null;
  readonly entry: PluginEntry;
}

/** Loads a module by its absolute path: CommonJS or ESM. */
export type LoadModule = (file: string) => Promise<unknown>;

/** Says what plugins a module has that is to run in a worker. */
export type DescribeModule = typeof describeInWorker;

export interface FindOptions {
  /** Id → class, of the plugins that come with the agent. */
  readonly stock: ReadonlyMap<string, PluginClass>;
  readonly stockVersion: string;
  /** Directories that packages are looked for from, in this order; their node_modules are searched upwards. */
  readonly packageDirs: readonly string[];
  /** Relative paths start here: where the configuration file is. */
  readonly configDir: string;
  readonly load?: LoadModule;
  readonly describe?: DescribeModule;
}

/** Finds the plugins that an entry of the list stands for. What is to run in a worker is loaded in one. */
export async function findPlugins(listed: PluginEntry, options: FindOptions): Promise<readonly FoundPlugin[]> {
  const entry = { directory: options.configDir, ...listed };
  const stock = options.stock.get(entry.name);
  if (stock !== undefined) {
    const own = { version: options.stockVersion, origin: 'stock', file: null, entry } as const;
    return [{ ...describedPlugin(stock, 'stock', entry), ...own }];
  }
  const origin = isPath(entry.name) ? 'path' : 'package';
  const file = origin === 'path' ? pathOf(entry, options) : packageFile(entry, options);
  const found =
    entry.isolation === 'worker' ? await described(entry, file, options) : await loaded(entry, file, options);
  const version = versionAbove(file);
  return found.map((one) => ({ ...one, version, origin, file, entry }));
}

function isPath(name: string): boolean {
  return isAbsolute(name) || /^\.{1,2}\//.test(name) || /\.[cm]?js$/.test(name);
}

function pathOf(entry: PluginEntry, options: FindOptions): string {
  const file = resolve(options.configDir, entry.name);
  try {
    return createRequire(join(options.configDir, 'from')).resolve(file);
  } catch {
    const hint = `there is no module ${file}: was it built? A relative path starts at the configuration file's directory`;
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

async function loaded(entry: PluginEntry, file: string, options: FindOptions): Promise<readonly DescribedPlugin[]> {
  let module: unknown;
  try {
    module = await (options.load ?? ((path: string) => import(path)))(file);
  } catch (thrown) {
    const hint = `loading ${file} failed: ${reasonOf(thrown)}`;
    throw KernelError.pluginNotFound({ name: entry.name, from: entry.from, hint }, thrown);
  }
  return describedPlugins(module, entry);
}

async function described(entry: PluginEntry, file: string, options: FindOptions): Promise<readonly DescribedPlugin[]> {
  try {
    return await (options.describe ?? describeInWorker)(file, entry);
  } catch (thrown) {
    if (thrown instanceof PatchbayError) throw thrown;
    throw KernelError.workerNotLoaded({ name: entry.name, from: entry.from, reason: reasonOf(thrown) }, thrown);
  }
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
