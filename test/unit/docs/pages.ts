/** The project's written part, for tests that hold it against the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../../..');

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'fixtures']);

/** Every Markdown file of the repository, by its path from the root. */
export function pages(folder = '.'): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : pages(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Fenced blocks of a language, with what stands in them. */
export function blocks(page: string, language: string): readonly string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );
}

/** Text in code: spans, fenced and indented blocks, a line each. */
export function codeLines(page: string): readonly string[] {
  const text = read(page);
  const fenced = [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.split('\n'));
  const indented = text.split('\n').filter((line) => /^ {4}\S/.test(line));
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...fenced, ...indented, ...spans].map((line) => line.trim());
}

/** GitHub's anchor of a heading. */
export function anchor(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}
