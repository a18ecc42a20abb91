import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { anchor, pages, ROOT, read } from './pages';

interface Link {
  readonly page: string;
  readonly target: string;
}

/** Links between files; what stands in code is none. */
const links: readonly Link[] = pages().flatMap((page) => {
  const prose = read(page)
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, 'code');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => ({ page, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
});

function anchorsOf(path: string): readonly string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));
}

describe('links between pages', () => {
  it('are there to be tested', () => {
    expect(links.length).toBeGreaterThan(20);
  });

  it('lead to files that exist', () => {
    const dead = links.filter(({ page, target }) => {
      const [path = ''] = target.split('#');
      return path !== '' && !existsSync(join(ROOT, dirname(page), path));
    });
    expect(dead).toEqual([]);
  });

  it('lead to headings that exist', () => {
    const dead = links.filter(({ page, target }) => {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      return heading !== undefined && existsSync(join(ROOT, file)) && !anchorsOf(file).includes(heading);
    });
    expect(dead).toEqual([]);
  });

  it('reach every page under docs from the README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const link of links.filter((each) => each.page === page && each.target.split('#')[0]?.endsWith('.md'))) {
        reached.add(normalize(join(dirname(page), link.target.split('#')[0] ?? '')));
      }
    }
    expect(pages('docs').filter((page) => !reached.has(page))).toEqual([]);
  });
});
