import { join } from 'node:path';
import { PatchbayError, reasonOf } from '@patchbay/sdk';
import { KernelError } from './errors';
import { pluginAtWork } from './event-context';

/** Where the agent's own code is. */
const AGENT = join(__dirname, '..');

/** Of an error that nobody caught: which of the plugins let it go. Undefined where none of them did, or the agent's own code threw. */
export function strayErrorOf(
  error: unknown,
  plugins: ReadonlySet<string>,
): { readonly plugin: string; readonly code: string; readonly message: string } | undefined {
  const plugin = pluginAtWork();
  if (plugin === undefined || !plugins.has(plugin) || isThrownByAgent(error)) return undefined;
  const { code, message } = KernelError.strayError({ plugin, reason: reasonOf(error) });
  return { plugin, code, message };
}

/** Thrown in the agent's code, and not to tell a plugin of its mistake: what the agent was at may be half done. */
function isThrownByAgent(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof PatchbayError) return false;
  const first = error.stack?.split('\n').find((line) => /^\s+at /.test(line) && !line.includes('node:'));
  return first?.includes(AGENT) === true;
}
