import { resolve } from 'node:path';
import type { Manifest } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';

type Options = PluginEntry['options'];

/**
 * The options with those that the manifest calls paths made absolute, from `directory` or else the working directory. What is no text
 * (a document in the place of its path) stays.
 */
export function withAbsolutePaths(
  options: Options,
  { paths = [] }: Pick<Manifest, 'paths'>,
  directory = process.cwd(),
): Options {
  const absolute = paths.flatMap((name) => {
    const path = options[name];
    return typeof path === 'string' && path !== '' ? [[name, resolve(directory, path)] as const] : [];
  });
  return absolute.length === 0 ? options : { ...options, ...Object.fromEntries(absolute) };
}
