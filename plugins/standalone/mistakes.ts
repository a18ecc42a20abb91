import { readFileSync } from 'node:fs';
import { PatchbayError } from '@patchbay/sdk';
import { StandaloneConfig } from './config';
import { StandaloneErrors } from './errors';
import { checkInline, readNetworks } from './read';

/** Each mistake in the networks that the options name or hold, with its line and field. */
export function mistakesOf(options: unknown): readonly string[] {
  const { networks } = StandaloneConfig.parse(options);
  try {
    if (typeof networks === 'string') readNetworks(textOf(networks), networks);
    else checkInline(networks);
    return [];
  } catch (error) {
    if (!(error instanceof PatchbayError)) throw error;
    const { mistakes } = error.fields;
    return Array.isArray(mistakes) ? mistakes.map(String) : [error.message];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw StandaloneErrors.unreadable({ file, reason: (error as Error).message }, error);
  }
}
