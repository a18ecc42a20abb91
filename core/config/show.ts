import type { z } from 'zod';
import type { Configuration } from '../kernel/config/model';
import { redacted } from './redact';

export interface ShownValue {
  /** `settings.host`, `plugins.tunnels.local_ip`. */
  readonly path: string;
  /** Never a password. */
  readonly value: unknown;
  /** `file:line`, `environment NAME`, `command line`, `stock list` or `default`. */
  readonly from: string;
}

/**
 * What the agent runs on, value by value. A plugin whose schema is given is shown with its defaults.
 * Options that its schema refuses are shown as they are written.
 */
export function showConfiguration(
  configuration: Configuration,
  schemas: Readonly<Record<string, z.ZodType>> = {},
): readonly ShownValue[] {
  const { settings, plugins, provenance } = configuration;
  const shown = (path: string, name: string, value: unknown, otherwise: string): ShownValue => ({
    path,
    value: redacted(name, value),
    from: provenance[path] ?? otherwise,
  });
  const { logging, ...others } = settings;
  return [
    ...Object.entries(others).map(([name, value]) => shown(`settings.${name}`, name, value, 'default')),
    ...Object.entries(logging).map(([name, value]) => shown(`settings.logging.${name}`, name, value, 'default')),
    ...plugins.flatMap((entry) => {
      const path = `plugins.${entry.name}`;
      const parsed = schemas[entry.name]?.safeParse(entry.options);
      const options = parsed?.success === true ? { ...(parsed.data as object), ...entry.options } : entry.options;
      const given = (name: string) => (Object.hasOwn(entry.options, name) ? entry.from : 'default');
      return [
        { path, value: entry.required === true ? 'required' : 'on the list', from: entry.from },
        ...Object.entries(options).flatMap(([name, value]) =>
          name === 'rabbit' && typeof value === 'object' && value !== null
            ? Object.entries(value).map(([inner, each]) => shown(`${path}.${name}.${inner}`, inner, each, given(name)))
            : [shown(`${path}.${name}`, name, value, given(name))],
        ),
      ];
    }),
  ];
}
