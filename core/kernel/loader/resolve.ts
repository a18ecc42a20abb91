import { type Manifest, manifestOf, type PluginClass } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import { packetCeiling } from '../packet-ins';
import type { FormerModule } from '../roster';
import { type LeftOut, leftOut } from './left-out';
import { type DescribeModule, type FoundPlugin, findPlugins, type LoadModule } from './modules';
import { type Resolution, resolvePlan } from './plan';

/** A plugin list, and where what it names is found. */
export interface PluginListing {
  readonly plugins: readonly PluginEntry[];
  /** Id → class, of the plugins that come with the agent. */
  readonly stock: ReadonlyMap<string, PluginClass>;
  readonly stockVersion: string;
  /** Packets a second that any one plugin may ask for. */
  readonly packetInCeiling: number;
  /** Relative paths start here: where the configuration file is. */
  readonly configDir: string;
  /** Directories that packages are looked for from. Default: the working directory and `configDir`. */
  readonly packageDirs?: readonly string[];
  readonly load?: LoadModule;
  readonly describe?: DescribeModule;
  /** Modules of plugins in workers, as an earlier run found them. */
  readonly former?: readonly FormerModule[];
}

/** Finds every plugin of the list and decides their order. Loads modules; constructs nothing. */
export async function resolveListing(listing: PluginListing): Promise<Resolution> {
  const { plugins, stock, configDir, packetInCeiling, former = [] } = listing;
  const found: FoundPlugin[] = [];
  const without: LeftOut[] = [];
  const where = { ...listing, packageDirs: listing.packageDirs ?? [process.cwd(), configDir] };
  for (const entry of plugins) {
    try {
      found.push(...(await findPlugins(entry, where)));
    } catch (thrown) {
      const left = leftOut(entry, thrown, former);
      if (left === undefined) throw thrown;
      without.push(left);
    }
  }
  return { ...resolvePlan(found, stockManifests(stock), packetCeiling(packetInCeiling)), leftOut: without };
}

export function stockManifests(stock: ReadonlyMap<string, PluginClass>): readonly Manifest[] {
  return [...stock.values()].flatMap((plugin) => manifestOf(plugin) ?? []);
}
