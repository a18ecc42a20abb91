import type { Action, Flow, Match, PortRef } from './flow';
import type { Unsubscribe } from './services';

export interface InterfaceView {
  readonly name: string;
  readonly type: string;
  /** null until the switch has given one; -1: the switch could not make it. */
  readonly ofport: number | null;
  readonly error: string | null;
  readonly options: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
}

export interface PortView {
  /** The Port row's `_uuid`: a port that is made again under the same name has another. */
  readonly uuid: string;
  readonly bridge: string;
  readonly name: string;
  readonly tag: number | null;
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
  readonly interfaces: readonly InterfaceView[];
}

export interface BridgeView {
  readonly name: string;
  readonly datapathId: string | null;
  readonly datapathType: string;
  readonly failMode: string | null;
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
}

export type SwitchChange =
  | { readonly kind: 'port-added'; readonly port: PortView; readonly cause: string }
  | { readonly kind: 'port-changed'; readonly port: PortView; readonly previous: PortView; readonly cause: string }
  | { readonly kind: 'port-removed'; readonly port: PortView; readonly cause: string }
  | { readonly kind: 'bridge-added'; readonly bridge: BridgeView; readonly cause: string }
  | { readonly kind: 'bridge-removed'; readonly bridge: BridgeView; readonly cause: string };

export interface SwitchSummary {
  readonly ovsVersion: string;
  readonly datapathTypes: readonly string[];
  readonly interfaceTypes: readonly string[];
  readonly hardwareOffload: boolean;
  readonly connected: boolean;
}

/** A connection that conntrack follows, as its first packet went. */
export interface TrackedConnection extends ConntrackTuple {
  /** ct_mark. */
  readonly mark: number;
}

/** The switch, for reading. */
export interface SwitchView {
  summary(): Promise<SwitchSummary>;
  bridges(): Promise<readonly BridgeView[]>;
  /** Resolves only after the first full read of the switch. */
  ports(bridge?: string): Promise<readonly PortView[]>;
  /**
   * Flows as the agent knows them installed, for checking allocated ids against. On the integration and the tunnel bridge, some
   * seconds are waited for until their tables were read; a bridge that is not there has none. Each is made into data for the asker:
   * where there may be a hundred thousand, ask for no more tables and `priorities`, lowest and highest, than you look at.
   */
  flows(
    bridge: string,
    tables?: readonly number[],
    priorities?: readonly [lowest: number, highest: number],
  ): Promise<readonly (Flow & { readonly cookie: bigint })[]>;
  /** The connections of a zone. Absent, or rejecting, where the switch cannot be asked for them. */
  connections?(zone: number): Promise<readonly TrackedConnection[]>;
  /** One call per change, in order. Changes of one switch transaction come without a pause between them. */
  watch(listener: (changes: readonly SwitchChange[]) => void): Unsubscribe;
}

export interface ConntrackTuple {
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** Flows that a bridge learned by itself and that are to go. */
export interface LearnedFlows {
  readonly bridge: string;
  /** Only those in this table. */
  readonly table?: number;
  /** Only those that match at least this. Fields that learned flows are made of: `vlan_tci: '0x0005/0x0fff'`, `eth_dst`. */
  readonly match?: Match;
  /** Only those that send to this port. Its name is resolved when the call is made, so the port may be on its way out. */
  readonly outPort?: PortRef;
  /**
   * `now`: at once. `settled`: when everything that any plugin had stated before the call is acknowledged, or it is known why not, so
   * that flows on their way out cannot learn it anew; never awaited by a tap, for what it states leaves only after it has answered.
   */
  readonly when: 'now' | 'settled';
}

/** Acts that are not state. Each is logged with who did it. */
export interface Effects {
  packetOut(packet: {
    readonly bridge: string;
    readonly inPort?: PortRef;
    readonly actions: readonly Action[];
    readonly bytes: Uint8Array;
  }): Promise<void>;
  /** Forgets connections of a zone: all of them, or those of the tuple (absent parts match anything). */
  flushConntrack(zone: number, tuple?: ConntrackTuple): Promise<void>;
  /** Deletes flows under LEARNED_COOKIE, and no others. A bridge or a port that is not there has none: that is no error. */
  deleteLearned(flows: LearnedFlows): Promise<void>;
}
