import { OPEN_VSWITCH_COLUMNS } from '../open-vswitch';

/** Which table a column of references points to. Those of a map are its values. */
const REFERENCES: Readonly<Record<string, { readonly table: string; readonly weak?: true }>> = {
  'Open_vSwitch.bridges': { table: 'Bridge' },
  'Open_vSwitch.manager_options': { table: 'Manager' },
  'Open_vSwitch.ssl': { table: 'SSL' },
  'Open_vSwitch.datapaths': { table: 'Datapath' },
  'Bridge.ports': { table: 'Port' },
  'Bridge.mirrors': { table: 'Mirror' },
  'Bridge.netflow': { table: 'NetFlow' },
  'Bridge.sflow': { table: 'sFlow' },
  'Bridge.ipfix': { table: 'IPFIX' },
  'Bridge.controller': { table: 'Controller' },
  'Bridge.flow_tables': { table: 'Flow_Table' },
  'Bridge.auto_attach': { table: 'AutoAttach' },
  'Port.interfaces': { table: 'Interface' },
  'Port.qos': { table: 'QoS' },
  'QoS.queues': { table: 'Queue' },
  'Mirror.select_src_port': { table: 'Port', weak: true },
  'Mirror.select_dst_port': { table: 'Port', weak: true },
  'Mirror.output_port': { table: 'Port', weak: true },
  'Flow_Sample_Collector_Set.bridge': { table: 'Bridge' },
  'Flow_Sample_Collector_Set.ipfix': { table: 'IPFIX' },
  'Datapath.ct_zones': { table: 'CT_Zone' },
  'CT_Zone.timeout_policy': { table: 'CT_Timeout_Policy' },
};

const INDEXES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Bridge: [['name']],
  Port: [['name']],
  Interface: [['name']],
  Manager: [['target']],
  Flow_Sample_Collector_Set: [['id', 'bridge']],
};

const ROOTS: ReadonlySet<string> = new Set(['Open_vSwitch', 'QoS', 'Queue', 'Flow_Sample_Collector_Set']);

const ONE_ROW: ReadonlySet<string> = new Set(['Open_vSwitch', 'SSL']);

/** Bounds that an agent can run into, as vswitch.ovsschema has them. */
const BOUNDS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'Bridge.fail_mode': { enum: ['set', ['standalone', 'secure']] },
  'Port.vlan_mode': {
    enum: ['set', ['trunk', 'access', 'native-tagged', 'native-untagged', 'dot1q-tunnel']],
  },
  'Port.tag': { minInteger: 0, maxInteger: 4095 },
  'Port.trunks': { minInteger: 0, maxInteger: 4095 },
  'Interface.ofport_request': { minInteger: 1, maxInteger: 65279 },
};

/** At least one: a port without an interface is refused. */
const NOT_EMPTY: ReadonlySet<string> = new Set(['Port.interfaces']);

/** The Open_vSwitch schema in the form of an `.ovsschema` file, complete as to tables, columns, references and indexes. */
export function openVSwitchSchema(): object {
  const tables = Object.entries(OPEN_VSWITCH_COLUMNS).map(([table, columns]) => {
    const typed = Object.entries(columns).map(([column, shape]) => [
      column,
      { type: typeOf(`${table}.${column}`, shape) },
    ]);
    const definition = {
      columns: Object.fromEntries(typed),
      ...(ROOTS.has(table) ? { isRoot: true } : {}),
      ...(ONE_ROW.has(table) ? { maxRows: 1 } : {}),
      ...(INDEXES[table] === undefined ? {} : { indexes: INDEXES[table] }),
    };
    return [table, definition];
  });
  return { name: 'Open_vSwitch', version: '8.3.1', tables: Object.fromEntries(tables) };
}

function typeOf(path: string, shape: string): object {
  const [key, value] = shape.split(':');
  const atom = (name: string): object => ({ type: name, ...referenceOf(path, name), ...BOUNDS[path] });
  if (key !== undefined && value !== undefined) {
    return { key: atom(key), value: atom(value), min: 0, max: 'unlimited' };
  }
  if (shape.endsWith('*')) return { key: atom(shape.slice(0, -1)), min: NOT_EMPTY.has(path) ? 1 : 0, max: 'unlimited' };
  return shape.endsWith('?') ? { key: atom(shape.slice(0, -1)), min: 0, max: 1 } : { key: atom(shape) };
}

function referenceOf(path: string, type: string): object {
  const reference = REFERENCES[path];
  if (type !== 'uuid' || reference === undefined) return {};
  return { refTable: reference.table, ...(reference.weak ? { refType: 'weak' } : {}) };
}
