import { manifestOf, PatchbayError } from '@patchbay/sdk';
import type { z } from 'zod';
import type { LoadedConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import { configReport } from '../host/render';
import type { ConfigReport } from '../host/reports';
import type { Configuration, PluginEntry } from '../kernel/config/model';
import { KernelError } from '../kernel/errors';
import { withAbsolutePaths } from '../kernel/loader/option-paths';
import { parsedConfig } from '../kernel/loader/plugin-config';
import { resolveListing } from '../kernel/loader/resolve';
import { VERSION } from '../version';

/** The configuration's effective values, without passwords. Throws its first problem where it cannot be read. */
export function showConfigured({ configuration, problems }: LoadedConfiguration, stock: Stock): ConfigReport {
  if (configuration === undefined) throw problems[0];
  const { values, warnings } = configReport(configuration, schemasOf(stock));
  return { values, warnings: [...warnings, ...problems.map((problem) => problem.message)] };
}

/** Everything that is wrong with a configuration, a line each. Modules of plugins are loaded, as a start would; nothing of them is started. */
export async function checkConfiguration(
  { configuration, problems, unknown, directory }: LoadedConfiguration,
  stock: Stock,
): Promise<{ readonly lines: readonly string[]; readonly isGood: boolean }> {
  const entries = (configuration?.plugins ?? []).map((entry) => ({ directory, ...entry }));
  const refused = [
    ...problems.map((problem) => problem.message),
    ...entries.flatMap((entry) => refusedOptions(entry, stock)),
    ...(configuration === undefined ? [] : await refusedPlugins(configuration, directory, stock)),
  ];
  const lines = [
    ...refused.map((message) => `refused: ${message}`),
    ...unknown.map((message) => `unknown: ${message}`),
    ...(configuration?.warnings ?? []).map((message) => `warning: ${message}`),
  ];
  if (refused.length === 0) lines.push(`good: ${configuration?.plugins.map((entry) => entry.name).join(', ')}`);
  return { lines, isGood: refused.length === 0 };
}

/** What keeps the list from being loaded, or options that a plugin refuses which is not stock. */
async function refusedPlugins(
  { plugins, settings }: Configuration,
  configDir: string,
  stock: Stock,
): Promise<readonly string[]> {
  const listing = {
    plugins,
    configDir,
    stock: new Map(Object.entries(stock.plugins)),
    stockVersion: VERSION,
    packetInCeiling: settings.packet_in_ceiling,
  };
  try {
    const { ordered, leftOut, unmet } = await resolveListing(listing);
    const options = ordered.flatMap(({ origin, config }) => (origin === 'stock' || config.ok ? [] : config.errors));
    const greedy = [...unmet.values()].filter(({ code }) => code === KernelError.definitions.packetInsRefused.code);
    return [...leftOut.map(({ error }) => error), ...greedy, ...options].map((error) => error.message);
  } catch (thrown) {
    if (thrown instanceof PatchbayError) return [thrown.message];
    throw thrown;
  }
}

/** What a stock plugin refuses of its options, and of the files that they name. Other packages' are checked when they are loaded. */
function refusedOptions({ name, options, from, directory }: PluginEntry, stock: Stock): readonly string[] {
  const plugin = stock.plugins[name];
  const manifest = plugin === undefined ? undefined : manifestOf(plugin);
  if (manifest?.config === undefined) return [];
  const parsed = parsedConfig({ manifest, options: withAbsolutePaths(options, manifest, directory), from });
  if (!parsed.ok) return parsed.errors.map(({ message }) => message);
  return (manifest.examine?.(parsed.config) ?? []).map((problem) => `${name} (${from}): ${problem}`);
}

function schemasOf(stock: Stock): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(
    Object.entries(stock.plugins).flatMap(([id, plugin]) => {
      const schema = manifestOf(plugin)?.config;
      return schema === undefined ? [] : [[id, schema] as const];
    }),
  );
}
