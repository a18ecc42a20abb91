/**
 * The switch's configuration as the planner sees it: rows of the Open_vSwitch database as plain values, found by name.
 * Columns nobody of ours reads or writes are left out.
 */
export interface BridgeRow {
  readonly name: string;
  readonly datapathType: string;
  readonly datapathId: string | null;
  readonly failMode: string | null;
  readonly protocols: readonly string[];
  readonly mcastSnooping: boolean;
  readonly otherConfig: TextMap;
  readonly externalIds: TextMap;
  readonly controllers: readonly ControllerRow[];
}

export interface ControllerRow {
  readonly target: string;
  /** Somebody serves the target: another agent is at work on this bridge. */
  readonly connected: boolean;
}

export interface PortRow {
  readonly uuid: string;
  readonly bridge: string;
  readonly name: string;
  readonly tag: number | null;
  readonly vlanMode: string | null;
  readonly trunks: readonly number[];
  readonly bondMode: string | null;
  readonly lacp: string | null;
  readonly otherConfig: TextMap;
  readonly externalIds: TextMap;
  readonly qos: QosRow | null;
  /** More than one makes a bond. */
  readonly interfaces: readonly InterfaceRow[];
}

export interface InterfaceRow {
  readonly name: string;
  readonly type: string;
  /** null: not given yet. -1: ovs-vswitchd could not make it, and `error` says why. */
  readonly ofport: number | null;
  readonly error: string | null;
  /** The address that is asked for; null: one of the switch's choice. */
  readonly mac: string | null;
  readonly options: TextMap;
  readonly otherConfig: TextMap;
  readonly externalIds: TextMap;
}

export interface QosRow {
  readonly type: string;
  readonly otherConfig: TextMap;
  readonly externalIds: TextMap;
  readonly queues: Readonly<Record<number, QueueRow>>;
}

export interface QueueRow {
  readonly otherConfig: TextMap;
  readonly externalIds: TextMap;
}

export type TextMap = Readonly<Record<string, string>>;

/** Where rows are looked up. Port names are unique on a switch, not only on a bridge. */
export interface Rows {
  bridge(name: string): BridgeRow | undefined;
  port(name: string): PortRow | undefined;
  bridges(): Iterable<BridgeRow>;
  ports(): Iterable<PortRow>;
}

/** OpenFlow's number for a bridge's own port, OFPP_LOCAL, as OpenFlow 1.3 writes it; the database has its 16-bit form. */
const LOCAL_IN_DATABASE = 0xfffe;
const LOCAL = 0xfffffffe;

/** The number of a port on that bridge, or why there is none. */
export type PortNumber = { readonly number: number } | { readonly waitingFor: string };

/** Resolves a port's name on a bridge. */
export function portNumber(rows: Rows, bridge: string, name: string): PortNumber {
  const port = rows.port(name);
  if (port === undefined || port.bridge !== bridge) return { waitingFor: `port ${name} on ${bridge}` };
  const ofport = port.interfaces.find((it) => it.name === name)?.ofport ?? port.interfaces[0]?.ofport ?? null;
  if (ofport === null) return { waitingFor: `an OpenFlow number for port ${name} on ${bridge}` };
  if (ofport < 0) {
    const error = port.interfaces.map((it) => it.error ?? 'the switch could not make it').join('; ');
    return { waitingFor: `port ${name} on ${bridge} to work: ${error}` };
  }
  return { number: ofport === LOCAL_IN_DATABASE ? LOCAL : ofport };
}
