import { CliErrors } from '../errors';

/** The names that a project goes by. */
export interface ProjectNames {
  /** The npm package, with its scope if it has one. */
  readonly packageName: string;
  /** The plugin's id, as the plugin list and `patchbay plugins` write it. */
  readonly id: string;
  readonly className: string;
}

const PACKAGE = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** @throws PatchbayError `PB-CLI-7` for what cannot be the name of a package and a plugin. */
export function namesOf(name: string, taken: Iterable<string>): ProjectNames {
  if (!PACKAGE.test(name)) {
    const problem = 'it is not lower-case words joined by hyphens, with a scope before them or none';
    throw CliErrors.projectName({ name, problem });
  }
  const id = name.replace(/^@[^/]+\//, '');
  if ([...taken].includes(id)) throw CliErrors.projectName({ name, problem: `a stock plugin is called ${id}` });
  const className = id.replace(/(^|-)([a-z0-9])/g, (_all, _hyphen, letter: string) => letter.toUpperCase());
  return { packageName: name, id, className };
}
