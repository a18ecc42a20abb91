/** Decodes what `ovs-vsctl --format=json list` prints, so that two switches can be compared: by names, without uuids, counters and times. */

export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [key: string]: Cell };
export type Row = Readonly<Record<string, Cell>>;

/** What of each table an agent decides; the rest is the switch's own (statistics, ofport, link state). */
export const COMPARED_COLUMNS = {
  Bridge: [
    'name',
    'datapath_type',
    'fail_mode',
    'protocols',
    'ports',
    'controller',
    'external_ids',
    'other_config',
    'mcast_snooping_enable',
  ],
  Port: ['name', 'tag', 'trunks', 'vlan_mode', 'interfaces', 'qos', 'external_ids', 'other_config'],
  Interface: [
    'name',
    'type',
    'options',
    'external_ids',
    'mtu_request',
    'ingress_policing_rate',
    'ingress_policing_burst',
  ],
  Controller: ['target', 'connection_mode', 'inactivity_probe', 'max_backoff', 'other_config'],
} as const;

export type ComparedTable = keyof typeof COMPARED_COLUMNS;

/** The column that names a row where another row refers to it. */
const NAMED_BY: Readonly<Record<ComparedTable, string>> = {
  Bridge: 'name',
  Port: 'name',
  Interface: 'name',
  Controller: 'target',
};

interface Listing {
  readonly headings: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

/** From the JSON listings of all compared tables, the rows of one, sorted by name. */
export function comparedRows(table: ComparedTable, listings: Readonly<Record<ComparedTable, string>>): readonly Row[] {
  const names = new Map<string, string>();
  for (const other of Object.keys(COMPARED_COLUMNS) as ComparedTable[]) {
    const { headings, data } = JSON.parse(listings[other]) as Listing;
    for (const row of data) {
      const [, uuid] = row[headings.indexOf('_uuid')] as [string, string];
      names.set(uuid, String(row[headings.indexOf(NAMED_BY[other])]));
    }
  }
  const { headings, data } = JSON.parse(listings[table]) as Listing;
  return data
    .map((row) => {
      const columns = COMPARED_COLUMNS[table].map((column) => [column, cell(row[headings.indexOf(column)], names)]);
      return Object.fromEntries(columns) as Row;
    })
    .sort((a, b) => order(a[NAMED_BY[table]], b[NAMED_BY[table]]));
}

/** RFC 7047, section 5.1: `["set", […]]`, `["map", [[key, value], …]]`, `["uuid", "…"]`, or an atom. An empty set is null. */
function cell(value: unknown, names: ReadonlyMap<string, string>): Cell {
  if (!Array.isArray(value)) return value as string | number | boolean;
  const [kind, content] = value as [string, unknown];
  if (kind === 'uuid') return names.get(String(content)) ?? 'a row of another table';
  if (kind === 'map') {
    const pairs = (content as readonly [string, unknown][]).map(([key, one]) => [key, cell(one, names)] as const);
    return Object.fromEntries([...pairs].sort(([a], [b]) => order(a, b)));
  }
  const members = (content as readonly unknown[]).map((one) => cell(one, names)).sort(order);
  return members.length === 0 ? null : members;
}

const order = (a: unknown, b: unknown): number => {
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};

/**
 * The lines of `ovs-ofctl --names --no-stats dump-flows`, sorted, without the reply's head and (unless kept) without cookies,
 * which differ from start to start of the reference agent.
 */
export function comparedFlows(dump: string, cookies: 'with cookies' | 'without cookies'): readonly string[] {
  return dump
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(OFPST_FLOW|NXST_FLOW)/.test(line))
    .map((line) => (cookies === 'with cookies' ? line : line.replace(/^cookie=0x[0-9a-f]+, ?/, '')))
    .map(withFloodByName)
    .sort(order);
}

/**
 * A flow whose flood, a run of outputs with nothing between them, names its ports in the order of their names: both agents list
 * them in that of the ports' numbers or of a set, which is another from host to host.
 */
export const withFloodByName = (flow: string): string =>
  flow.replace(/output:[^,]+(?:,output:[^,]+)+/g, (outputs) => outputs.split(',').sort(order).join(','));
