import type { Flow, Group, Match, Meter } from '@patchbay/sdk/flow';
import type { InstalledFlow } from './installed-flow';

/** OpenFlow 1.3.5, 7.3.4.1: what a flow-mod may ask besides. */
export interface FlowModFlags {
  readonly sendFlowRemoved?: boolean;
  readonly checkOverlap?: boolean;
  readonly resetCounts?: boolean;
}

/** Which flows a deletion or a dump is about; without table: all tables. A cookie without mask must be met in full. */
export interface FlowFilter {
  readonly table?: number;
  readonly match?: Match;
  readonly cookie?: bigint;
  readonly cookieMask?: bigint;
}

export type FlowMod =
  | {
      readonly kind: 'flow';
      readonly command: 'add';
      readonly flow: Flow;
      readonly cookie: bigint;
      readonly flags?: FlowModFlags;
    }
  /** Actions of the flows that match, cookie left as it is. `modify_strict` is about one flow. Neither adds. */
  | {
      readonly kind: 'flow';
      readonly command: 'modify' | 'modify_strict';
      readonly flow: Flow;
      readonly cookie?: bigint;
      readonly cookieMask?: bigint;
      readonly flags?: FlowModFlags;
    }
  | { readonly kind: 'flow'; readonly command: 'delete'; readonly filter: FlowFilter }
  /** Exactly one flow: that table, priority and match. */
  | {
      readonly kind: 'flow';
      readonly command: 'delete_strict';
      readonly flow: Pick<Flow, 'table' | 'priority' | 'match'>;
      readonly cookie?: bigint;
      readonly cookieMask?: bigint;
    }
  /** Exactly one flow, by the bytes of its match as the switch gave them: for a flow that was read back. */
  | { readonly kind: 'flow'; readonly command: 'delete_installed'; readonly installed: InstalledFlow };

export type GroupMod =
  | { readonly kind: 'group'; readonly command: 'add' | 'modify' | 'add_or_modify'; readonly group: Group }
  | { readonly kind: 'group'; readonly command: 'delete'; readonly group: number };

export type MeterMod =
  | { readonly kind: 'meter'; readonly command: 'add' | 'modify'; readonly meter: Meter }
  | { readonly kind: 'meter'; readonly command: 'delete'; readonly meter: number };

/** A change of the switch's tables. */
export type FlowTableMessage = FlowMod | GroupMod | MeterMod;

export interface PortDescription {
  readonly port: number;
  readonly name: string;
  readonly macAddress: string;
  /** OFPPC_* and OFPPS_* bits. */
  readonly config: number;
  readonly state: number;
}

export interface PortStatus {
  readonly reason: 'add' | 'delete' | 'modify';
  readonly port: PortDescription;
}

export interface PacketIn {
  readonly reason: number;
  readonly table: number;
  readonly cookie: bigint;
  readonly inPort: number;
  /** The rest of the packet's metadata: registers, tunnel id, connection state. */
  readonly match: Match;
  /** Whole length of the frame; `frame` is shorter where the action gave a limit. */
  readonly totalLength: number;
  readonly frame: Buffer;
}

export interface PacketOut {
  readonly inPort?: number | 'CONTROLLER' | 'LOCAL';
  readonly actions: Flow['actions'];
  readonly frame: Buffer;
}

export interface FlowRemoved {
  /** OFPRR_*: 0 idle, 1 hard, 2 deleted, 3 group deleted, 4 meter deleted, 5 evicted. */
  readonly reason: number;
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
}

export type FlowUpdate =
  | { readonly event: 'initial' | 'added' | 'removed' | 'modified'; readonly flow: InstalledFlow }
  /** A change that this connection itself asked for, by the request's transaction id. */
  | { readonly event: 'own'; readonly xid: number }
  /** The switch ran out of room for updates; what changes until `resumed` is told again then. */
  | { readonly event: 'paused' | 'resumed' };

export interface FlowMonitorOptions {
  /** Tell the flows that are there already. */
  readonly initial?: boolean;
  /** Tell this connection's own changes in full too, not by transaction id. */
  readonly own?: boolean;
  readonly table?: number;
}

export interface FlowMonitor {
  stop(): Promise<void>;
}

export interface MeterFeatures {
  readonly maxMeters: number;
  readonly maxBands: number;
}

export interface SwitchDescription {
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
}

/** Ends a subscription. */
export type Unsubscribe = () => void;

/**
 * What the reconciler needs of one bridge's flow tables. Met by a connection to a switch and by the fake in memory.
 *
 * Every call may reject with OpenFlowConnectionError; those that change something also with OpenFlowError, whose `failedIndex` names the message refused, with
 * FlowNotationError or UnresolvedPortError before anything is sent.
 */
export interface FlowTableClient {
  readonly bridge: string;
  dumpFlows(filter?: FlowFilter): Promise<InstalledFlow[]>;
  dumpGroups(): Promise<Group[]>;
  dumpMeters(): Promise<Meter[]>;
  meterFeatures(): Promise<MeterFeatures>;
  portDescriptions(): Promise<PortDescription[]>;
  /** Flows and groups, all or none of them, in that order. Meters do not travel in bundles: `send` them. */
  bundle(messages: readonly FlowTableMessage[]): Promise<void>;
  /** One by one, and a barrier: what is before a refused message stands, and so does what is after it. */
  send(messages: readonly FlowTableMessage[]): Promise<void>;
  barrier(): Promise<void>;
  packetOut(packet: PacketOut): Promise<void>;
  flowMonitor(listener: (update: FlowUpdate) => void, options?: FlowMonitorOptions): Promise<FlowMonitor>;
  onPacketIn(listener: (packet: PacketIn) => void): Unsubscribe;
  onPortStatus(listener: (status: PortStatus) => void): Unsubscribe;
  onFlowRemoved(listener: (removed: FlowRemoved) => void): Unsubscribe;
  /** Called once when the connection ends: with the reason, or nothing after `close`. */
  onClose(listener: (reason: Error | undefined) => void): Unsubscribe;
  close(): Promise<void>;
}
