import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { STOCK } from '@patchbay/plugins';
import { codeLines, pages, ROOT, read } from './pages';

const PAGES = pages().filter((page) => page !== 'CHANGELOG.md');
/** Where commands and their options are defined. */
const COMMANDS = ['program.ts', ...readdirSync(join(ROOT, 'core/cli/commands')).map((file) => `commands/${file}`)]
  .map((file) => read(`core/cli/${file}`))
  .join('\n');
const mentioned = (pattern: RegExp): readonly string[] => [
  ...new Set(PAGES.flatMap(codeLines).flatMap((line) => [...line.matchAll(pattern)].map(([, name = '']) => name))),
];

describe('commands named in the documents', () => {
  it('are npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [
      ...mentioned(/\bnpm run (?:--\S+ )?([\w:-]+)/g),
      ...(mentioned(/\b(npm test)\b/g).length > 0 ? ['test'] : []),
    ];
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('are scripts of the repository that exist', () => {
    const named = mentioned(/\bbash (test\/[\w/.-]+)/g);
    expect(named).toEqual(expect.arrayContaining(['test/run', 'test/demo/run']));
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('are commands of patchbay that exist', () => {
    const existing = [...COMMANDS.matchAll(/\.command\('([\w-]+)/g)].map(([, name]) => name);
    const named = mentioned(/^patchbay ([a-z]+)\b(?!\.)/g);
    expect(named).toEqual(expect.arrayContaining(['run', 'status', 'plan', 'explain', 'config']));
    // Plugins bring commands under their own ids; acme is the vendor of every example.
    const ofPlugin = (name: string) => name in STOCK || name.startsWith('acme');
    expect(named.filter((name) => !existing.includes(name) && !ofPlugin(name))).toEqual([]);
  });

  it('take options that exist', () => {
    const named = [
      ...new Set(
        PAGES.flatMap(codeLines)
          .filter((line) => /^patchbay |^--[a-z]/.test(line))
          .flatMap((line) => line.match(/(?<=^|\s)--[a-z][a-z-]+/g) ?? []),
      ),
    ];
    expect(named).toEqual(expect.arrayContaining(['--config', '--config-file']));
    expect(named.filter((option) => !COMMANDS.includes(`${option} `) && !COMMANDS.includes(`${option}'`))).toEqual([]);
  });
});

describe("the operator's guide", () => {
  const guide = read('docs/operators-guide.md');

  it('explains every exit status', () => {
    const statuses = [...read('core/cli/exit-status.ts').matchAll(/^ {2}\w+: (\d+),$/gm)].map(([, code]) => code);
    expect(statuses.length).toBeGreaterThan(3);
    expect([...guide.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code)).toEqual(statuses);
  });

  it('names every report of the admin socket', () => {
    const server = read('core/cli/admin/server.ts');
    const routes = /const ROUTES[^{]*\{([\s\S]*?)\n\};/.exec(server)?.[1] ?? '';
    const names = [...routes.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name ?? '');
    expect(names).toContain('live');
    expect(names.filter((name) => !guide.includes(`\`/${name}`))).toEqual([]);
  });

  it('describes every metric of the agent, and no other', () => {
    const defined = [...read('core/host/metrics.ts').matchAll(/'(patchbay_\w+)'/g)].map(([, name]) => name);
    const described = [...guide.matchAll(/^\| `(patchbay_\w+)` \|/gm)].map(([, name]) => name);
    expect(defined.length).toBeGreaterThan(10);
    expect([...described].sort()).toEqual([...new Set(defined)].sort());
  });

  it('says of every condition that a stock plugin or the kernel reports what to do', () => {
    const conditions = conditionsIn('plugins');
    expect(conditions.length).toBeGreaterThan(8);
    expect(conditions.filter((condition) => !guide.includes(`\`${condition}`))).toEqual([]);
  });
});

/** Conditions that are reported by a literal name, or by one that starts with literal text. */
function conditionsIn(folder: string): readonly string[] {
  const { readdirSync } = jest.requireActual<typeof import('node:fs')>('node:fs');
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('dist/'))
    .flatMap((path) => [...read(join(folder, path)).matchAll(/health\??\.report\(\s*['`]([^'`$]+)/g)])
    .map(([, name = '']) => name);
}
