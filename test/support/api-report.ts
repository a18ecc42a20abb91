import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '../..');

/** The public surface of a package: every declaration that its entry exports, without comments and bodies, by name. */
export function apiReport(title: string, entry: string): string {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    declaration: true,
    emitDeclarationOnly: true,
    removeComments: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    experimentalDecorators: true,
    skipLibCheck: true,
    types: ['node', 'jest'],
    outDir: '/out',
    rootDir: ROOT,
  };
  const program = ts.createProgram([join(ROOT, entry)], options);
  const { exported, experimental } = exportedNames(program, join(ROOT, entry));
  const declarations = new Map<string, string[]>();
  program.emit(undefined, (_path, text) => {
    const file = ts.createSourceFile('emitted.d.ts', text, ts.ScriptTarget.ES2023, true);
    for (const statement of file.statements) {
      for (const name of namesOf(statement)) {
        if (!exported.has(name)) continue;
        declarations.set(name, [...(declarations.get(name) ?? []), statement.getText(file).trim()]);
      }
    }
  });
  const lines = [...declarations].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([, texts]) => texts);
  const parts = [
    `# ${title}`,
    '',
    `What ${title} promises. A test compares this file with the code; \`UPDATE_API_REPORT=1\` rewrites it. What is taken away or narrowed here is a new major version; what is added, a minor one.`,
    '',
    ...(experimental.length === 0
      ? []
      : [`Experimental, and free to change with a minor version: ${experimental.join(', ')}.`, '']),
    '```ts',
    [...new Set(lines)].join('\n\n'),
    '```',
    '',
  ];
  return parts.join('\n');
}

function exportedNames(
  program: ts.Program,
  entry: string,
): { readonly exported: ReadonlySet<string>; readonly experimental: readonly string[] } {
  const source = program.getSourceFile(entry);
  const checker = program.getTypeChecker();
  const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${entry} exports nothing`);
  const all = checker.getExportsOfModule(symbol);
  const isExperimental = (one: ts.Symbol): boolean =>
    one.getJsDocTags(checker).some(({ name }) => name === 'experimental');
  return {
    exported: new Set(all.map(({ name }) => name)),
    experimental: all
      .filter(isExperimental)
      .map(({ name }) => name)
      .sort(),
  };
}

function namesOf(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const declares =
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return declares && statement.name !== undefined ? [statement.name.text] : [];
}
