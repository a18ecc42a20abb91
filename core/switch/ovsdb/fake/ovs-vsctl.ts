import type { FakeDatabase } from './database';

type Columns = Readonly<Record<string, unknown>>;

/** What somebody else does to the database in one transaction each, as with the commands of ovs-vsctl(8) of these names. Columns are as on the wire (RFC 7047, 5.1). */

/** A bridge with the internal port of its name. `columns` are those of the Bridge row; `beside` are operations of the same transaction. */
export function addBridge(
  database: FakeDatabase,
  name: string,
  columns: Columns = {},
  beside: readonly Columns[] = [],
): void {
  transact(database, [
    ...portRows({ name, type: 'internal' }),
    ...beside,
    { op: 'insert', table: 'Bridge', 'uuid-name': 'bridge', row: { ...columns, name, ports: ['named-uuid', 'port'] } },
    { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['named-uuid', 'bridge']]] },
  ]);
}

/** A port with one interface of its name. `columns` are those of the Interface row. */
export function addPort(database: FakeDatabase, bridge: string, name: string, columns: Columns = {}): void {
  transact(database, [
    ...portRows({ ...columns, name }),
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['name', '==', bridge]],
      mutations: [['ports', 'insert', ['named-uuid', 'port']]],
    },
  ]);
}

/** Takes a port off whichever bridge has it. */
export function deletePort(database: FakeDatabase, name: string): void {
  const port = [...database.rows('Port')].find((row) => row.name === name);
  transact(database, [
    { op: 'mutate', table: 'Bridge', where: [], mutations: [['ports', 'delete', ['uuid', port?._uuid]]] },
  ]);
}

function portRows(face: Columns & { readonly name: string }): readonly Columns[] {
  return [
    { op: 'insert', table: 'Interface', 'uuid-name': 'face', row: face },
    { op: 'insert', table: 'Port', 'uuid-name': 'port', row: { name: face.name, interfaces: ['named-uuid', 'face'] } },
  ];
}

function transact(database: FakeDatabase, operations: readonly Columns[]): void {
  database.transact(
    operations,
    () => true,
    () => undefined,
  );
}
