import type { Manifest, PatchbayError } from '@patchbay/sdk';
import { KernelError } from '../errors';
import { suggestion } from '../nearest';
import { frozenCopy } from '../plain';
import { optionNames } from './manifest';

export type ParsedConfig =
  | { readonly ok: true; readonly config: unknown }
  | { readonly ok: false; readonly errors: readonly PatchbayError[] };

export interface GivenOptions {
  readonly manifest: Pick<Manifest, 'id' | 'config'>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the plugin list has them. */
  readonly from: string;
}

/** A plugin's options checked by its schema; every mistake is told, with the path of its field. */
export function parsedConfig({ manifest, options, from }: GivenOptions): ParsedConfig {
  const plugin = manifest.id;
  const names = optionNames(manifest.config);
  const unknown = (field: string, known: readonly string[]): PatchbayError =>
    KernelError.unknownOption({ plugin, field, from, hint: suggestion(field.split('.').at(-1) ?? field, known) });
  if (manifest.config === undefined) {
    const errors = Object.keys(options).map((field) => unknown(field, names));
    return errors.length > 0 ? { ok: false, errors } : { ok: true, config: Object.freeze({}) };
  }
  const checked = manifest.config.safeParse(options);
  if (checked.success) return { ok: true, config: frozenCopy(checked.data, `the configuration of ${plugin}`) };
  const errors = checked.error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknown([...path, key].join('.'), path.length === 0 ? names : []));
    }
    const field = path.join('.') || 'the options';
    return [KernelError.optionInvalid({ plugin, field, from, problem: issue.message })];
  });
  return { ok: false, errors };
}
