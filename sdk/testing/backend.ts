import type { InstalledFlow, Switch, SwitchSettings } from '@patchbay/agent/testing';

/** What is plugged into a bridge in a test. */
export interface PluggedPort {
  readonly name: string;
  /** Default `br-int`. */
  readonly bridge?: string;
  /** Interface:external_ids; `iface-id` and `attached-mac` make it a VIF. */
  readonly externalIds?: Readonly<Record<string, string>>;
}

/** A frame on its way to the plugin under test. */
export interface PacketSentUp {
  readonly bridge: string;
  readonly table: number;
  readonly bytes: Uint8Array;
  /** The port that it comes in by. Default: the bridge's own. */
  readonly inPort?: string;
  readonly cookie: bigint;
}

/** The part of the switch's options that says where the switch is. */
export interface SwitchReach {
  readonly settings: SwitchSettings;
  readonly more: Pick<Parameters<typeof import('@patchbay/agent/testing').createSwitch>[0], 'ovsdbTarget' | 'connect'>;
}

/** A switch to test on: one in memory, or a real Open vSwitch of the test's own. */
export interface Backend {
  readonly kind: 'memory' | 'ovs';
  readonly reach: SwitchReach;
  addBridge(name: string): Promise<void>;
  plug(port: PluggedPort): Promise<void>;
  unplug(name: string): Promise<void>;
  /** Sends a frame up as if a flow of this table, with this cookie, had. On a real switch the table's own flows decide. */
  packetIn(packet: PacketSentUp, side: Switch): Promise<void>;
  /** The switch ends and is there again: its tables are empty, its database is as it was. */
  restart(): Promise<void>;
  /** Flows as the switch itself has them, beside what the agent believes. */
  installed(bridge: string): Promise<readonly InstalledFlow[]>;
  /** Waits for what the agent has under way on this switch. */
  quiet(side: Switch): Promise<void>;
  stop(): Promise<void>;
}
