import { reasonOf } from '@patchbay/sdk';
import {
  configApplied,
  type OpenVSwitchTables,
  type OvsdbClient,
  OvsdbOperationError,
  type Transaction,
  type Uuid,
  type WritableRow,
} from '../ovsdb';
import { FORMER_CONTROLLERS, QUEUE_MARK, type RowChange, splitCell } from '../planner/row-changes';
import { BOND_MEMBERS, type Cells, type CellValue, OWNER_MARK } from '../planner/row-wants';
import { type Database, RowChangeRefused, RowGone } from './database';

/** The lock that every Patchbay on a switch asks for; one at a time writes. */
export const LOCK = 'patchbay';

type Build = Transaction<OpenVSwitchTables>;
type WrittenTable = 'Bridge' | 'Port' | 'Interface';

/** Row changes as transactions of the Open_vSwitch database, each under the lock. */
export class OvsdbDatabase implements Database {
  constructor(
    private readonly client: OvsdbClient<OpenVSwitchTables>,
    /** The target of the controller row that a bridge of ours is made with. */
    private readonly controllerTarget: string,
  ) {}

  async commit(changes: readonly RowChange[]): Promise<number> {
    /** The change that each operation is part of. */
    const parts: number[] = [];
    let next = { index: 0 };
    try {
      const result = await this.client.transact((transaction) => {
        transaction.assertLock(LOCK);
        parts.push(-1);
        changes.forEach((change, index) => {
          this.writeOrRefuse(transaction, change, index);
          while (parts.length < transaction.encoded().operations.length) parts.push(index);
        });
        transaction.calculate('Open_vSwitch', 'every-row', 'next_cfg', '+=', 1);
        next = transaction.select('Open_vSwitch', 'every-row', ['next_cfg']);
      });
      return Number(result.rowsOf(next)[0]?.next_cfg ?? 0);
    } catch (error) {
      if (!(error instanceof OvsdbOperationError)) throw error;
      const index = parts[error.index];
      if (index === -1) throw error;
      throw new RowChangeRefused(index, error.message, { cause: error });
    }
  }

  applied(configuration: number): Promise<void> {
    return configApplied(this.client, configuration);
  }

  private writeOrRefuse(transaction: Build, change: RowChange, index: number): void {
    try {
      this.write(transaction, change);
    } catch (error) {
      throw new RowChangeRefused(index, reasonOf(error), { cause: error });
    }
  }

  private write(transaction: Build, change: RowChange): void {
    switch (change.kind) {
      case 'create-bridge':
        this.createBridge(transaction, change.name, change.cells);
        return;
      case 'create-port':
        this.createPort(transaction, change.bridge, change.name, change.cells);
        return;
      case 'delete-port':
        transaction.removeFrom('Bridge', this.uuid('Bridge', change.bridge), 'ports', [
          this.portRow(change.name, change.portRow),
        ]);
        return;
      case 'set':
        if (change.portRow !== undefined) this.portRow(change.row.name, change.portRow);
        this.set(transaction, change.row.name, change.cells);
        return;
      case 'set-controllers':
        this.setControllers(transaction, change);
        return;
      case 'set-qos':
        this.setQos(transaction, change);
        return;
      case 'clear-qos':
        this.forgetQos(transaction, this.portRow(change.port, change.portRow));
        return;
    }
  }

  private createBridge(transaction: Build, name: string, cells: Cells): void {
    const iface = transaction.insert('Interface', { name, type: 'internal' });
    const port = transaction.insert('Port', { name, interfaces: [iface] });
    const controller = transaction.insert('Controller', { target: this.controllerTarget });
    const row = columnsOf('Bridge', cells) as WritableRow<OpenVSwitchTables['Bridge']>;
    const bridge = transaction.insert('Bridge', { ...row, name, ports: [port], controller: [controller] });
    transaction.addTo('Open_vSwitch', 'every-row', 'bridges', [bridge]);
  }

  private createPort(transaction: Build, bridge: string, name: string, cells: Cells): void {
    const members = namesIn(cells[BOND_MEMBERS]);
    const interfaces =
      members === undefined
        ? [transaction.insert('Interface', { ...columnsOf('Interface', cells), name })]
        : members.map((member) => transaction.insert('Interface', { name: member }));
    const port = transaction.insert('Port', { ...columnsOf('Port', cells), name, interfaces });
    transaction.addTo('Bridge', this.uuid('Bridge', bridge), 'ports', [port]);
  }

  private set(transaction: Build, name: string, cells: Cells): void {
    for (const table of ['Bridge', 'Port', 'Interface'] as const) {
      const mine = Object.entries(cells).filter(([cell]) => cell.startsWith(`${table}.`));
      if (mine.length > 0) this.setRow(transaction, table, this.uuid(table, name), Object.fromEntries(mine));
    }
    const members = namesIn(cells[BOND_MEMBERS]);
    if (members !== undefined) this.setMembers(transaction, this.uuid('Port', name), members);
  }

  /** Members that stay keep their rows; the database drops those that nothing refers to any more. */
  private setMembers(transaction: Build, uuid: Uuid, members: readonly string[]): void {
    const present = this.client.replica.table('Port').get(uuid)?.interfaces ?? [];
    const interfaces = members.map((member) => {
      const row = this.client.replica.table('Interface').findBy('name', member);
      return row !== undefined && present.includes(row._uuid)
        ? row._uuid
        : transaction.insert('Interface', { name: member });
    });
    transaction.update('Port', uuid, { interfaces });
  }

  private setRow(transaction: Build, table: WrittenTable, uuid: Uuid, cells: Cells): void {
    const row = columnsOf(table, cells, 'plain columns');
    if (Object.keys(row).length > 0) transaction.update(table, uuid, row);
    const merged = new Map<string, Record<string, string>>();
    const removed = new Map<string, string[]>();
    for (const [cell, value] of Object.entries(cells)) {
      const { column, key } = splitCell(cell);
      if (key === '') continue;
      const name = column.slice(table.length + 1);
      if (name === 'protocols') transaction.addTo('Bridge', uuid, 'protocols', [key]);
      else if (value === null) removed.set(name, [...(removed.get(name) ?? []), key]);
      else merged.set(name, { ...merged.get(name), [key]: String(value) });
    }
    for (const [column, keys] of removed) transaction.removeKeys(table, uuid, column as 'other_config', keys);
    for (const [column, pairs] of merged) transaction.mergeInto(table, uuid, column as 'other_config', pairs);
  }

  private setControllers(
    transaction: Build,
    { bridge, targets, former }: RowChange & { kind: 'set-controllers' },
  ): void {
    const rows = [...this.client.replica.table('Controller')];
    const uuid = this.uuid('Bridge', bridge);
    const present = this.client.replica.table('Bridge').get(uuid)?.controller ?? [];
    const controller = targets.map(
      (target) =>
        rows.find((row) => row.target === target && present.includes(row._uuid))?._uuid ??
        transaction.insert('Controller', { target }),
    );
    transaction.update('Bridge', uuid, { controller });
    if (former === null) transaction.removeKeys('Bridge', uuid, 'external_ids', [FORMER_CONTROLLERS]);
    else transaction.mergeInto('Bridge', uuid, 'external_ids', { [FORMER_CONTROLLERS]: former.join(' ') });
  }

  private setQos(
    transaction: Build,
    { port, portRow, qos, plugin, queuePlugins }: RowChange & { kind: 'set-qos' },
  ): void {
    const queues = Object.fromEntries(
      Object.entries(qos.queues).map(([number, queue]) => [
        Number(number),
        transaction.insert('Queue', {
          other_config: queue.otherConfig,
          external_ids: { [QUEUE_MARK]: queue.name, [OWNER_MARK]: queuePlugins[Number(number)] ?? plugin },
        }),
      ]),
    );
    const row = transaction.insert('QoS', {
      type: qos.type,
      other_config: qos.otherConfig,
      external_ids: { [OWNER_MARK]: plugin },
      queues: new Map(Object.entries(queues).map(([number, queue]) => [Number(number), queue])),
    });
    const uuid = this.portRow(port, portRow);
    this.forgetQos(transaction, uuid);
    transaction.update('Port', uuid, { qos: row });
  }

  /** QoS and Queue are root tables: what nobody refers to any more stays unless it is deleted. */
  private forgetQos(transaction: Build, port: Uuid): void {
    const old = this.client.replica.table('Port').get(port)?.qos;
    const row = old === undefined ? undefined : this.client.replica.table('QoS').get(old);
    if (row === undefined || !row.external_ids.has(OWNER_MARK)) return;
    transaction.update('Port', port, { qos: undefined });
    transaction.delete('QoS', row._uuid);
    for (const queue of row.queues.values()) transaction.delete('Queue', queue);
  }

  private portRow(name: string, planned: string): Uuid {
    const uuid = this.uuid('Port', name);
    if (uuid === planned) return uuid;
    throw new RowGone(`Port ${name} is gone, and another has its name`);
  }

  private uuid(table: WrittenTable, name: string): Uuid {
    const row = this.client.replica.table(table).findBy('name', name);
    if (row !== undefined) return row._uuid;
    throw new RowGone(`${table} ${name} is gone`);
  }
}

/** The cells of one table as a row to write; maps and sets are put together unless only plain columns are asked for. */
function columnsOf(table: WrittenTable, cells: Cells, which: 'all' | 'plain columns' = 'all'): Record<string, never> {
  const row: Record<string, unknown> = {};
  for (const [cell, value] of Object.entries(cells)) {
    const { column, key } = splitCell(cell);
    // Interfaces are rows of their own, which whoever writes the port sees to.
    if (!column.startsWith(`${table}.`) || cell === BOND_MEMBERS) continue;
    const name = column.slice(table.length + 1);
    if (key === '') row[name] = written(value);
    else if (which === 'all' && name === 'protocols') row[name] = [...((row[name] as string[] | undefined) ?? []), key];
    else if (which === 'all' && value !== null)
      row[name] = { ...(row[name] as object | undefined), [key]: String(value) };
  }
  return row as Record<string, never>;
}

/** The names that a cell holds, where it holds any. */
function namesIn(value: CellValue | undefined): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

function written(value: CellValue): unknown {
  return value === null ? undefined : value;
}
