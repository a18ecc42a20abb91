import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Block {
  readonly language: string;
  /** Words after the language: `once`, `root`, `file=…`, `append=…`. */
  readonly notes: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a page, in their order. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(__dirname, '../../docs', page), 'utf8');
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', notes = '', body = '']) => ({
    language,
    notes: notes.split(' ').filter((word) => word !== ''),
    text: body,
  }));
}

/** Writes a block that says which file it is, or is to be appended to. */
export function writeBlock({ notes, text }: Block, folder: string): void {
  for (const note of notes) {
    const [act, path = ''] = note.split('=');
    if (act === 'file') writeFileSync(join(folder, path), text);
    else if (act === 'append') appendFileSync(join(folder, path), `\n${text}`);
  }
}
