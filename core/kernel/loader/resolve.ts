import { type Manifest, manifestOf, type PluginClass } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import { type FoundPlugin, findPlugins } from './modules';
import { type Resolution, resolvePlan } from './plan';

/** A plugin list, and where what it names is found. */
export interface PluginListing {
  readonly plugins: readonly PluginEntry[];
  /** Id → class, of the plugins that come with the agent. */
  readonly stock: ReadonlyMap<string, PluginClass>;
  readonly stockVersion: string;
  /** Relative paths start here: where the configuration file is. */
  readonly configDir: string;
  /** Directories that packages are looked for from. Default: the working directory and `configDir`. */
  readonly packageDirs?: readonly string[];
  /** Loads a module by its absolute path. */
  readonly load?: (file: string) => Promise<unknown>;
}

/** Finds every plugin of the list and decides their order. Loads modules; constructs nothing. */
export async function resolveListing(listing: PluginListing): Promise<Resolution> {
  const { plugins, stock, stockVersion, configDir, packageDirs, load } = listing;
  const found: FoundPlugin[] = [];
  for (const entry of plugins) {
    const where = { stock, stockVersion, configDir, packageDirs: packageDirs ?? [process.cwd(), configDir] };
    found.push(...(await findPlugins(entry, load === undefined ? where : { ...where, load })));
  }
  return resolvePlan(found, stockManifests(stock));
}

export function stockManifests(stock: ReadonlyMap<string, PluginClass>): readonly Manifest[] {
  return [...stock.values()].flatMap((plugin) => manifestOf(plugin) ?? []);
}
