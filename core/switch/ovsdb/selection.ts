import type { ColumnSelection } from './replica';
import type { DatabaseSchema } from './schema';

/** A column, or where `column` is undefined a whole table, that was asked for and that the server's schema lacks. */
export interface MissingColumn {
  readonly table: string;
  readonly column: string | undefined;
}

/** What is replicated: of what was asked for, that which the server has. */
export interface SelectedColumns {
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly missing: readonly MissingColumn[];
}

/** Matches a selection with the schema of a server that may be older than the selection. */
export function selectColumns(schema: DatabaseSchema, selection: ColumnSelection): SelectedColumns {
  const columns = new Map<string, readonly string[]>();
  const missing: MissingColumn[] = [];
  for (const [name, wanted] of Object.entries(selection)) {
    const table = schema.tables.get(name);
    if (table === undefined) {
      missing.push({ table: name, column: undefined });
      continue;
    }
    const names = wanted === 'all' ? [...table.columns.keys()] : wanted;
    columns.set(
      name,
      names.filter((column) => table.columns.has(column)),
    );
    for (const column of names) if (!table.columns.has(column)) missing.push({ table: name, column });
  }
  return { columns, missing };
}
