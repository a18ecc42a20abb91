import { OvsdbConnectionError, OvsdbSchemaError } from './errors';
import type { Atom } from './values';

export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** RFC 7047 section 3.2, `<base-type>`. */
export interface BaseType {
  readonly type: AtomType;
  readonly enum: ReadonlySet<Atom> | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly refTable: string | undefined;
  readonly refType: 'strong' | 'weak';
}

/** How a column's value looks once decoded: one atom, an atom or undefined, an array, a Map. */
export type ColumnShape = 'scalar' | 'optional' | 'set' | 'map';

export interface ColumnSchema {
  readonly table: string;
  readonly name: string;
  readonly shape: ColumnShape;
  readonly key: BaseType;
  readonly value: BaseType | undefined;
  readonly min: number;
  /** Infinity for `unlimited`. */
  readonly max: number;
  readonly mutable: boolean;
  readonly ephemeral: boolean;
}

export interface TableSchema {
  readonly name: string;
  readonly columns: ReadonlyMap<string, ColumnSchema>;
  readonly isRoot: boolean;
  readonly maxRows: number;
  readonly indexes: readonly (readonly string[])[];
}

export interface DatabaseSchema {
  readonly name: string;
  readonly version: string;
  /** Changes whenever anything in the schema does. */
  readonly fingerprint: string;
  readonly tables: ReadonlyMap<string, TableSchema>;
}

/**
 * Reads the reply to `get_schema`, or the content of an `.ovsschema` file.
 * @throws OvsdbConnectionError (`protocol`) where it is not a schema.
 */
export function parseSchema(json: unknown): DatabaseSchema {
  const schema = record(json, 'the schema');
  const tables = new Map<string, TableSchema>();
  const declared = Object.entries(record(schema.tables, 'tables'));
  // RFC 7047 section 3.2: where no table says isRoot, all of them are.
  const anyRoot = declared.some(([, table]) => record(table, 'a table').isRoot === true);
  for (const [name, json] of declared) {
    const table = record(json, `table ${name}`);
    const columns = new Map<string, ColumnSchema>();
    for (const [column, definition] of Object.entries(record(table.columns, `columns of ${name}`))) {
      columns.set(column, parseColumn(name, column, definition));
    }
    tables.set(name, {
      name,
      columns,
      isRoot: table.isRoot === true || !anyRoot,
      maxRows: typeof table.maxRows === 'number' ? table.maxRows : Number.POSITIVE_INFINITY,
      indexes: Array.isArray(table.indexes) ? (table.indexes as readonly (readonly string[])[]) : [],
    });
  }
  return {
    name: String(schema.name),
    version: String(schema.version ?? ''),
    fingerprint: JSON.stringify(json),
    tables,
  };
}

function parseColumn(table: string, name: string, json: unknown): ColumnSchema {
  const column = record(json, `column ${table}.${name}`);
  const type = typeof column.type === 'string' ? { key: column.type } : record(column.type, `type of ${table}.${name}`);
  const min = typeof type.min === 'number' ? type.min : 1;
  const max = type.max === 'unlimited' ? Number.POSITIVE_INFINITY : typeof type.max === 'number' ? type.max : 1;
  const value = type.value === undefined ? undefined : parseBase(type.value);
  const shape: ColumnShape = value !== undefined ? 'map' : max > 1 ? 'set' : min === 0 ? 'optional' : 'scalar';
  return {
    table,
    name,
    shape,
    key: parseBase(type.key),
    value,
    min,
    max,
    mutable: column.mutable !== false,
    ephemeral: column.ephemeral === true,
  };
}

function parseBase(json: unknown): BaseType {
  const base = typeof json === 'string' ? { type: json } : record(json, 'a base type');
  const allowed = base.enum;
  const choices = Array.isArray(allowed) ? (allowed[0] === 'set' ? (allowed[1] as Atom[]) : allowed) : [allowed];
  const number = (bound: unknown): number | undefined => (typeof bound === 'number' ? bound : undefined);
  return {
    type: base.type as AtomType,
    enum: allowed === undefined ? undefined : new Set(choices as Atom[]),
    minimum: number(base.minInteger ?? base.minReal),
    maximum: number(base.maxInteger ?? base.maxReal),
    refTable: typeof base.refTable === 'string' ? base.refTable : undefined,
    refType: base.refType === 'weak' ? 'weak' : 'strong',
  };
}

/** @throws OvsdbSchemaError naming the tables there are. */
export function tableOf(schema: DatabaseSchema, name: string): TableSchema {
  const table = schema.tables.get(name);
  if (table !== undefined) return table;
  const known = [...schema.tables.keys()].join(', ');
  throw new OvsdbSchemaError(name, undefined, `database ${schema.name} has no table "${name}"; it has ${known}`);
}

/** @throws OvsdbSchemaError naming the columns there are. */
export function columnOf(table: TableSchema, name: string): ColumnSchema {
  const column = table.columns.get(name);
  if (column !== undefined) return column;
  const known = [...table.columns.keys()].join(', ');
  throw new OvsdbSchemaError(
    table.name,
    name,
    `table ${table.name} has no column "${name}" (an older Open vSwitch may lack a new column); it has ${known}`,
  );
}

function record(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new OvsdbConnectionError('protocol', `${what} is not an object: this is no OVSDB schema`);
}
