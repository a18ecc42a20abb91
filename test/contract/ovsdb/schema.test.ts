import { readFileSync } from 'node:fs';
import { describeColumns, OPEN_VSWITCH_COLUMNS, OvsdbClient, parseSchema } from '../../../core/switch/ovsdb';
import { openVSwitchSchema } from '../../../core/switch/ovsdb/fake';
import { INSTALLED_SCHEMA, startServer, type TestServer } from './servers';

type Described = Readonly<Record<string, Readonly<Record<string, string>>>>;

const declared: Described = OPEN_VSWITCH_COLUMNS;

describe('the row types and the schema of a running server', () => {
  let server: TestServer;
  let client: OvsdbClient;
  let described: Described;

  beforeAll(async () => {
    server = await startServer('standalone');
    client = new OvsdbClient({ target: server.target, tables: { Open_vSwitch: 'all' } });
    client.start();
    await client.ready();
    if (client.schema === undefined) throw new Error('no schema');
    described = describeColumns(client.schema);
  });

  afterAll(async () => {
    await client.stop();
    await server.close();
  });

  it('agree on the type of every column that both have', () => {
    const differing = Object.entries(declared).flatMap(([table, columns]) =>
      Object.entries(columns).flatMap(([column, shape]) => {
        const served = described[table]?.[column];
        return served === undefined || served === shape ? [] : [`${table}.${column}: ${shape}, server: ${served}`];
      }),
    );
    expect(differing).toEqual([]);
  });

  it('have the same columns where the server is of the version the types were written from', () => {
    const list = (tables: Described): string[] =>
      Object.entries(tables).flatMap(([table, columns]) => Object.keys(columns).map((column) => `${table}.${column}`));
    const known = new Set(list(declared));
    const extra = list(described).filter((column) => !known.has(column));
    expect(client.schema?.version === '8.3.1' ? extra : []).toEqual([]);
  });
});

describe('the schema of the server in memory', () => {
  it('has the roots, indexes, table sizes and references of the installed one', () => {
    const installed = parseSchema(JSON.parse(readFileSync(INSTALLED_SCHEMA, 'utf8')));
    const own = parseSchema(openVSwitchSchema());
    const outline = (schema: typeof own): object =>
      Object.fromEntries(
        [...own.tables.keys()].map((name) => {
          const table = schema.tables.get(name);
          const references = [...(table?.columns.values() ?? [])].map(({ name: column, key, value, min }) => {
            const reference = key.refTable === undefined ? value : key;
            const strength = reference?.refTable === undefined ? undefined : reference.refType;
            const least = key.refTable === undefined ? undefined : min;
            return [column, reference?.refTable, strength, least];
          });
          return [name, { isRoot: table?.isRoot, maxRows: table?.maxRows, indexes: table?.indexes, references }];
        }),
      );
    expect(outline(own)).toEqual(outline(installed));
  });
});
