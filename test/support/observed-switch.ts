import type { Host } from './bed-host';
import type { Cell, ComparedTable, Row } from './bed-rows';

const BRIDGES = ['br-int', 'br-tun', 'br-ex'] as const;
const TABLES: readonly ComparedTable[] = ['Bridge', 'Port', 'Interface', 'Controller'];

/**
 * A switch as lines, one for each flow and each column (each key of a map) that an agent decides, so that two switches can be compared:
 * ports by name, local VLANs by the kind of their network, conjunctions without their numbers.
 */
export async function linesOf(host: Host): Promise<readonly string[]> {
  const ports = await host.rows('Port');
  const vlans = new Map(
    ports.flatMap(({ tag, other_config }) => {
      const kind = (other_config as Record<string, string>).network_type;
      return kind === undefined ? [] : [[Number(tag), `${kind}'s`] as const];
    }),
  );
  const numbers = await portNumbers(host);
  const flows = await Promise.all(
    BRIDGES.map(async (bridge) =>
      (await host.dumpFlows(bridge)).map((flow) => `${bridge} ${normalised(flow, vlans, numbers)}`),
    ),
  );
  const rows = await Promise.all(
    TABLES.map(async (table) => (await host.rows(table)).flatMap((row) => linesOfRow(table, row, vlans))),
  );
  return [...flows, ...rows].flat().sort();
}

function normalised(flow: string, vlans: ReadonlyMap<number, string>, ports: ReadonlyMap<number, string>): string {
  const vlan = (text: string) => vlans.get(Number(text)) ?? text;
  return flow
    .replace(/(dl_vlan=|ct_zone=|mod_vlan_vid:|reg6=)(0x[0-9a-f]+|\d+)/g, (_, name, id) => `${name}${vlan(id)}`)
    .replace(/set_field:(\d+)->vlan_vid/g, (_, id) => `${vlan(String(Number(id) - 0x1000))}->vlan_vid`)
    .replace(/(?:set_field|load):(0x[0-9a-f]+)->(?:NXM_NX_REG6\[\]|reg6)/g, (_, id) => `${vlan(id)}->reg6`)
    .replace(/reg5=(0x[0-9a-f]+)/g, (_, id) => `reg5=${ports.get(Number(id)) ?? id}`)
    .replace(
      /(?:set_field|load):(0x[0-9a-f]+)->(?:NXM_NX_REG5\[\]|reg5)/g,
      (_, id) => `${ports.get(Number(id)) ?? id}->reg5`,
    )
    .replace(/conj_id=\d+/g, 'conj_id=…')
    .replace(/conjunction\(\d+,/g, 'conjunction(…,')
    .replace(/(?:set_field|load):0x[0-9a-f]+->(?:NXM_NX_REG7\[\]|reg7)/g, '…->reg7');
}

function linesOfRow(table: ComparedTable, row: Row, vlans: ReadonlyMap<number, string>): readonly string[] {
  const name = String(row.name ?? row.target);
  return Object.entries(row).flatMap(([column, value]) =>
    cells(column, value).map(([label, cell]) => {
      const isVlan = table === 'Port' && (label === 'tag' || label === 'other_config:tag');
      const text = String(cell ?? 'none');
      return `${table} ${name} ${label}=${isVlan ? (vlans.get(Number(text)) ?? text) : text}`;
    }),
  );
}

function cells(column: string, value: Cell): readonly (readonly [string, Cell])[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[column, value]];
  return Object.entries(value).map(([key, one]) => [`${column}:${key}`, one as Cell]);
}

/** Names of br-int's ports by their OpenFlow number. */
async function portNumbers(host: Host): Promise<ReadonlyMap<number, string>> {
  const listing = await host.ofctl('show', 'br-int');
  return new Map(
    [...listing.matchAll(/^ (\d+)\((\S+)\):/gm)].map(([, number, name]) => [Number(number), String(name)]),
  );
}
