import { OsloConfigError } from './errors';
import { strip, stripEnd, stripStart } from './text';

/** One `key = value`. A value of several lines has them joined by line feeds; `line` is that of the key. */
export interface Assignment {
  /** As written; compare with `sameSection`. */
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface IniFile {
  readonly file: string;
  readonly sections: readonly { readonly name: string; readonly line: number }[];
  /** In the order of the file; a key that is repeated is there as often. */
  readonly assignments: readonly Assignment[];
}

/** DEFAULT is itself only in capitals; all others regardless of case. */
export const normalizeSection = (name: string): string => (name === 'DEFAULT' ? name : name.toLowerCase());

/**
 * Reads oslo.config's dialect of ini: a line that starts with a blank continues the value above it, until a blank line, a comment
 * or anything else ends it; `#` and `;` comment at the start of a line only; the first `=` or `:` divides; one pair of quotes
 * around the first line of a value is taken off.
 * @throws OsloConfigError of kind `syntax`
 */
export function parseIni(text: string, file: string): IniFile {
  const sections: { name: string; line: number }[] = [];
  const assignments: Assignment[] = [];
  let section: string | undefined;
  let open: { key: string; line: number; values: string[] } | undefined;
  const mistake = (message: string, line: number, written: string) =>
    new OsloConfigError(`${file}:${line}: ${message}: ${JSON.stringify(written)}`, {
      kind: 'syntax',
      place: { file, line },
      text: written,
    });

  const close = () => {
    if (open === undefined) return;
    if (section === undefined) {
      throw mistake('an option stands before the first [section]', open.line, open.key);
    }
    assignments.push({ section, key: open.key, value: open.values.join('\n'), line: open.line });
    open = undefined;
  };

  for (const [index, written] of text.split(/\r\n|\r|\n/).entries()) {
    const line = index + 1;
    const content = stripEnd(written);
    if (content === '') {
      close();
      continue;
    }
    if (content.startsWith(' ') || content.startsWith('\t')) {
      if (open === undefined) {
        throw mistake(
          'the line starts with a blank, but there is no value above that it could continue',
          line,
          content,
        );
      }
      open.values.push(stripStart(content));
      continue;
    }
    close();
    if (content.startsWith('[')) {
      section = sectionName(content, (message) => mistake(message, line, content));
      sections.push({ name: section, line });
    } else if (!content.startsWith('#') && !content.startsWith(';')) {
      const [key, value] = divide(content, () => mistake('no "=" or ":" in an assignment', line, content));
      if (key === '') throw mistake('nothing before the "=" or ":"', line, content);
      open = { key, line, values: [value] };
    }
  }
  close();
  return { file, sections, assignments };
}

function sectionName(content: string, mistake: (message: string) => Error): string {
  if (!content.endsWith(']')) throw mistake('a section has to end with "]", with nothing after it');
  if (content.length <= 2) throw mistake('the section has no name');
  return content.slice(1, -1);
}

function divide(content: string, mistake: () => Error): [string, string] {
  const at = content.search(/[:=]/);
  if (at < 0) throw mistake();
  const value = strip(content.slice(at + 1));
  const first = value[0];
  const quoted = (first === '"' || first === "'") && value.at(-1) === first;
  return [strip(content.slice(0, at)), quoted ? value.slice(1, -1) : value];
}
