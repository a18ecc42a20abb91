import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { STOCK } from '@patchbay/plugins';
import { createProject } from '../../../core/cli/create/project';
import { blocksOf } from '../../support/guide';
import { Outside, run } from '../../support/outside';
import { replacingList, replacingTable } from '../../support/replacing-page';

jest.setTimeout(600_000);

const PAGES = join(__dirname, '../../../docs/sdk');

describe('the pages of docs/sdk', () => {
  it('link to what is there', () => {
    const pages = readdirSync(PAGES, { recursive: true, encoding: 'utf8' }).filter((page) => page.endsWith('.md'));
    const dead = pages.flatMap((page) =>
      [...readFileSync(join(PAGES, page), 'utf8').matchAll(/\]\(([^)#]+)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !target.startsWith('http') && !existsSync(join(PAGES, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it.each(
    Object.keys(STOCK),
  )('say of %s what a replacement owes, as manifest, kernel and source have it', async (id) => {
    const file = join(PAGES, 'replacing', `${id}.md`);
    const page = existsSync(file) ? readFileSync(file, 'utf8') : `# Replacing ${id}\n\n## What must hold\n`;
    const [before = ''] = page.split('\n| part |');
    const after = page.slice(page.indexOf('## What must hold'));
    const whole = `${before.trimEnd()}\n\n${await replacingTable(id)}\n\n${after}`;
    if (process.env.UPDATE_PAGES === '1') writeFileSync(file, whole);
    else expect(page).toBe(whole);
    expect(after.split('\n').filter((line) => line.startsWith('- ')).length).toBeGreaterThan(0);
  });

  it('list all of them', () => {
    const file = join(PAGES, 'replacing.md');
    const page = readFileSync(file, 'utf8');
    const list = page.split('\n').filter((line) => line.startsWith('- ['));
    if (process.env.UPDATE_PAGES === '1')
      writeFileSync(file, `${page.split('\n- [')[0]?.trimEnd()}\n\n${replacingList()}\n`);
    else expect(list.join('\n')).toBe(replacingList());
  });

  it('have code that an outsider’s project compiles and runs', async () => {
    const outside = Outside.pack();
    try {
      const { folder } = createProject({
        name: 'acme-pages',
        parent: outside.folder,
        packages: outside.packages,
        stock: [],
      });
      outside.install(folder);
      for (const page of ['flows.md', 'testing.md']) {
        const [code] = blocksOf(`sdk/${page}`).filter(({ notes }) => notes.includes('checked'));
        const file = join(folder, 'test', page.replace('.md', page === 'testing.md' ? '.test.ts' : '.ts'));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, code?.text ?? '');
      }
      const node = (program: string, ...words: readonly string[]) =>
        run(process.execPath, [join(folder, 'node_modules', program), ...words], { cwd: folder });
      expect(await node('typescript/bin/tsc', '-p', 'test')).toEqual({ status: 0, output: '' });
      expect((await node('jest/bin/jest.js', 'testing')).output).toMatch(/Tests: +10 passed/);
    } finally {
      outside.remove();
    }
  });
});
