import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write in several steps, and many write a new file over the old one. */
const QUIET_MS = 50;

/**
 * Calls back when the file was written or replaced. Watches its folder, so that a replaced file is seen, and so is a link there that
 * now leads to another: a mounted ConfigMap changes by such a link.
 */
export function watchFile(file: string, changed: () => void): () => void {
  let seen = identity(file);
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    const now = identity(file);
    if (now === seen) return;
    seen = now;
    changed();
  };
  const watcher: FSWatcher = watch(dirname(file), { persistent: false }, (_event, name) => {
    // What else happens in the folder may concern the file, and must not put it off.
    if (name !== basename(file) && timer !== undefined) return;
    clearTimeout(timer);
    timer = setTimeout(look, QUIET_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

/** What tells one writing of a file from another, links followed. */
function identity(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'not there';
  }
}
