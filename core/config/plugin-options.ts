import type { PatchbayError } from '@patchbay/sdk';
import type { z } from 'zod';
import type { Configuration } from '../kernel/config/model';
import { ConfigError } from './errors';

/** What the plugins' own schemas say of their options, each with the place it was written at. */
export function pluginOptionProblems(
  configuration: Configuration,
  schemas: Readonly<Record<string, z.ZodType>>,
): readonly PatchbayError[] {
  return configuration.plugins.flatMap(({ name, options, from }) =>
    (schemas[name]?.safeParse(options).error?.issues ?? []).flatMap((issue) => {
      const fields = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.map(String).join('.')];
      return fields.map((field) =>
        ConfigError.pluginOption({
          where: configuration.provenance[`plugins.${name}.${field.split('.')[0]}`] ?? from,
          plugin: name,
          field,
          problem: issue.message,
        }),
      );
    }),
  );
}
