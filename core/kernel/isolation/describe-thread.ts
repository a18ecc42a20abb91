import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { type DescribedPlugin, describedPlugins } from '../loader/described';
import type { CrossedPlugin, DescribeStart, Description } from './describe';
import { crossed } from './messages';

/** The program of a thread that loads a module and says what plugins are in it. */
async function describe({ describe: { file, entry } }: DescribeStart): Promise<Description> {
  try {
    return { plugins: describedPlugins(await import(file), entry).map(crossedPlugin) };
  } catch (thrown) {
    return { error: crossed(thrown) };
  }
}

function crossedPlugin({ manifest, tokens, options, config }: DescribedPlugin): CrossedPlugin {
  const { config: _schema, examine: _examine, provides = [], requires = [], ...plain } = manifest;
  return {
    manifest: plain,
    provides: provides.map(({ name, scope }) => ({ name, scope })),
    requires: requires.map((one) => (typeof one === 'string' ? one : { name: one.name, scope: one.scope })),
    tokens,
    options,
    config: config.ok ? config : { ok: false, errors: config.errors.map(crossed) },
  };
}

void describe(workerData as DescribeStart).then((description) => parentPort?.postMessage(description));
