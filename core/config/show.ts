import type { z } from 'zod';
import type { Configuration } from '../kernel/config/model';
import { type ShownOption, shownConfiguration } from '../kernel/config/show';
import { redacted } from './redact';

/**
 * What the agent runs on, value by value and never a password, for `config show`. A plugin whose schema is given is shown with its
 * defaults; options that its schema refuses are shown as they are written.
 */
export function showConfiguration(
  configuration: Configuration,
  schemas: Readonly<Record<string, z.ZodType>> = {},
): readonly ShownOption[] {
  const effective = new Map<string, unknown>();
  for (const { name, options } of configuration.plugins) {
    const parsed = schemas[name]?.safeParse(options);
    if (parsed?.success === true) effective.set(name, parsed.data);
  }
  return shownConfiguration(configuration, effective).map((shown) => ({
    ...shown,
    value: redacted(shown.path.split('.').at(-1) ?? '', shown.value),
  }));
}
