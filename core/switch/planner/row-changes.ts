import type { QosRecord } from '@patchbay/sdk';
import { DEAD_VLAN } from '@patchbay/sdk';
import type { Owner } from './owner';
import { sameMap } from './qos';
import {
  BOND_MEMBERS,
  type Cell,
  type Cells,
  type CellValue,
  COLUMNS_MARK,
  type MergedWant,
  NO_PEER,
  OWN_COLUMNS,
  OWNER_MARK,
  type RowId,
  sameCell,
} from './row-wants';
import type { BridgeRow, PortRow, QosRow, Rows } from './rows';

/**
 * One change of the database, with those who wanted it. What changes a port names the row that it was planned for: the name may be another
 * port's by the time it is written.
 */
export type RowChange = { readonly owners: readonly Owner[] } & (
  | { readonly kind: 'create-bridge'; readonly name: string; readonly cells: Cells }
  | { readonly kind: 'create-port'; readonly bridge: string; readonly name: string; readonly cells: Cells }
  | { readonly kind: 'delete-port'; readonly bridge: string; readonly name: string; readonly portRow: string }
  | { readonly kind: 'set'; readonly row: RowId; readonly cells: Cells; readonly portRow?: string }
  /** Swaps the controllers of a bridge that has some: never from none, never to none. */
  | {
      readonly kind: 'set-controllers';
      readonly bridge: string;
      readonly targets: readonly string[];
      /** Targets that ours replaces, recorded with it for the day the bridge is given back; null: they are forgotten. */
      readonly former: readonly string[] | null;
    }
  | {
      readonly kind: 'set-qos';
      readonly port: string;
      readonly portRow: string;
      readonly qos: QosRecord;
      readonly plugin: string;
      /** By number: whose each queue is. */
      readonly queuePlugins: Readonly<Record<number, string>>;
    }
  | { readonly kind: 'clear-qos'; readonly port: string; readonly portRow: string }
);

/** When a change is due. Closing goes before the flows of its round, opening and removing after them. */
export type RowPhase = 'closing' | 'structure' | 'opening' | 'removing';
export type PhasedChange = RowChange & { readonly phase: RowPhase };

/** What one row lacks of what is wanted of it. `waitingFor` names what must exist first. */
export function diffRow(
  want: MergedWant,
  rows: Rows,
): { readonly changes: readonly PhasedChange[]; readonly waitingFor?: string } {
  return want.row.table === 'Bridge' ? diffBridge(want, want.row.name, rows) : diffPort(want, want.row, rows);
}

function diffBridge(want: MergedWant, name: string, rows: Rows): ReturnType<typeof diffRow> {
  const { owners, cells } = want;
  const bridge = rows.bridge(name);
  if (bridge !== undefined)
    return {
      changes: set(
        want,
        differing(cells, (cell) => bridgeCell(bridge, cell)),
        'structure',
      ),
    };
  if (want.maker === undefined) return { changes: [], waitingFor: `bridge ${name}, which is the operator's to make` };
  const marked = { ...cells, [`Bridge.external_ids:${OWNER_MARK}`]: want.maker.plugin };
  return { changes: [{ kind: 'create-bridge', name, cells: marked, owners, phase: 'structure' }] };
}

function diffPort(want: MergedWant, row: RowId & { table: 'Port' }, rows: Rows): ReturnType<typeof diffRow> {
  const { owners, cells } = want;
  const { bridge, name } = row;
  const port = rows.port(name);
  if (want.take) {
    return {
      changes:
        port?.bridge === bridge
          ? [{ kind: 'delete-port', bridge, name, portRow: port.uuid, owners, phase: 'closing' }]
          : [],
    };
  }
  if (port !== undefined && port.bridge !== bridge) {
    return { changes: [], waitingFor: `port ${name} to leave bridge ${port.bridge} for ${bridge}` };
  }
  if (port === undefined) {
    if (!want.make) return { changes: [], waitingFor: `port ${name} on ${bridge}` };
    if (rows.bridge(bridge) === undefined) return { changes: [], waitingFor: `bridge ${bridge}` };
    const first = unconnected({ ...cells, ...columnsMark(want) });
    return { changes: [{ kind: 'create-port', bridge, name, cells: first, owners, phase: 'structure' }] };
  }
  const changes = set(
    want,
    differing({ ...clearing(want, port), ...cells, ...columnsMark(want) }, (cell) => portCell(port, cell)),
    undefined,
  ).map((change) => ({ ...change, portRow: port.uuid }));
  const qos = diffQos(want, port);
  return { changes: qos === undefined ? changes : [...changes, qos] };
}

/** Which columns are ours is written with them. */
function columnsMark({ columns }: MergedWant): Cells {
  if (columns === undefined) return {};
  return { [COLUMNS_CELL]: columns.length === 0 ? null : columns.join(' ') };
}

const COLUMNS_CELL = `Port.external_ids:${COLUMNS_MARK}`;

/** Columns that we wrote, in this run or an earlier one, and that the port's makers state no more. */
function clearing({ columns }: MergedWant, port: PortRow): Cells {
  const marked = port.externalIds[COLUMNS_MARK]?.split(' ') ?? [];
  const gone = OWN_COLUMNS.filter((column) => columns?.includes(column) === false && marked.includes(column));
  return Object.fromEntries(gone.map((column) => [column, column === 'Port.trunks' ? [] : null]));
}

/** A patch port is made before its flows and connected after them. */
function unconnected(cells: Cells): Cells {
  return cells['Interface.type'] === 'patch' ? { ...cells, 'Interface.options:peer': NO_PEER } : cells;
}

function set(want: MergedWant, cells: Cells | undefined, phase: RowPhase | undefined): readonly PhasedChange[] {
  if (cells === undefined) return [];
  return [{ kind: 'set', row: want.row, cells, owners: want.owners, phase: phase ?? phaseOf(cells) }];
}

/**
 * A port that goes from one VLAN to another is shut in between: the flows of its round are the other VLAN's already, and let frames of
 * this one pass unfiltered.
 */
export function shutInBetween(change: PhasedChange, rows: Rows): readonly PhasedChange[] {
  if (change.kind !== 'set' || change.row.table !== 'Port') return [change];
  const [now, next] = [rows.port(change.row.name)?.tag ?? null, change.cells['Port.tag']];
  if (!isLive(now) || !isLive(next)) return [change];
  return [{ ...change, cells: { 'Port.tag': DEAD_VLAN }, phase: 'closing' }, change];
}

const isLive = (tag: CellValue | undefined): boolean => typeof tag === 'number' && tag > 0 && tag < DEAD_VLAN;

/** All that changes on one port goes in one transaction, so a tag is never without the columns that belong to it. */
function phaseOf(cells: Cells): RowPhase {
  if (cells['Port.tag'] === DEAD_VLAN) return 'closing';
  return cells['Port.tag'] !== undefined ||
    cells['Port.vlan_mode'] !== undefined ||
    cells['Interface.options:peer'] !== undefined
    ? 'opening'
    : 'structure';
}

function differing(wanted: Cells, actual: (cell: Cell) => CellValue): Cells | undefined {
  const cells = Object.entries(wanted).filter(([cell, value]) => !sameCell(actual(cell), value));
  return cells.length === 0 ? undefined : Object.fromEntries(cells);
}

function bridgeCell(bridge: BridgeRow, cell: Cell): CellValue {
  switch (cell) {
    case 'Bridge.datapath_type':
      // The database has the empty text for the default.
      return bridge.datapathType === '' ? 'system' : bridge.datapathType;
    case 'Bridge.fail_mode':
      return bridge.failMode;
    case 'Bridge.mcast_snooping_enable':
      return bridge.mcastSnooping;
  }
  const { column, key } = splitCell(cell);
  if (column === 'Bridge.protocols') return bridge.protocols.includes(key);
  return (column === 'Bridge.other_config' ? bridge.otherConfig : bridge.externalIds)[key] ?? null;
}

function portCell(port: PortRow, cell: Cell): CellValue {
  const iface = port.interfaces.find((it) => it.name === port.name) ?? port.interfaces[0];
  switch (cell) {
    case 'Port.tag':
      return port.tag;
    case 'Port.vlan_mode':
      return port.vlanMode;
    case 'Port.trunks':
      return port.trunks;
    case 'Port.bond_mode':
      return port.bondMode;
    case 'Port.lacp':
      return port.lacp;
    case BOND_MEMBERS:
      return port.interfaces.map((it) => it.name).sort();
    case 'Interface.type':
      return iface?.type ?? '';
    case 'Interface.mac':
      return iface?.mac ?? null;
  }
  const { column, key } = splitCell(cell);
  switch (column) {
    case 'Port.other_config':
      return port.otherConfig[key] ?? null;
    case 'Port.external_ids':
      return port.externalIds[key] ?? null;
    case 'Interface.options':
      return iface?.options[key] ?? null;
    case 'Interface.other_config':
      return iface?.otherConfig[key] ?? null;
    default:
      return iface?.externalIds[key] ?? null;
  }
}

/** `Port.other_config:net_uuid` → column `Port.other_config`, key `net_uuid`. A plain column has the empty key. */
export function splitCell(cell: Cell): { readonly column: string; readonly key: string } {
  const at = cell.search(/[:+]/);
  return at < 0 ? { column: cell, key: '' } : { column: cell.slice(0, at), key: cell.slice(at + 1) };
}

function diffQos(want: MergedWant, port: PortRow): PhasedChange | undefined {
  if (want.qos === undefined) return undefined;
  const { record, owners, queueOwners } = want.qos;
  if (port.qos !== null && sameQos(record, port.qos)) return undefined;
  return {
    kind: 'set-qos',
    port: port.name,
    portRow: port.uuid,
    qos: record,
    plugin: owners[0].plugin,
    queuePlugins: Object.fromEntries(Object.entries(queueOwners).map(([number, { plugin }]) => [number, plugin])),
    owners,
    phase: 'structure',
  };
}

/** The Bridge external_ids key that holds the controllers which ours replaced, with spaces between. */
export const FORMER_CONTROLLERS = 'patchbay-former-controllers';
/** Marks a queue row with its stable name. */
export const QUEUE_MARK = 'patchbay-queue';

function sameQos(wanted: QosRecord, actual: QosRow): boolean {
  if (actual.type !== wanted.type || !sameMap(actual.otherConfig, wanted.otherConfig)) return false;
  const numbers = Object.keys(wanted.queues);
  if (numbers.length !== Object.keys(actual.queues).length) return false;
  return numbers.every((number) => {
    const [want, have] = [wanted.queues[Number(number)], actual.queues[Number(number)]];
    return (
      want !== undefined && have?.externalIds[QUEUE_MARK] === want.name && sameMap(have.otherConfig, want.otherConfig)
    );
  });
}

/** The plugin that a row is marked with, or undefined. A bridge bears a mark where we made it; one that was there does not. */
export function markOf(row: { readonly externalIds: Readonly<Record<string, string>> }): string | undefined {
  return row.externalIds[OWNER_MARK];
}

/** The name of the row that a change is about. */
export function rowNameOf(change: RowChange): string {
  switch (change.kind) {
    case 'set':
      return change.row.name;
    case 'set-controllers':
      return change.bridge;
    case 'set-qos':
    case 'clear-qos':
      return change.port;
    default:
      return change.name;
  }
}
