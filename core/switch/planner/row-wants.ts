import type { BridgeRecord, GateRecord, PortRecord, QosRecord } from '@patchbay/sdk';
import { DEAD_VLAN } from '@patchbay/sdk';
import type { Contest } from './contest';
import { compareOwners, nameOf, type Owner } from './owner';
import { type MergedQos, mergeQos } from './qos';

/**
 * One place in a row, as `Table.column`, `Table.column:key` of a map, or `Table.column+element` of a set, with the columns' own
 * names: `Port.tag`, `Port.other_config:net_uuid`, `Bridge.protocols+OpenFlow13`.
 */
export type Cell = string;
/** null: to be absent. */
export type CellValue = string | number | boolean | readonly (string | number)[] | null;
export type Cells = Readonly<Record<Cell, CellValue>>;

/** What one owner wants of one Bridge or Port row. */
export interface RowWant {
  readonly owner: Owner;
  readonly row: RowId;
  /** The row is made where it is missing. */
  readonly make?: true;
  /** The row is taken away. */
  readonly take?: true;
  readonly cells: Cells;
  /** Of a port of the owner's own: which of the columns that hold one value each it states. Those that it stated before are cleared. */
  readonly columns?: readonly OwnColumn[];
  readonly qos?: QosRecord;
}

/** Columns of a made port that are its maker's as far as it states them. */
export const OWN_COLUMNS = ['Port.tag', 'Port.vlan_mode', 'Port.trunks', 'Interface.mac'] as const;
export type OwnColumn = (typeof OWN_COLUMNS)[number];

/** The Port external_ids key that lists those of these columns which we wrote, so that a later run clears what no record states any more. */
export const COLUMNS_MARK = 'patchbay-columns';

export type RowId =
  | { readonly table: 'Bridge'; readonly name: string }
  | { readonly table: 'Port'; readonly bridge: string; readonly name: string };

/** Rows are found by name alone: a port's name is unique on a switch. */
export function rowKey(row: RowId): string {
  return `${row.table} ${row.name}`;
}

/** Marks rows of ours with the plugin that wanted them. */
export const OWNER_MARK = 'patchbay-owner';
/** The peer of a patch port that leads nowhere yet: ovs-vswitchd gives a patch port no number without one. Neutron's agent has the same name for it. */
export const NO_PEER = 'nonexistent-peer';

/** The cell that holds the names of a bond's interfaces, sorted. */
export const BOND_MEMBERS = 'Port.interfaces';

export function bridgeWant(owner: Owner, record: BridgeRecord): RowWant {
  const cells: Record<Cell, CellValue> = {
    ...defined('Bridge.datapath_type', record.datapathType),
    ...defined('Bridge.fail_mode', record.failMode),
    ...defined('Bridge.mcast_snooping_enable', record.mcastSnooping),
    ...mapCells('Bridge.other_config', record.otherConfig),
    ...mapCells('Bridge.external_ids', record.externalIds),
  };
  for (const protocol of record.protocols ?? []) cells[`Bridge.protocols+${protocol}`] = true;
  const make = record.presence === 'create' ? ({ make: true } as const) : {};
  return { owner, row: { table: 'Bridge', name: record.name }, ...make, cells };
}

/** @param adopted the name under which the port exists already, where it has another. */
export function portWant(owner: Owner, record: PortRecord, adopted: string, connected: boolean): RowWant {
  const own = record.kind === 'patch' || record.kind === 'internal' ? ownCells(record) : {};
  const cells: Record<Cell, CellValue> = {
    ...(record.kind === 'bond' ? bondCells(record) : interfaceCells(record)),
    ...own,
    ...mapCells('Port.other_config', record.otherConfig),
    [`Port.external_ids:${OWNER_MARK}`]: owner.plugin,
  };
  if (record.kind === 'patch' && connected) cells['Interface.options:peer'] = record.peer;
  if (record.kind === 'tunnel') Object.assign(cells, mapCells('Interface.options', record.options));
  const columns = OWN_COLUMNS.filter((column) => column in own);
  return { owner, row: { table: 'Port', bridge: record.bridge, name: adopted }, make: true, cells, columns };
}

function ownCells(record: PortRecord & { readonly kind: 'patch' | 'internal' }): Cells {
  const { tag, vlanMode, trunks } = record;
  return {
    ...defined('Port.tag', tag),
    ...defined('Port.vlan_mode', vlanMode),
    ...defined('Port.trunks', trunks && [...new Set(trunks)].sort((left, right) => left - right)),
    ...(record.kind === 'internal' ? defined('Interface.mac', record.mac?.toLowerCase()) : {}),
  };
}

function interfaceCells(record: Exclude<PortRecord, { readonly kind: 'bond' }>): Record<Cell, CellValue> {
  return {
    'Interface.type': record.kind === 'tunnel' ? record.type : record.kind,
    ...mapCells('Interface.external_ids', record.externalIds),
  };
}

/** A bond's interfaces are the devices, by their names; whatever is theirs alone is not ours to write. */
function bondCells({
  members,
  mode,
  lacp,
  externalIds,
}: PortRecord & { readonly kind: 'bond' }): Record<Cell, CellValue> {
  return {
    [BOND_MEMBERS]: [...members].sort(),
    'Port.bond_mode': mode,
    'Port.lacp': lacp,
    ...mapCells('Port.external_ids', externalIds),
  };
}

/** `held`: nothing is known yet that would justify changing the gate. */
export type GatePosition = 'open' | 'shut' | 'held';

export function gateWant(owner: Owner, gate: GateRecord, position: GatePosition): RowWant {
  const row: RowId = { table: 'Port', bridge: gate.bridge, name: gate.port };
  if (gate.unplugged === true) return { owner, row, take: true, cells: {} };
  return {
    owner,
    row,
    cells: {
      ...mapCells('Port.other_config', gate.otherConfig),
      ...mapCells('Interface.other_config', gate.interfaceOtherConfig),
      ...tagCells(gate.tag, position),
    },
  };
}

export function qosWant(owner: Owner, qos: QosRecord, bridge: string): RowWant {
  return { owner, row: { table: 'Port', bridge, name: qos.port }, cells: {}, qos };
}

function tagCells(tag: number | undefined, position: GatePosition): Cells {
  if (tag === undefined) return {};
  if (tag === DEAD_VLAN || position === 'shut') return { 'Port.tag': DEAD_VLAN };
  if (position === 'held') return {};
  return { 'Port.tag': tag, 'Port.vlan_mode': null, 'Port.trunks': [] };
}

function mapCells(column: string, map: Readonly<Record<string, string | null>> | undefined): Record<Cell, CellValue> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [`${column}:${key}`, value]));
}

function defined(cell: Cell, value: CellValue | undefined): Record<Cell, CellValue> {
  return value === undefined ? {} : { [cell]: value };
}

/** What all owners together want of one row. */
export interface MergedWant {
  readonly row: RowId;
  readonly make: boolean;
  /** The first who makes the row. */
  readonly maker: Owner | undefined;
  readonly take: boolean;
  readonly cells: Cells;
  /** Of a port that somebody makes: the columns that its makers state; of any other row undefined. */
  readonly columns: readonly OwnColumn[] | undefined;
  readonly qos: MergedQos | undefined;
  readonly owners: readonly Owner[];
}

/** Cells that every owner may state for itself: whoever is first marks the row. */
const SHARED_CELL = `Port.external_ids:${OWNER_MARK}`;

/** Merges cell by cell, and QoS rows queue by queue; where two want different things the first owner in the plugins' order wins. */
export function mergeWants(wants: readonly RowWant[]): {
  readonly want: MergedWant | undefined;
  readonly contests: readonly Contest[];
} {
  const sorted = [...wants].sort((left, right) => compareOwners(left.owner, right.owner));
  const [first] = sorted;
  if (first === undefined) return { want: undefined, contests: [] };
  const cells: Record<Cell, CellValue> = {};
  const winners = new Map<Cell, Owner>();
  const contests: Contest[] = [];
  for (const { owner, cells: stated, row } of sorted) {
    for (const [cell, value] of Object.entries(stated)) {
      const winner = winners.get(cell);
      if (winner === undefined) {
        cells[cell] = value;
        winners.set(cell, owner);
      } else if (cell !== SHARED_CELL && !sameCell(cells[cell], value)) {
        contests.push({
          place: `${rowKey(row)} ${cell}`,
          winner,
          loser: owner,
          reason: contestReason(winner, `${cell} of ${row.name}`),
        });
      }
    }
  }
  const qos = mergeQos(
    sorted.flatMap((want) => (want.qos === undefined ? [] : [{ owner: want.owner, qos: want.qos }])),
  );
  return {
    want: {
      row: first.row,
      make: sorted.some((want) => want.make === true),
      maker: sorted.find((want) => want.make === true)?.owner,
      take: sorted.some((want) => want.take === true),
      cells,
      columns: columnsOf(sorted),
      qos: qos.qos,
      owners: [...new Set(sorted.map((want) => want.owner))],
    },
    contests: [...contests, ...qos.contests],
  };
}

function columnsOf(wants: readonly RowWant[]): readonly OwnColumn[] | undefined {
  if (!wants.some(({ columns }) => columns !== undefined)) return undefined;
  return OWN_COLUMNS.filter((column) => wants.some(({ columns }) => columns?.includes(column)));
}

export function sameCell(left: CellValue | undefined, right: CellValue | undefined): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => value === right[index]);
  }
  return left === right;
}

function contestReason(winner: Owner, place: string): string {
  return `${place} is stated differently by ${nameOf(winner)}, which comes first`;
}
