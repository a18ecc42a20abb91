import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describeInWorker } from '@patchbay/agent/testing';

type Described = Awaited<ReturnType<typeof describeInWorker>>;
type Entry = Parameters<typeof describeInWorker>[1];

/** Milliseconds that loading a module may take on a machine that runs many tests at once. */
const PATIENCE_MS = 60_000;

/** The module that the package in the folder is built into. @throws where it was not. */
export function builtModule(folder: string): string {
  try {
    return createRequire(join(folder, 'from')).resolve(folder);
  } catch (thrown) {
    throw new Error(`a worker runs what was built, and ${folder} has no built module: npm run build`, {
      cause: thrown,
    });
  }
}

const warnedOf = new Set<string>();

/** Says, once, that the package's sources are newer than all that stands beside its built module: a worker runs what was built. */
export function warnIfStale(folder: string, file: string): void {
  if (warnedOf.has(folder)) return;
  warnedOf.add(folder);
  const built = newest(dirname(file));
  if (newest(join(folder, 'src')) <= built) return;
  process.emitWarning(`src is newer than ${file}, which the worker runs: npm run build`, {
    code: 'PATCHBAY_OLD_BUILD',
  });
}

/** Folders beside a built module that were not built with it. */
const OTHERS: ReadonlySet<string> = new Set(['node_modules', 'src']);

/** Milliseconds since the epoch, when a file in or below the folder was last written; 0 where there is none. */
function newest(folder: string): number {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !OTHERS.has(name));
    const times = entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
    });
    return Math.max(0, ...times);
  } catch {
    return 0;
  }
}

/** Ids of a module's plugins, found once: it is the same for all tests of a file. */
const idsByFile = new Map<string, readonly string[]>();

/**
 * The plugin of that id alone, of however many the module exports, with the entry's options: the others of the package run where their classes
 * are, if the test has them. Rejects where the module has no such plugin.
 */
export async function pluginUnderTest(file: string, entry: Entry, id: string): Promise<Described> {
  const ids = idsByFile.get(file) ?? idsOf(await describeInWorker(file, { ...entry, options: {} }, PATIENCE_MS));
  idsByFile.set(file, ids);
  if (!ids.includes(id)) {
    throw new Error(`${file} exports ${ids.join(', ')}, and not ${id}: a worker runs what the package's main exports`);
  }
  // Of a module with several, options are given by id.
  const options = ids.length === 1 ? entry.options : { [id]: entry.options };
  const all = await describeInWorker(file, { ...entry, options }, PATIENCE_MS);
  return all.filter(({ manifest }) => manifest.id === id);
}

function idsOf(described: Described): readonly string[] {
  return described.map(({ manifest }) => manifest.id);
}
