import { type Document, isMap, isNode, isPair, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { KernelError } from '../errors';
import { optionNames } from '../loader/manifest';
import { suggestion } from '../nearest';

export type Path = readonly (string | number)[];

/** A YAML file that knows where everything in it stands. */
export class YamlFile {
  private readonly lines = new LineCounter();
  private readonly document: Document;
  readonly value: unknown;

  constructor(
    text: string,
    private readonly file: string,
  ) {
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
    const [error] = this.document.errors;
    if (error !== undefined) {
      const { line, col } = this.lines.linePos(error.pos[0]);
      throw KernelError.configurationInvalid({ place: `${file}:${line}:${col}`, problem: error.message });
    }
    this.value = this.read() ?? {};
  }

  /** `file:line:column` of the value at the path, or of the closest thing above it. */
  place(path: Path): string {
    const { line, col } = this.position(path);
    return `${this.file}:${line}:${col}`;
  }

  /** `file:line`, for provenance. */
  line(path: Path): string {
    return `${this.file}:${this.position(path).line}`;
  }

  refuse(path: Path, problem: string): never {
    throw KernelError.configurationInvalid({ place: this.place(path), problem });
  }

  /** The part at the path, checked; the first mistake is refused with its place. */
  checked<Schema extends z.ZodType>(schema: Schema, value: unknown, path: Path): z.infer<Schema> {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const within = [...path, ...(issue?.path ?? []).map((step) => (typeof step === 'symbol' ? String(step) : step))];
    if (issue?.code === 'unrecognized_keys') {
      const key = issue.keys[0] ?? '';
      const known = within.length === path.length ? optionNames(schema) : [];
      this.refuse([...within, key], `unknown option ${dotted([...within, key])}; ${suggestion(key, known)}`);
    }
    return this.refuse(within, `${dotted(within)}: ${issue?.message ?? 'is wrong'}`);
  }

  /** The library follows aliases only here, and refuses those that lead nowhere or blow up. */
  private read(): unknown {
    try {
      return this.document.toJS();
    } catch (cause) {
      let place = this.file;
      visit(this.document, {
        Alias: (_key, alias) => {
          if (alias.resolve(this.document) !== undefined) return undefined;
          const { line, col } = this.lines.linePos(alias.range?.[0] ?? 0);
          place = `${this.file}:${line}:${col}`;
          return visit.BREAK;
        },
      });
      throw KernelError.configurationInvalid({ place, problem: (cause as Error).message }, cause);
    }
  }

  private position(path: Path): { readonly line: number; readonly col: number } {
    const offset = this.keyOffset(path) ?? this.offset(path);
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  }

  /** A key of a map is pointed at itself, not at what it holds. */
  private keyOffset(path: Path): number | undefined {
    const last = path.at(-1);
    const parent: unknown = path.length <= 1 ? this.document.contents : this.document.getIn(path.slice(0, -1), true);
    if (!isMap(parent)) return undefined;
    const pair = parent.items.find((item) => isPair(item) && isNode(item.key) && keyText(item.key) === String(last));
    return pair !== undefined && isNode(pair.key) ? pair.key.range?.[0] : undefined;
  }

  private offset(path: Path): number {
    for (let length = path.length; length > 0; length -= 1) {
      const node: unknown = this.document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }
}

function keyText(key: object): string {
  return 'value' in key ? String(key.value) : '';
}

/** `agent.logging.debug`. */
export function dotted(path: Path): string {
  return path.join('.');
}
