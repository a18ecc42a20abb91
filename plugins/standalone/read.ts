import { type Document, isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { NetworksDocument } from './document';
import { StandaloneErrors } from './errors';

/** Reads a networks file's text. Throws a refusal that names every mistake with its line and field. */
export function readNetworks(text: string, file: string): NetworksDocument {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (yaml.errors.length > 0) {
    const mistakes = yaml.errors.map((error) => `${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`);
    throw StandaloneErrors.badNetworks({ mistakes });
  }
  return check(yaml.toJS() ?? {}, (path) => `${file}:${lineOf(yaml, path, lines)}`);
}

/** Checks a document that stands in the configuration itself. */
export function checkInline(document: unknown): NetworksDocument {
  return check(document, () => 'networks (inline)');
}

function check(document: unknown, where: (path: readonly PropertyKey[]) => string): NetworksDocument {
  const checked = NetworksDocument.safeParse(document);
  if (checked.success) return checked.data;
  const mistakes = checked.error.issues.map((issue) => {
    const field = issue.path.map(String).join('.');
    return `${where(issue.path)}: ${field === '' ? '' : `${field}: `}${issue.message}`;
  });
  throw StandaloneErrors.badNetworks({ mistakes });
}

/** The line of the deepest part of the path that the document has. */
function lineOf(yaml: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const offset = startOf(yaml, path.slice(0, depth));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function startOf(yaml: Document, path: readonly PropertyKey[]): number | undefined {
  const parent = path.length === 0 ? undefined : yaml.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => String((item.key as { value?: unknown }).value) === String(path.at(-1)));
    const start = (pair?.key as Node | undefined)?.range?.[0];
    if (start !== undefined) return start;
  }
  return (yaml.getIn(path, true) as Node | undefined)?.range?.[0];
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;
