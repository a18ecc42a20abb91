import type { ColumnSchema, DatabaseSchema } from './schema';
import type { Uuid, Value } from './values';

/**
 * The tables of the Open_vSwitch database, column by column, as `vswitch.ovsschema` 8.3.1 (Open vSwitch 3.1) has them.
 *
 * Written by running `describeColumns` (below) over that file; a contract test runs it again over the schema of a live
 * server and names what differs. A server that lacks a column listed here is older, and is served without it: the
 * client leaves the column out of the rows and says so in `missingColumns`.
 *
 * Notation: `string` is exactly one, `string?` one or none, `string*` a set, `string:integer` a map.
 */
export const OPEN_VSWITCH_COLUMNS = {
  Open_vSwitch: {
    datapaths: 'string:uuid',
    bridges: 'uuid*',
    manager_options: 'uuid*',
    ssl: 'uuid?',
    other_config: 'string:string',
    external_ids: 'string:string',
    next_cfg: 'integer',
    cur_cfg: 'integer',
    statistics: 'string:string',
    ovs_version: 'string?',
    db_version: 'string?',
    system_type: 'string?',
    system_version: 'string?',
    datapath_types: 'string*',
    iface_types: 'string*',
    dpdk_initialized: 'boolean',
    dpdk_version: 'string?',
  },
  Bridge: {
    name: 'string',
    datapath_type: 'string',
    datapath_version: 'string',
    datapath_id: 'string?',
    stp_enable: 'boolean',
    rstp_enable: 'boolean',
    mcast_snooping_enable: 'boolean',
    ports: 'uuid*',
    mirrors: 'uuid*',
    netflow: 'uuid?',
    sflow: 'uuid?',
    ipfix: 'uuid?',
    controller: 'uuid*',
    protocols: 'string*',
    fail_mode: 'string?',
    status: 'string:string',
    rstp_status: 'string:string',
    other_config: 'string:string',
    external_ids: 'string:string',
    flood_vlans: 'integer*',
    flow_tables: 'integer:uuid',
    auto_attach: 'uuid?',
  },
  Port: {
    name: 'string',
    interfaces: 'uuid*',
    trunks: 'integer*',
    cvlans: 'integer*',
    tag: 'integer?',
    vlan_mode: 'string?',
    qos: 'uuid?',
    mac: 'string?',
    bond_mode: 'string?',
    lacp: 'string?',
    bond_updelay: 'integer',
    bond_downdelay: 'integer',
    bond_active_slave: 'string?',
    bond_fake_iface: 'boolean',
    fake_bridge: 'boolean',
    status: 'string:string',
    rstp_status: 'string:string',
    rstp_statistics: 'string:integer',
    statistics: 'string:integer',
    protected: 'boolean',
    other_config: 'string:string',
    external_ids: 'string:string',
  },
  Interface: {
    name: 'string',
    type: 'string',
    options: 'string:string',
    ingress_policing_rate: 'integer',
    ingress_policing_burst: 'integer',
    ingress_policing_kpkts_rate: 'integer',
    ingress_policing_kpkts_burst: 'integer',
    mac_in_use: 'string?',
    mac: 'string?',
    ifindex: 'integer?',
    external_ids: 'string:string',
    ofport: 'integer?',
    ofport_request: 'integer?',
    bfd: 'string:string',
    bfd_status: 'string:string',
    cfm_mpid: 'integer?',
    cfm_remote_mpids: 'integer*',
    cfm_flap_count: 'integer?',
    cfm_fault: 'boolean?',
    cfm_fault_status: 'string*',
    cfm_remote_opstate: 'string?',
    cfm_health: 'integer?',
    lacp_current: 'boolean?',
    lldp: 'string:string',
    other_config: 'string:string',
    statistics: 'string:integer',
    status: 'string:string',
    admin_state: 'string?',
    link_state: 'string?',
    link_resets: 'integer?',
    link_speed: 'integer?',
    duplex: 'string?',
    mtu: 'integer?',
    mtu_request: 'integer?',
    error: 'string?',
  },
  Flow_Table: {
    name: 'string?',
    flow_limit: 'integer?',
    overflow_policy: 'string?',
    groups: 'string*',
    prefixes: 'string*',
    external_ids: 'string:string',
  },
  QoS: {
    type: 'string',
    queues: 'integer:uuid',
    other_config: 'string:string',
    external_ids: 'string:string',
  },
  Queue: {
    dscp: 'integer?',
    other_config: 'string:string',
    external_ids: 'string:string',
  },
  Mirror: {
    name: 'string',
    select_all: 'boolean',
    select_src_port: 'uuid*',
    select_dst_port: 'uuid*',
    select_vlan: 'integer*',
    output_port: 'uuid?',
    output_vlan: 'integer?',
    snaplen: 'integer?',
    statistics: 'string:integer',
    external_ids: 'string:string',
  },
  Controller: {
    type: 'string?',
    target: 'string',
    max_backoff: 'integer?',
    inactivity_probe: 'integer?',
    connection_mode: 'string?',
    local_ip: 'string?',
    local_netmask: 'string?',
    local_gateway: 'string?',
    enable_async_messages: 'boolean?',
    controller_queue_size: 'integer?',
    controller_rate_limit: 'integer?',
    controller_burst_limit: 'integer?',
    other_config: 'string:string',
    external_ids: 'string:string',
    is_connected: 'boolean',
    role: 'string?',
    status: 'string:string',
  },
  Manager: {
    target: 'string',
    max_backoff: 'integer?',
    inactivity_probe: 'integer?',
    connection_mode: 'string?',
    other_config: 'string:string',
    external_ids: 'string:string',
    is_connected: 'boolean',
    status: 'string:string',
  },
  SSL: {
    private_key: 'string',
    certificate: 'string',
    ca_cert: 'string',
    bootstrap_ca_cert: 'boolean',
    external_ids: 'string:string',
  },
  NetFlow: {
    targets: 'string*',
    engine_type: 'integer?',
    engine_id: 'integer?',
    add_id_to_interface: 'boolean',
    active_timeout: 'integer',
    external_ids: 'string:string',
  },
  sFlow: {
    targets: 'string*',
    sampling: 'integer?',
    polling: 'integer?',
    header: 'integer?',
    agent: 'string?',
    external_ids: 'string:string',
  },
  IPFIX: {
    targets: 'string*',
    sampling: 'integer?',
    obs_domain_id: 'integer?',
    obs_point_id: 'integer?',
    cache_active_timeout: 'integer?',
    cache_max_flows: 'integer?',
    other_config: 'string:string',
    external_ids: 'string:string',
  },
  Flow_Sample_Collector_Set: {
    id: 'integer',
    bridge: 'uuid',
    ipfix: 'uuid?',
    external_ids: 'string:string',
  },
  Datapath: {
    datapath_version: 'string',
    ct_zones: 'integer:uuid',
    capabilities: 'string:string',
    external_ids: 'string:string',
  },
  CT_Zone: {
    timeout_policy: 'uuid?',
    external_ids: 'string:string',
  },
  CT_Timeout_Policy: {
    timeouts: 'string:integer',
    external_ids: 'string:string',
  },
  AutoAttach: {
    system_name: 'string',
    system_description: 'string',
    mappings: 'integer:integer',
  },
} as const;

type Atoms = {
  readonly integer: number;
  readonly real: number;
  readonly boolean: boolean;
  readonly string: string;
  readonly uuid: Uuid;
};
type Shapes = `${keyof Atoms}` | `${keyof Atoms}?` | `${keyof Atoms}*` | `${keyof Atoms}:${keyof Atoms}`;

/** The value a column of this notation has in a decoded row. */
export type ValueOf<Shape> = Shape extends keyof Atoms
  ? Atoms[Shape]
  : Shape extends `${infer Key extends keyof Atoms}?`
    ? Atoms[Key] | undefined
    : Shape extends `${infer Key extends keyof Atoms}*`
      ? readonly Atoms[Key][]
      : Shape extends `${infer Key extends keyof Atoms}:${infer Item extends keyof Atoms}`
        ? ReadonlyMap<Atoms[Key], Atoms[Item]>
        : Value;

/** The row type of a table described in the notation above. */
export type RowOf<Columns> = { readonly _uuid: Uuid } & {
  readonly [Column in keyof Columns]: ValueOf<Columns[Column]>;
};

/** All tables by name, as the type argument of a client. */
export type OpenVSwitchTables = {
  readonly [Table in keyof typeof OPEN_VSWITCH_COLUMNS]: RowOf<(typeof OPEN_VSWITCH_COLUMNS)[Table]>;
};

export type OpenVSwitchRow = RowOf<(typeof OPEN_VSWITCH_COLUMNS)['Open_vSwitch']>;

/** Describes a running server's schema in the notation of `OPEN_VSWITCH_COLUMNS`. */
export function describeColumns(schema: DatabaseSchema): Record<string, Record<string, Shapes>> {
  const described: Record<string, Record<string, Shapes>> = {};
  for (const [name, table] of schema.tables) {
    described[name] = Object.fromEntries([...table.columns].map(([column, type]) => [column, shapeOf(type)]));
  }
  return described;
}

function shapeOf(column: ColumnSchema): Shapes {
  const { type } = column.key;
  switch (column.shape) {
    case 'scalar':
      return type;
    case 'optional':
      return `${type}?`;
    case 'set':
      return `${type}*`;
    case 'map':
      return `${type}:${column.value?.type ?? 'string'}`;
  }
}
