import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, visit } from 'yaml';
import { NetworksDocument } from './document';
import { StandaloneErrors } from './errors';

/** Reads a networks file's text. Throws a refusal that names every mistake with its line and field. */
export function readNetworks(text: string, file: string): NetworksDocument {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, uniqueKeys: false });
  const mistakes = [
    ...yaml.errors.map((error) => `${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`),
    ...keysGivenTwice(yaml.contents).map(
      ({ value, range }) => `${file}:${lines.linePos(range?.[0] ?? 0).line}: ${String(value)} is given twice`,
    ),
  ];
  if (mistakes.length > 0) throw StandaloneErrors.badNetworks({ mistakes });
  return check(contentOf(yaml, file, lines) ?? {}, (path) => `${file}:${lineOf(yaml, path, lines)}`);
}

/** The library's own check looks through all keys of a map for each: with a thousand ports that takes longer than all else. */
function keysGivenTwice(node: unknown): readonly Scalar[] {
  if (isSeq(node)) return node.items.flatMap(keysGivenTwice);
  if (!isMap(node)) return [];
  const seen = new Set<unknown>();
  return node.items.flatMap(({ key, value }) => {
    const isTwice = isScalar(key) && seen.has(key.value);
    if (isScalar(key)) seen.add(key.value);
    return isTwice ? [key, ...keysGivenTwice(value)] : keysGivenTwice(value);
  });
}

/** The library follows aliases only here, and refuses those that lead nowhere or blow up. */
function contentOf(yaml: Document, file: string, lines: LineCounter): unknown {
  try {
    return yaml.toJS();
  } catch (error) {
    let line = 1;
    visit(yaml, {
      Alias: (_key, alias) => {
        if (alias.resolve(yaml) !== undefined) return undefined;
        line = lines.linePos(alias.range?.[0] ?? 0).line;
        return visit.BREAK;
      },
    });
    throw StandaloneErrors.badNetworks({ mistakes: [`${file}:${line}: ${(error as Error).message}`] }, error);
  }
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
