import type { Flow, Group, Meter } from './flow';

/** A bridge as it should be. Maps are merged into the row's, key by key; keys nobody names stay as they are. */
export interface BridgeRecord {
  readonly name: string;
  /** `create`: made if missing, with its controller row in the same transaction. `expect`: an operator's; missing, everything on it is pending. */
  readonly presence: 'create' | 'expect';
  readonly datapathType?: 'system' | 'netdev';
  readonly failMode?: 'secure' | 'standalone';
  /** Added to the protocols that are enabled, never removed. */
  readonly protocols?: readonly string[];
  readonly otherConfig?: Readonly<Record<string, string>>;
  readonly externalIds?: Readonly<Record<string, string>>;
  readonly mcastSnooping?: boolean;
}

/**
 * VLAN columns of a port that the agent makes. Those that are stated are put right where somebody edits them, and cleared once the record
 * states them no more; the others are left alone. Not for a VIF (an `iface-id` on the integration bridge): its VLAN is its gate's.
 */
export interface PortVlans {
  /** Port:tag, 0 to 4094. */
  readonly tag?: number;
  /** Port:vlan_mode. Absent, Open vSwitch takes a port with a tag for `access` and one without for `trunk`. */
  readonly vlanMode?: 'access' | 'trunk' | 'native-tagged' | 'native-untagged';
  /** Port:trunks, 0 to 4094 each. Absent or empty: all VLANs. */
  readonly trunks?: readonly number[];
}

/**
 * A port that the agent makes and, with its key, removes. A patch port or tunnel that is there by that name is adopted, unless it is a VIF; an
 * internal port or bond waits until a port of its name that nobody of ours made is gone. A tunnel is adopted under another name, too,
 * that Open vSwitch does not tell from this one: of the same type, addresses, port, key of what comes in, and kind of packets.
 */
export type PortRecord =
  | (PortVlans & {
      readonly kind: 'patch';
      readonly bridge: string;
      readonly name: string;
      /** The name of the other end. Set last: until then the port leads nowhere. */
      readonly peer: string;
      readonly otherConfig?: Readonly<Record<string, string>>;
      readonly externalIds?: Readonly<Record<string, string>>;
    })
  | {
      readonly kind: 'tunnel';
      readonly bridge: string;
      readonly name: string;
      /** Interface type: vxlan, gre, ip6gre or geneve. */
      readonly type: string;
      /** All of Interface:options, `remote_ip` among them. */
      readonly options: Readonly<Record<string, string>>;
      readonly otherConfig?: Readonly<Record<string, string>>;
      readonly externalIds?: Readonly<Record<string, string>>;
    }
  /** Several network devices as one port, which NORMAL and the bridge's own learning treat as one. Flows see the members' numbers. */
  | {
      readonly kind: 'bond';
      readonly bridge: string;
      readonly name: string;
      /** Names of the devices, two or more. Their interfaces are made with the port and go with it. */
      readonly members: readonly string[];
      /** Port:bond_mode. `balance-tcp` needs LACP. */
      readonly mode: 'active-backup' | 'balance-slb' | 'balance-tcp';
      /** Port:lacp. */
      readonly lacp: 'active' | 'passive' | 'off';
      /** Port:other_config: `lacp-time`, `bond-miimon-interval`, … */
      readonly otherConfig?: Readonly<Record<string, string>>;
      /** Port:external_ids. */
      readonly externalIds?: Readonly<Record<string, string>>;
    }
  | (PortVlans & {
      readonly kind: 'internal';
      readonly bridge: string;
      readonly name: string;
      /** Interface:mac, as `52:54:00:12:34:56`: one station's. Stated, put right and cleared as the VLAN columns are. */
      readonly mac?: string;
      readonly otherConfig?: Readonly<Record<string, string>>;
      readonly externalIds?: Readonly<Record<string, string>>;
    });

/**
 * What is written on somebody else's port (a VIF that Nova plugged): the gate. Written after the flows of its round when it opens
 * and before them when it closes (a tag of DEAD_VLAN, or `unplugged`).
 *
 * A gate opens only while every *required* plugin has stated a key `port/<subject>` (empty, where it wants nothing), all of these are
 * applied, and its own admission flows are: until then, and whenever one of them is withdrawn, pending or quarantined, the tag is
 * DEAD_VLAN and the admission flows are withheld.
 */
export interface GateRecord {
  readonly bridge: string;
  /** The Port row's name. */
  readonly port: string;
  /** The Port row's `_uuid`: another port that has the name by now gets nothing of this. Absent: whichever port has the name. */
  readonly portRow?: string;
  /** The control plane's port id. */
  readonly subject: string;
  /** Flows that let the port's frames in. Withheld while the gate is shut. */
  readonly admission?: readonly Flow[];
  /** Port:tag. Setting it to a live VLAN clears vlan_mode and trunks. */
  readonly tag?: number;
  /** Merged into Port:other_config; a key wanted as null is removed. */
  readonly otherConfig?: Readonly<Record<string, string | null>>;
  /** Merged into Interface:other_config. */
  readonly interfaceOtherConfig?: Readonly<Record<string, string | null>>;
  /**
   * The port was wired when it was found, and nobody has described it yet: it stays open without a word from required plugins, for
   * what guarded it is still there. On a bridge whose tables were found empty it is not, and the port is shut.
   */
  readonly found?: true;
  /** The port is taken off the bridge: its binding went to another host. */
  readonly unplugged?: true;
}

export interface QueueRecord {
  /** Stable name of the queue among this owner's. */
  readonly name: string;
  readonly otherConfig: Readonly<Record<string, string>>;
}

/**
 * A QoS row on a port, with its queues by number. A port has room for one: records of several keys are one row where type and otherConfig
 * are the same and no number is another queue's; otherwise the first in the plugins' order has it, and the other key is `quarantined`.
 */
export interface QosRecord {
  readonly port: string;
  readonly type: string;
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<number, QueueRecord>>;
}

/** Everything that one key of one plugin wants on the switch. The kinds are closed: a new one needs a decision record. */
export interface DesiredRecords {
  readonly bridges?: readonly BridgeRecord[];
  readonly ports?: readonly PortRecord[];
  readonly gates?: readonly GateRecord[];
  readonly qos?: readonly QosRecord[];
  readonly meters?: readonly Meter[];
  readonly groups?: readonly Group[];
  readonly flows?: readonly Flow[];
}

/** How far one key has come. */
export type KeyProgress =
  | { readonly state: 'applied' }
  /** Waits for a port or bridge that does not exist yet. */
  | { readonly state: 'pending'; readonly waitingFor: readonly string[] }
  /**
   * It is held back: it cannot be compiled, the switch refused it (it is tried again with back-off), or another plugin has its place.
   * What was stated beside it went through. The plugin's health names the key with the reason.
   */
  | { readonly state: 'quarantined'; readonly reason: string }
  | { readonly state: 'unset' };

/**
 * A plugin's own slice of the desired state. Keys are the plugin's (`port/<id>`, `segment/<network>/<segmentation id>`).
 *
 * What taps set while one fact is delivered leaves together, in one round, after the last of them has answered;
 * what is set outside a delivery leaves with the next round.
 */
export interface DesiredState {
  /** States what should be there under the key; replaces what the key stated before. */
  set(key: string, records: DesiredRecords): void;
  /** Withdraws the key. Withdrawing what is not there is no error. */
  unset(key: string): void;
  keys(): readonly string[];
  /** Settles when the switch has acknowledged the key as it is now, or it is known why not. */
  progress(key: string): Promise<KeyProgress>;
  /**
   * The plugin has stated all it knows of: what carries its cookie and is wanted by no key may be swept.
   * Until then what an earlier run installed stays.
   */
  complete(): void;
}
