import type { OpenVSwitchTables, Replica, RowChange, Uuid } from './ovsdb';
import type { BridgeRow, ControllerRow, InterfaceRow, PortRow, QosRow, QueueRow, Rows, TextMap } from './planner/rows';

/** The tables and columns that the switch side reads or writes. */
export const REPLICATED = {
  Open_vSwitch: [
    'bridges',
    'other_config',
    'external_ids',
    'next_cfg',
    'cur_cfg',
    'ovs_version',
    'datapath_types',
    'iface_types',
  ],
  Bridge: [
    ...(['name', 'datapath_type', 'datapath_id', 'fail_mode', 'protocols', 'mcast_snooping_enable'] as const),
    ...(['other_config', 'external_ids', 'controller', 'ports'] as const),
  ],
  Port: [
    'name',
    'interfaces',
    'tag',
    'vlan_mode',
    'trunks',
    'bond_mode',
    'lacp',
    'qos',
    'other_config',
    'external_ids',
  ],
  Interface: ['name', 'type', 'ofport', 'error', 'mac', 'options', 'other_config', 'external_ids'],
  Controller: ['target', 'is_connected'],
  QoS: ['type', 'queues', 'other_config', 'external_ids'],
  Queue: ['other_config', 'external_ids'],
} as const;

/** How one row of ours changed: what it was and what it is. */
export interface MirrorChange<Row> {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

export interface MirrorChanges {
  readonly bridges: readonly MirrorChange<BridgeRow>[];
  readonly ports: readonly MirrorChange<PortRow>[];
}

/** The database's rows joined by their references, by name; only what a batch of changes touches is joined again. */
export class RowsMirror implements Rows {
  private readonly bridgesByUuid = new Map<Uuid, BridgeRow>();
  private readonly portsByUuid = new Map<Uuid, PortRow>();
  private readonly bridgesByName = new Map<string, BridgeRow>();
  private readonly portsByName = new Map<string, PortRow>();
  /** Port → bridge, Interface → Port, QoS → Port, Queue → QoS, Controller → Bridge: who refers to a row. */
  private readonly parents = new Map<Uuid, Uuid>();

  constructor(private readonly replica: Replica<Pick<OpenVSwitchTables, keyof typeof REPLICATED>>) {}

  bridge(name: string): BridgeRow | undefined {
    return this.bridgesByName.get(name);
  }

  port(name: string): PortRow | undefined {
    return this.portsByName.get(name);
  }

  bridges(): Iterable<BridgeRow> {
    return this.bridgesByName.values();
  }

  ports(): Iterable<PortRow> {
    return this.portsByName.values();
  }

  /** Takes a batch of the replica's changes over. Answers the joined rows that are different now. */
  update(changes: readonly RowChange[]): MirrorChanges {
    const bridges = new Set<Uuid>();
    const ports = new Set<Uuid>();
    for (const change of changes) {
      if (change.table === 'Bridge') this.bridgeTouched(change, bridges, ports);
      else if (change.table === 'Port') this.portTouched(change, ports);
    }
    for (const { table, uuid } of changes) {
      const parent = this.parents.get(uuid);
      if (parent === undefined) continue;
      if (table === 'Controller') bridges.add(parent);
      else if (table === 'Interface' || table === 'QoS') ports.add(parent);
      else if (table === 'Queue') ports.add(this.parents.get(parent) ?? parent);
    }
    const joined = {
      bridges: [...bridges].flatMap((uuid) =>
        this.refresh(uuid, this.bridgesByUuid, this.bridgesByName, this.joinBridge(uuid)),
      ),
      ports: [...ports].flatMap((uuid) => this.refresh(uuid, this.portsByUuid, this.portsByName, this.joinPort(uuid))),
    };
    for (const { kind, uuid } of changes) if (kind === 'delete') this.parents.delete(uuid);
    return joined;
  }

  private bridgeTouched(change: RowChange, bridges: Set<Uuid>, ports: Set<Uuid>): void {
    bridges.add(change.uuid);
    const before = new Set(change.kind === 'insert' ? [] : (change.old.ports as readonly Uuid[]));
    const after = new Set(change.kind === 'delete' ? [] : (change.new.ports as readonly Uuid[]));
    for (const port of before) if (!after.has(port)) this.disown(port, change.uuid, ports);
    for (const port of after) {
      if (before.has(port)) continue;
      this.parents.set(port, change.uuid);
      ports.add(port);
    }
    const controllers = change.kind === 'delete' ? [] : (change.new.controller as readonly Uuid[]);
    for (const controller of controllers) this.parents.set(controller, change.uuid);
  }

  private disown(port: Uuid, bridge: Uuid, ports: Set<Uuid>): void {
    if (this.parents.get(port) === bridge) this.parents.delete(port);
    ports.add(port);
  }

  private portTouched(change: RowChange, ports: Set<Uuid>): void {
    ports.add(change.uuid);
    if (change.kind === 'delete') return;
    for (const iface of change.new.interfaces as readonly Uuid[]) this.parents.set(iface, change.uuid);
    const qos = change.new.qos as Uuid | undefined;
    if (qos !== undefined) this.parents.set(qos, change.uuid);
  }

  private refresh<Row extends { readonly name: string }>(
    uuid: Uuid,
    byUuid: Map<Uuid, Row>,
    byName: Map<string, Row>,
    after: Row | undefined,
  ): MirrorChange<Row>[] {
    const before = byUuid.get(uuid);
    if (before === undefined && after === undefined) return [];
    // A name may have gone to another row within the batch: then it is that row's.
    if (before !== undefined && byName.get(before.name) === before) byName.delete(before.name);
    if (after === undefined) {
      byUuid.delete(uuid);
      this.parents.delete(uuid);
    } else {
      byUuid.set(uuid, after);
      byName.set(after.name, after);
    }
    return [{ before, after }];
  }

  private joinBridge(uuid: Uuid): BridgeRow | undefined {
    const row = this.replica.table('Bridge').get(uuid);
    if (row === undefined) return undefined;
    return {
      name: row.name,
      datapathType: row.datapath_type,
      datapathId: row.datapath_id ?? null,
      failMode: row.fail_mode ?? null,
      protocols: row.protocols,
      mcastSnooping: row.mcast_snooping_enable,
      otherConfig: textMap(row.other_config),
      externalIds: textMap(row.external_ids),
      controllers: row.controller.flatMap((controller): ControllerRow[] => {
        const found = this.replica.table('Controller').get(controller);
        return found === undefined ? [] : [{ target: found.target, connected: found.is_connected }];
      }),
    };
  }

  /** A port that is on no bridge is none. */
  private joinPort(uuid: Uuid): PortRow | undefined {
    const row = this.replica.table('Port').get(uuid);
    const parent = this.parents.get(uuid);
    const bridge = parent === undefined ? undefined : this.replica.table('Bridge').get(parent);
    if (row === undefined || bridge === undefined) return undefined;
    return {
      uuid,
      bridge: bridge.name,
      name: row.name,
      tag: row.tag ?? null,
      vlanMode: row.vlan_mode ?? null,
      bondMode: row.bond_mode ?? null,
      lacp: row.lacp ?? null,
      trunks: row.trunks,
      otherConfig: textMap(row.other_config),
      externalIds: textMap(row.external_ids),
      qos: row.qos === undefined ? null : this.joinQos(row.qos),
      interfaces: row.interfaces.flatMap((iface) => this.joinInterface(iface) ?? []),
    };
  }

  private joinInterface(uuid: Uuid): InterfaceRow | undefined {
    const row = this.replica.table('Interface').get(uuid);
    if (row === undefined) return undefined;
    return {
      name: row.name,
      type: row.type,
      ofport: row.ofport ?? null,
      error: row.error ?? null,
      mac: row.mac ?? null,
      options: textMap(row.options),
      otherConfig: textMap(row.other_config),
      externalIds: textMap(row.external_ids),
    };
  }

  private joinQos(uuid: Uuid): QosRow | null {
    const row = this.replica.table('QoS').get(uuid);
    if (row === undefined) return null;
    const queues: Record<number, QueueRow> = {};
    for (const [number, queue] of row.queues) {
      const found = this.replica.table('Queue').get(queue);
      this.parents.set(queue, uuid);
      if (found !== undefined) {
        queues[number] = { otherConfig: textMap(found.other_config), externalIds: textMap(found.external_ids) };
      }
    }
    return { type: row.type, otherConfig: textMap(row.other_config), externalIds: textMap(row.external_ids), queues };
  }
}

function textMap(map: ReadonlyMap<string, string>): TextMap {
  return Object.fromEntries(map);
}
