import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KernelError } from '../../../core/kernel/errors';

const ROOT = join(__dirname, '../../..');

function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'dist' || entry.name === 'node_modules' ? [] : sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

/** Codes in every file that calls defineErrors. */
const defined = ['core', 'plugins']
  .flatMap(sources)
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .filter((text) => /\bdefineErrors\(/.test(text))
  .flatMap((text) => [...text.matchAll(/code: '(PB-[A-Z0-9-]+)'/g)].map((match) => match[1] ?? ''));

const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
const sections = page.split(/^### /m).slice(1);
const documented = sections.map((section) => section.split('\n')[0] ?? '');

describe('docs/errors.md', () => {
  it('has a section for every code, and no other', () => {
    expect([...documented].sort()).toEqual([...defined].sort());
  });

  it('means one error by a code', () => {
    expect(defined.filter((code, at) => defined.indexOf(code) !== at)).toEqual([]);
  });

  it('says in each section what is likely and how to mend it', () => {
    const lacking = sections.filter((section) => !/\*Likely:\* \S/.test(section) || !/\*Mend:\* \S/.test(section));
    expect(lacking).toEqual([]);
  });

  it('is read from the sources that the kernel’s definitions are in', () => {
    const codes = Object.values(KernelError.definitions).map(({ code }) => code);
    expect(defined).toEqual(expect.arrayContaining(codes));
  });
});
