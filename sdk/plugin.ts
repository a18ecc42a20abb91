import 'reflect-metadata';
import { injectable } from 'tsyringe';
import type { z } from 'zod';
import type { AgentHooks, HookName } from './hooks';
import type { Token } from './tokens';

/** Which part of the switch a plugin writes. Tables it claims on the integration and tunnel bridge are the agent's alone. */
export interface Claim {
  /** A role, or a bridge by name. `provider`: any provider bridge. */
  readonly bridge: 'integration' | 'tunnel' | 'provider' | { readonly name: string };
  readonly tables: readonly number[] | 'all';
  /** Lowest and highest priority, both included. Default: any. */
  readonly priorities?: readonly [number, number];
}

/**
 * Columns of the switch database that a plugin writes, by the names of ovs-vswitchd.conf.db(5). Making a bridge writes
 * `Open_vSwitch:bridges`; making a port, or taking one off its bridge, writes `Bridge:ports`: the rest of a made port is its maker's.
 */
export type OvsdbColumn =
  | 'Open_vSwitch:bridges'
  | 'Bridge:ports'
  | 'Bridge:datapath_type'
  | 'Bridge:fail_mode'
  | 'Bridge:protocols'
  | 'Bridge:other_config'
  | 'Bridge:external_ids'
  | 'Bridge:mcast_snooping_enable'
  | 'Port:tag'
  | 'Port:other_config'
  | 'Port:qos'
  | 'Interface:other_config';

/** Which columns a plugin writes on a bridge and on the ports there. */
export interface ColumnClaim {
  readonly bridge: Claim['bridge'];
  readonly columns: readonly OvsdbColumn[];
}

/**
 * Meters or groups that a plugin writes under numbers of its own choice. Numbers that `Service.numbers` gave it need no claim; those that it
 * may give are nobody's to claim.
 */
export interface NumberClaim {
  readonly kind: 'meter' | 'group';
  readonly bridge: Claim['bridge'];
  /** Lowest and highest number, both included. */
  readonly numbers: readonly [number, number];
}

/** A table of the plugin's own, by a name of its choice. The host gives it a number and keeps it. */
export interface TableRequest {
  readonly bridge: 'integration' | 'tunnel';
  readonly name: string;
}

/**
 * Packets that a plugin is told of; those beyond are dropped, and counted in its health. Operators have a ceiling for any one plugin
 * (`packet_in_ceiling`, 1000 a second, in bursts of twice as many): a plugin that asks for more is not started.
 */
export interface PacketAllowance {
  readonly perSecond: number;
  /** How many at once after a pause. */
  readonly burst: number;
}

/** What the host knows of a plugin before it runs any of its code. */
export interface Manifest {
  /** Lower case, words joined by hyphens. */
  readonly id: string;
  /** One line: what it does, in network terms. */
  readonly summary: string;
  /** The SDK versions it was written for, as a semver range. */
  readonly sdk: string;
  /** Services it cannot do without that another plugin provides, and plugins that must be there. */
  readonly requires?: readonly (Token<unknown> | string)[];
  /** Plugins that come first, where they are on the list. */
  readonly after?: readonly string[];
  /** Plugins that come later, where they are on the list. */
  readonly before?: readonly string[];
  /** The plugin whose place it takes. It owes what that one provided. */
  readonly replaces?: string;
  readonly provides?: readonly Token<unknown>[];
  /** A strict object schema; what it does not name is refused. */
  readonly config?: z.ZodType;
  /** Options that are paths of files: a relative one starts at the folder of the configuration. */
  readonly paths?: readonly string[];
  /** What is wrong with the files that the options name, a line each, for `config check`. Starts nothing. */
  readonly examine?: (options: unknown) => readonly string[];
  /** Flows that no claim, and no table of its own, covers are refused: that key, and no other. */
  readonly claims?: readonly Claim[];
  /** Rows that no claim covers are refused likewise. */
  readonly columns?: readonly ColumnClaim[];
  /** Meters and groups that no claim covers, and that the plugin was not allotted, are refused likewise. */
  readonly numbers?: readonly NumberClaim[];
  /** Tables of its own; their numbers are in `Service.tables`. What it writes there needs no claim. */
  readonly tables?: readonly TableRequest[];
  /** How many packets its own flows may have it told of (`Service.packetIns`). Default: 100 a second, in bursts of up to 200. */
  readonly packetIns?: PacketAllowance;
  /** Its part is a condition of every port's being open: where it fails, the port stays shut. Operators must allow it. */
  readonly required?: boolean;
  /** Whether the agent goes on without it when it cannot start. */
  readonly onFailure: 'abort' | 'degrade';
}

/** Binds a provided service to its value. */
export type Provide = <T>(token: Token<T>, value: T) => void;

/** The life of a plugin: constructed (no input or output), `provide`, `tap`, `start`, … `stop`. All but the constructor are optional. */
export interface Plugin {
  /** Hands over the services that the manifest says it provides. */
  provide?(provide: Provide): void;
  /** Taps hooks: a table of contents of what it reacts to. */
  tap?(hooks: AgentHooks): void;
  start?(): Promise<void> | void;
  /** What the plugin stated stays on the switch; what it opened is closed. */
  stop?(): Promise<void> | void;
}

// biome-ignore lint/suspicious/noExplicitAny: constructor parameters are filled by the container, whatever their types.
export type PluginClass = new (...services: any[]) => Plugin;

const manifestKey = 'patchbay:manifest';

/** Marks a class as a plugin and gives its manifest. */
export function plugin(manifest: Manifest): (target: PluginClass) => void {
  return (target) => {
    Reflect.defineMetadata(manifestKey, Object.freeze({ ...manifest }), target);
    injectable()(target);
  };
}

/** The manifest of a plugin class, or undefined if it is none. */
export function manifestOf(target: object): Manifest | undefined {
  return Reflect.getOwnMetadata(manifestKey, target) as Manifest | undefined;
}

/** Which plugins tapped what, for printing. */
export interface TapListing {
  readonly hook: HookName;
  readonly plugins: readonly string[];
}
