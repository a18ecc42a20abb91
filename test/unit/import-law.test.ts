import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(__dirname, '../..');

interface Import {
  readonly file: string;
  /** The package or `node:` module, or the path from the root for a file of ours. */
  readonly target: string;
}

function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'dist' || entry.name === 'node_modules' ? [] : sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  // Telling an address from a name opens no socket.
  const counted = text.replace(/import \{ isIP(v[46])?(, isIPv[46])* \} from 'node:net';/g, '');
  const specifiers = counted.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\brequire\(\s*)'([^']+)'/g);
  return [...specifiers].map(([, specifier = '']) => ({
    file,
    target: specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier,
  }));
}

/** Imports that the law would forbid, each granted with its reason. */
const GRANTED: Readonly<Record<string, string>> = {
  'core/simulate/processes.ts imports node:child_process': 'a simulation spreads its agents over processes',
  'core/cli/admin/server.ts imports node:net': 'asks whether another agent answers on the admin socket',
  'core/cli/systemd.ts imports node:child_process':
    'systemd-notify: the notification socket is a datagram socket, which Node cannot open',
  ...Object.fromEntries(
    ['child_process', 'dgram', 'net'].map((module) => [
      `sdk/testing/input-output.ts imports node:${module}`,
      'the contract suite watches whether a constructor uses them',
    ]),
  ),
};

const all = ['sdk', 'plugins', 'core'].flatMap(sources).flatMap(importsOf);
const within = (folder: string) => (path: string) => path === folder || path.startsWith(`${folder}/`);
const sdk = within('sdk');
const plugins = within('plugins');
const core = within('core');
const ourPackage = (target: string): boolean => target.startsWith('@patchbay/');
const crossing = (imports: readonly Import[], ...forbidden: ((target: string) => boolean)[]): readonly string[] =>
  imports
    .filter(({ target }) => forbidden.some((is) => is(target)))
    .map(({ file, target }) => `${file} imports ${target}`);

/** sdk/testing is a package of its own, made of the host; sdk/examples are outsiders' packages. */
const contract = all.filter(({ file }) => sdk(file) && !/^sdk\/(testing|examples)\//.test(file));
const ofPlugins = all.filter(({ file }) => plugins(file));
const ofCore = all.filter(({ file }) => core(file));

/** The first circle of files found, each importing the next; empty where there is none. */
function circleIn(imports: readonly Import[]): readonly string[] {
  const files = new Set(imports.map(({ file }) => file));
  const fileOf = (target: string) => [`${target}.ts`, `${target}/index.ts`].find((path) => files.has(path));
  const next = new Map<string, string[]>();
  for (const { file, target } of imports) {
    const to = fileOf(target);
    if (to !== undefined) next.set(file, [...(next.get(file) ?? []), to]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const to of next.get(file) ?? []) {
      const circle = walk(to);
      if (circle.length > 0) return circle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  return [...files].map(walk).find((circle) => circle.length > 0) ?? [];
}

describe('the import law', () => {
  it('is checked on sources that are there', () => {
    expect([contract, ofPlugins, ofCore].map(({ length }) => length > 0)).toEqual([true, true, true]);
  });

  it('lets the SDK import nothing of ours', () => {
    expect(crossing(contract, ourPackage, plugins, core)).toEqual([]);
  });

  it('lets plugins import the SDK and nothing else of ours', () => {
    const other = (target: string): boolean => ourPackage(target) && !/^@patchbay\/sdk(\/flow)?$/.test(target);
    expect(crossing(ofPlugins, other, sdk, core)).toEqual([]);
  });

  it('lets core/main.ts alone import the stock plugins', () => {
    const others = ofCore.filter(({ file }) => file !== 'core/main.ts');
    expect(crossing(others, within('@patchbay/plugins'), plugins, sdk)).toEqual([]);
  });

  it('keeps sockets of switch and broker, and child processes, under core/switch and core/rpc', () => {
    const elsewhere = all.filter(({ file }) => !/^core\/(switch|rpc)\//.test(file));
    const sockets = (target: string): boolean =>
      /^(node:)?(net|tls|dgram|child_process)$/.test(target) || /^amqplib(\/|$)/.test(target);
    expect(crossing(elsewhere, sockets).filter((found) => !(found in GRANTED))).toEqual([]);
  });

  it('keeps each stock plugin out of the folders of the others, so that any of them can go', () => {
    const folderOf = (path: string): string | undefined => /^plugins\/([^/]+)\//.exec(path)?.[1];
    const visits = ofPlugins.filter(({ file, target }) => {
      const [from, to] = [folderOf(file), folderOf(target)];
      return from !== undefined && to !== undefined && from !== to;
    });
    expect(crossing(visits, () => true)).toEqual([]);
  });

  it('has no two files that need each other, not even by way of others', () => {
    expect(circleIn(all)).toEqual([]);
  });

  it('keeps tsyringe and tapable in core/kernel and the SDK', () => {
    const elsewhere = all.filter(({ file }) => !within('core/kernel')(file) && !sdk(file));
    expect(crossing(elsewhere, (target) => target === 'tsyringe' || target === 'tapable')).toEqual([]);
  });
});
