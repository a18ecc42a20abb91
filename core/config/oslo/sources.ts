import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { OsloConfigError } from './errors';
import { type IniFile, parseIni } from './parse';

/** One `--config-file` or `--config-dir`. */
export interface ConfigSource {
  readonly kind: 'file' | 'directory';
  readonly path: string;
}

export interface SearchInput {
  /** In the order of the command line. */
  readonly sources: readonly ConfigSource[];
  /** `neutron`: its files are looked for where none is given. */
  readonly project: string;
  /** `neutron-openvswitch-agent`. */
  readonly program: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Stands before the absolute places that are searched by default (`/etc`); for tests. */
  readonly root?: string;
}

/**
 * The files that oslo.config would read, in its order. Without a `--config-file` those are <project>.conf and <program>.conf,
 * each from the first of ~/.<project>, ~, /etc/<project>, /etc (and $SNAP_COMMON's, $SNAP's) that has it; without a
 * `--config-dir`, the *.conf of <project>.conf.d and <program>.conf.d, found alike, which come before the files that are given.
 * @throws OsloConfigError of kind `files` if a directory is not there or cannot be read
 */
export function findConfigFiles(input: SearchInput): readonly string[] {
  const given = (kind: ConfigSource['kind']) => input.sources.some((source) => source.kind === kind);
  return [
    ...(given('file') ? [] : search(input, '.conf')),
    ...(given('directory') ? [] : search(input, '.conf.d').flatMap(listDirectory)),
    ...input.sources.flatMap((source) => {
      const path = expandHome(source.path, input);
      if (source.kind === 'file') return [resolve(path)];
      return listDirectory(path);
    }),
  ];
}

/**
 * Reads and parses them.
 * @throws OsloConfigError of kind `files`, naming all that cannot be read, or `syntax`
 */
export function readConfigFiles(paths: readonly string[]): readonly IniFile[] {
  const unreadable: string[] = [];
  const reasons: string[] = [];
  const texts = paths.map((path) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
    } catch (cause) {
      unreadable.push(path);
      reasons.push(
        (cause as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? `${path} is not UTF-8 text`
          : String((cause as Error).message),
      );
      return '';
    }
  });
  if (unreadable.length > 0) {
    throw new OsloConfigError(`cannot read ${reasons.join('; ')}`, { kind: 'files', paths: unreadable });
  }
  return paths.map((path, place) => parseIni(texts[place] ?? '', path));
}

function search(input: SearchInput, extension: string): string[] {
  const root = input.root ?? '/';
  const snaps = [input.environment?.SNAP_COMMON, input.environment?.SNAP].filter(
    (path) => path !== undefined && path !== '',
  );
  const places = [
    expandHome(`~/.${input.project}`, input),
    expandHome('~', input),
    join(root, 'etc', input.project),
    join(root, 'etc'),
    ...snaps.map((path) => join(String(path), 'etc', input.project)),
  ];
  return [input.project, input.program].flatMap((name) => {
    const found = places.map((place) => join(place, `${name}${extension}`)).find((path) => existsSync(path));
    return found === undefined ? [] : [found];
  });
}

function listDirectory(directory: string): string[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .sort()
    .map((name) => resolve(directory, name));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const problem =
      code === 'ENOENT'
        ? `the configuration directory ${directory} is not there`
        : `the configuration directory ${directory} cannot be read (${code ?? message})`;
    throw new OsloConfigError(problem, { kind: 'files', paths: [directory] });
  }
}

function expandHome(path: string, input: SearchInput): string {
  if (path !== '~' && !path.startsWith('~/')) return path;
  return join(input.environment?.HOME ?? homedir(), path.slice(1));
}
