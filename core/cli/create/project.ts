import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CliErrors } from '../errors';
import { namesOf } from './naming';
import { settingFiles } from './settings';
import { sourceFiles } from './sources';
import { PATCHBAY } from './versions';

export interface ProjectRequest {
  readonly name: string;
  /** Where the project's folder is made. */
  readonly parent: string;
  /** A folder with what `npm pack` made of Patchbay's packages: the project gets copies. Absent: they come from the registry. */
  readonly packages?: string;
  /** Ids of the stock plugins, which no other plugin may have. */
  readonly stock: Iterable<string>;
}

/** Makes the project of a new plugin. Answers its folder and the files in it. @throws PatchbayError `PB-CLI-7`, `PB-CLI-8`, `PB-CLI-9`. */
export function createProject(request: ProjectRequest): { readonly folder: string; readonly files: readonly string[] } {
  const names = namesOf(request.name, request.stock);
  const folder = resolve(request.parent, names.id);
  if (existsSync(folder) && readdirSync(folder).length > 0) throw CliErrors.folderInUse({ folder });
  const tarballs = request.packages === undefined ? {} : tarballsIn(request.packages);
  const copied = Object.entries(tarballs).map(([name, file]) => [name, join(COPIES, basename(file))] as const);
  const references = Object.fromEntries(copied.map(([name, path]) => [name, `file:${path}`]));
  const files = { ...settingFiles(names, { ...PATCHBAY, ...references }), ...sourceFiles(names) };
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  if (copied.length > 0) mkdirSync(join(folder, COPIES));
  for (const [name, path] of copied) copyFileSync(tarballs[name] ?? '', join(folder, path));
  return { folder, files: [...Object.keys(files), ...copied.map(([, path]) => path)] };
}

/** Where a project keeps the tarballs that it was made with: whoever clones it, and its CI, has them too. */
const COPIES = 'patchbay';

/** Each package's tarball. @throws PatchbayError `PB-CLI-9` where one is missing. */
function tarballsIn(packages: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(PATCHBAY).map(([name, version]) => {
      const file = resolve(packages, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
      if (!existsSync(file)) throw CliErrors.noTarball({ file, packages });
      return [name, file];
    }),
  );
}
