import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Block {
  readonly language: string;
  /** Words after the language: `file=…`, `append=…`, `checked`, and what a reader may want to know (`shell`: opens one). */
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

/** A block as it is typed into a shell: commands as they are; a file's content is written to it, or put at its end. */
export function typed({ notes, text }: Block): string {
  const [, act, path] = notes.map((note) => /^(file|append)=(.*)$/.exec(note)).find((match) => match !== null) ?? [];
  if (act === undefined) return text;
  return `cat ${act === 'file' ? '>' : '>>'} ${path} <<'END OF BLOCK'\n${act === 'file' ? '' : '\n'}${text}END OF BLOCK\n`;
}
