import { manifestOf } from '@patchbay/sdk';
import type { z } from 'zod';
import { showConfiguration } from '../config';
import type { LoadedConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import type { ConfigReport } from '../host/reports';

/** The configuration's effective values, without passwords. Throws its first problem where it cannot be read. */
export function showConfigured({ configuration, problems }: LoadedConfiguration, stock: Stock): ConfigReport {
  if (configuration === undefined) throw problems[0];
  const values = showConfiguration(configuration, schemasOf(stock)).map(({ path, value, from }) => ({
    path,
    value: typeof value === 'string' ? value : JSON.stringify(value),
    from,
  }));
  return { values, warnings: [...configuration.warnings, ...problems.map((problem) => problem.message)] };
}

/** Everything that is wrong with a configuration, a line each. */
export function checkConfiguration(
  { configuration, problems, unknown }: LoadedConfiguration,
  stock: Stock,
): { readonly lines: readonly string[]; readonly isGood: boolean } {
  const refused = [...problems.map((problem) => problem.message), ...refusedOptions(configuration, stock)];
  const lines = [
    ...refused.map((message) => `refused: ${message}`),
    ...unknown.map((message) => `unknown: ${message}`),
    ...(configuration?.warnings ?? []).map((message) => `warning: ${message}`),
  ];
  if (refused.length === 0) lines.push(`good: ${configuration?.plugins.map((entry) => entry.name).join(', ')}`);
  return { lines, isGood: refused.length === 0 };
}

/** Options that a stock plugin's own schema refuses. Those of other packages are checked when they are loaded. */
function refusedOptions(configuration: LoadedConfiguration['configuration'], stock: Stock): readonly string[] {
  const schemas = schemasOf(stock);
  return (configuration?.plugins ?? []).flatMap(({ name, options, from }) => {
    const parsed = schemas[name]?.safeParse(options);
    if (parsed === undefined || parsed.success) return [];
    return parsed.error.issues.map(({ path, message }) => `${name}.${path.join('.')} (${from}): ${message}`);
  });
}

function schemasOf(stock: Stock): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(
    Object.entries(stock.plugins).flatMap(([id, plugin]) => {
      const schema = manifestOf(plugin)?.config;
      return schema === undefined ? [] : [[id, schema] as const];
    }),
  );
}
