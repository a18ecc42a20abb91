import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CliErrors } from '../errors';
import { namesOf } from './naming';
import { settingFiles } from './settings';
import { sourceFiles } from './sources';
import { PATCHBAY } from './versions';

export interface ProjectRequest {
  readonly name: string;
  /** Where the project's folder is made. */
  readonly parent: string;
  /** A folder with what `npm pack` made of Patchbay's packages. Absent: they come from the registry. */
  readonly packages?: string;
  /** Ids of the stock plugins, which no other plugin may have. */
  readonly stock: Iterable<string>;
}

/** Makes the project of a new plugin. Answers its folder and the files in it. @throws PatchbayError `PB-CLI-7`, `PB-CLI-8`, `PB-CLI-9`. */
export function createProject(request: ProjectRequest): { readonly folder: string; readonly files: readonly string[] } {
  const names = namesOf(request.name, request.stock);
  const folder = resolve(request.parent, names.id);
  if (existsSync(folder) && readdirSync(folder).length > 0) throw CliErrors.folderInUse({ folder });
  const files = { ...settingFiles(names, references(folder, request.packages)), ...sourceFiles(names) };
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return { folder, files: Object.keys(files) };
}

/** By what Patchbay's packages are named in package.json: a version, or a tarball with its path from the project. */
function references(folder: string, packages: string | undefined): Readonly<Record<string, string>> {
  if (packages === undefined) return PATCHBAY;
  return Object.fromEntries(
    Object.entries(PATCHBAY).map(([name, version]) => {
      const file = resolve(packages, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
      if (!existsSync(file)) throw CliErrors.noTarball({ file, packages });
      return [name, `file:${relative(folder, file)}`];
    }),
  );
}
