import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Manifest, PatchbayError, reasonOf, Token } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import { within } from '../lifecycle';
import type { DescribedPlugin } from '../loader/described';
import { type CrossedError, thrownFrom } from './messages';

/** Milliseconds that loading a module may take: what reads no more than its own files takes a fraction of a second. */
const PATIENCE_MS = 10_000;

/** A plugin as it crosses: tokens are classes, and a schema stays in the thread that checked the options by it. */
export interface CrossedPlugin {
  readonly manifest: Omit<Manifest, 'config' | 'examine' | 'provides' | 'requires'>;
  readonly provides: readonly CrossedToken[];
  readonly requires: readonly (CrossedToken | string)[];
  readonly tokens: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly config:
    | { readonly ok: true; readonly config: unknown }
    | { readonly ok: false; readonly errors: readonly CrossedError[] };
}

interface CrossedToken {
  readonly name: string;
  readonly scope: Token<unknown>['scope'];
}

export interface DescribeStart {
  readonly describe: { readonly file: string; readonly entry: PluginEntry };
}

export type Description = { readonly plugins: readonly CrossedPlugin[] } | { readonly error: CrossedError };

/**
 * What a module's plugins say of themselves, found in a thread of its own: nothing of the module runs in this one.
 * Rejects where it cannot be loaded, does not come to its end, or has a manifest that is refused.
 */
export async function describeInWorker(
  file: string,
  entry: PluginEntry,
  patienceMs: number = PATIENCE_MS,
): Promise<readonly DescribedPlugin[]> {
  const start: DescribeStart = { describe: { file, entry } };
  const worker = new Worker(join(__dirname, 'describe-thread.js'), { workerData: start });
  try {
    const late = () => new Error(`it was not loaded after ${patienceMs} ms: does it loop, or wait for something?`);
    const description = await within(patienceMs, answerOf(worker), late);
    if ('error' in description) throw thrownFrom(description.error);
    return description.plugins.map(arrived);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<Description> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(new Error(reasonOf(error))));
    worker.once('exit', (code) => reject(new Error(`its thread ended with code ${code}`)));
  });
}

/** Mistakes in options have codes, all of them. */
function refusalFrom(error: CrossedError): PatchbayError {
  const thrown = thrownFrom(error);
  if (thrown instanceof PatchbayError) return thrown;
  throw thrown;
}

function arrived({ manifest, provides, requires, tokens, options, config }: CrossedPlugin): DescribedPlugin {
  const token = ({ name, scope }: CrossedToken) => new Token<unknown>(name, scope);
  return {
    plugin: null,
    manifest: {
      ...manifest,
      provides: provides.map(token),
      requires: requires.map((one) => (typeof one === 'string' ? one : token(one))),
    },
    tokens,
    options,
    config: config.ok ? config : { ok: false, errors: config.errors.map(refusalFrom) },
  };
}
