import { redacted } from '../log/redaction';
import { isPlainObject } from '../plain';
import type { Configuration } from './model';

/** One effective value and where it comes from. */
export interface ShownOption {
  /** `settings.ovsdb_timeout`, `plugins.tunnels.local_ip`. */
  readonly path: string;
  /** Without passwords. */
  readonly value: unknown;
  /** `file:line`, or `default`. */
  readonly from: string;
}

/**
 * Every effective value, for printing. `effective` gives a plugin's options after its schema filled in defaults;
 * a plugin that it does not know is shown as the operator wrote it.
 */
export function shownConfiguration(
  configuration: Configuration,
  effective: ReadonlyMap<string, unknown> = new Map(),
): readonly ShownOption[] {
  const from = (path: string): string => configuration.provenance[path] ?? 'default';
  const settings = flattened('settings', configuration.settings, ['logging']);
  const plugins = configuration.plugins.flatMap((entry) => {
    const options = effective.get(entry.name) ?? entry.options;
    return flattened(`plugins.${entry.name}`, options, []);
  });
  return [...settings, ...plugins].map(([path, value]) => ({ path, value, from: from(path) }));
}

function flattened(prefix: string, value: unknown, nested: readonly string[]): readonly (readonly [string, unknown])[] {
  // Redacted as a map, so that the name of a key counts.
  const shown = redacted(value);
  if (!isPlainObject(shown)) return [[prefix, shown]];
  return Object.entries(shown).flatMap(([key, inner]) =>
    nested.includes(key) ? flattened(`${prefix}.${key}`, inner, []) : [[`${prefix}.${key}`, inner] as const],
  );
}
