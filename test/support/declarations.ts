import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const SDK = join(__dirname, '../../sdk');

type Declared = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/** What the SDK's own sources declare, read as text: no types are checked here. */
export class SdkDeclarations {
  private readonly declared = new Map<string, { readonly node: Declared; readonly file: ts.SourceFile }>();

  constructor() {
    for (const path of sources(SDK)) {
      const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, true);
      for (const statement of file.statements) {
        const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
        if (isType) this.declared.set(statement.name.text, { node: statement, file });
      }
    }
  }

  /** The declaration with its comments, without the words that all have: `export`, `readonly`. */
  text(name: string): string {
    const { node, file } = this.find(name);
    const start = node.getStart(file);
    const own = (ts.getLeadingCommentRanges(file.text, node.getFullStart()) ?? []).find(
      ({ pos, end }) => file.text.startsWith('/**', pos) && /^\n$/.test(file.text.slice(end, start)),
    );
    return file.text
      .slice(own?.pos ?? start, node.end)
      .replace(/^export /m, '')
      .replace(/\breadonly (?=[\w[])/g, '');
  }

  /** The members of an interface, in their order. */
  members(name: string): readonly { readonly name: string; readonly type: ts.TypeNode; readonly summary: string }[] {
    const { node, file } = this.find(name);
    if (!ts.isInterfaceDeclaration(node)) throw new Error(`${name} is no interface`);
    return node.members.filter(ts.isPropertySignature).map((member) => {
      if (member.type === undefined) throw new Error(`${name}.${member.name.getText(file)} has no type`);
      return { name: member.name.getText(file), type: member.type, summary: summaryOf(member) };
    });
  }

  /** Names of the SDK's types that a piece of its source mentions, and those that these mention: each once, in the order of first mention. */
  reachable(from: readonly string[], except: ReadonlySet<string>): readonly string[] {
    const found: string[] = [];
    const visit = (name: string): void => {
      if (!this.declared.has(name) || except.has(name) || found.includes(name)) return;
      found.push(name);
      this.mentioned(this.find(name).node).forEach(visit);
    };
    from.forEach(visit);
    return found;
  }

  mentioned(node: ts.Node): readonly string[] {
    const names: string[] = [];
    const visit = (one: ts.Node): void => {
      if (ts.isTypeReferenceNode(one)) names.push(one.typeName.getText());
      if (ts.isExpressionWithTypeArguments(one)) names.push(one.expression.getText());
      ts.forEachChild(one, visit);
    };
    visit(node);
    return names;
  }

  private find(name: string): { readonly node: Declared; readonly file: ts.SourceFile } {
    const found = this.declared.get(name);
    if (found === undefined) throw new Error(`the SDK declares no type ${name}`);
    return found;
  }
}

/** What a documentation comment says, on one line. */
function summaryOf(node: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = comment === undefined ? '' : (ts.getTextOfJSDocComment(comment.comment) ?? '');
  return text.replace(/\s*\n\s*/g, ' ');
}

function sources(folder: string): readonly string[] {
  const skipped = ['dist', 'node_modules', 'examples', 'testing'];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}
