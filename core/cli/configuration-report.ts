import { manifestOf, PatchbayError } from '@patchbay/sdk';
import type { z } from 'zod';
import type { LoadedConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import { configReport } from '../host/render';
import type { ConfigReport } from '../host/reports';
import type { Configuration, PluginEntry } from '../kernel/config/model';
import { KernelError } from '../kernel/errors';
import { withAbsolutePaths } from '../kernel/loader/option-paths';
import type { Resolution } from '../kernel/loader/plan';
import { parsedConfig } from '../kernel/loader/plugin-config';
import { resolveListing } from '../kernel/loader/resolve';
import { tokensWithoutProvider } from '../kernel/loader/tokens';
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
  const list = configuration === undefined ? NO_LIST : await checkedList(configuration, directory, stock);
  const refused = [
    ...problems.map((problem) => problem.message),
    ...entries.flatMap((entry) => refusedOptions(entry, stock)),
    ...list.refused,
  ];
  const lines = [
    ...refused.map((message) => `refused: ${message}`),
    ...unknown.map((message) => `unknown: ${message}`),
    ...[...(configuration?.warnings ?? []), ...list.warnings].map((message) => `warning: ${message}`),
    ...entries.flatMap((entry) => replacedLine(entry, list.standIns)),
  ];
  const good = entries.filter(({ name }) => !list.standIns.has(name) && !list.degraded.has(name));
  if (refused.length === 0) lines.push(`good: ${good.map(({ name }) => name).join(', ')}`);
  return { lines, isGood: refused.length === 0 };
}

/** What a start would make of the plugin list. */
interface CheckedList {
  /** What keeps the list from being loaded, or options that a plugin refuses which is not stock. */
  readonly refused: readonly string[];
  /** What the agent would go on without. */
  readonly warnings: readonly string[];
  /** Entries that stand for a plugin which a start would degrade. */
  readonly degraded: ReadonlySet<string>;
  /** Replaced id → the id that takes its place. */
  readonly standIns: ReadonlyMap<string, string>;
}

const NO_LIST: CheckedList = { refused: [], warnings: [], degraded: new Set(), standIns: new Map() };

function replacedLine(entry: PluginEntry, standIns: ReadonlyMap<string, string>): readonly string[] {
  const by = standIns.get(entry.name);
  if (by === undefined) return [];
  const options = Object.keys(entry.options).length === 0 ? '' : '; its options have no effect';
  return [`replaced: ${entry.name} (${entry.from}) is replaced by ${by}${options}`];
}

async function checkedList(
  { plugins, settings }: Configuration,
  configDir: string,
  stock: Stock,
): Promise<CheckedList> {
  const listing = {
    plugins,
    configDir,
    stock: new Map(Object.entries(stock.plugins)),
    stockVersion: VERSION,
    packetInCeiling: settings.packet_in_ceiling,
  };
  try {
    return listOf(await resolveListing(listing));
  } catch (thrown) {
    if (thrown instanceof PatchbayError) return { ...NO_LIST, refused: [thrown.message] };
    throw thrown;
  }
}

function listOf(resolution: Resolution): CheckedList {
  const { ordered, leftOut, unmet, standIns, warnings } = resolution;
  const options = ordered.flatMap(({ origin, config }) => (origin === 'stock' || config.ok ? [] : config.errors));
  const isGreedy = ({ code }: PatchbayError): boolean => code === KernelError.definitions.packetInsRefused.code;
  const greedy = [...unmet.values()].filter(isGreedy);
  const tokens = tokensWithoutProvider(resolution).filter(({ found }) => !unmet.has(found.manifest.id));
  const fatal = tokens.filter(({ found }) => found.manifest.onFailure === 'abort').map(({ error }) => error);
  const unprovided = tokens.filter(({ found }) => found.manifest.onFailure === 'degrade').map(({ error }) => error);
  const lacking = [...[...unmet.values()].filter((error) => !isGreedy(error)), ...unprovided];
  const without = new Set([...unmet.keys(), ...tokens.map(({ found }) => found.manifest.id)]);
  return {
    refused: [...leftOut.map(({ error }) => error), ...greedy, ...options, ...fatal].map(({ message }) => message),
    warnings: [...warnings, ...lacking.map(({ message }) => `${message}; the agent goes on without it`)],
    degraded: new Set(ordered.flatMap(({ manifest, entry }) => (without.has(manifest.id) ? [entry.name] : []))),
    standIns,
  };
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
