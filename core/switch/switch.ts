import type { Claim, Effects, Logger, SwitchReconnection, SwitchView, Unsubscribe } from '@patchbay/sdk';
import type { MaskedCookie, ReservedFlows } from '../kernel/config/reservations';
import type { DesiredKeys } from './desired-store';
import type { ExplainedKey } from './explain';
import type { StreamSource } from './ovsdb';
import type { PacketDispatch } from './packet-ins';
import type { Contest } from './planner/contest';
import type { Diff } from './planner/print';
import type { Writing } from './reconciler/guard';
import type { Connect } from './reconciler/links';
import type { ReconcilerFigures } from './reconciler/reconciler';
import type { ListedPlugin, SwitchSettings } from './settings';

export interface SwitchOptions {
  readonly settings: SwitchSettings;
  readonly logger: Logger;
  /** All plugins on the list, in their order. */
  readonly plugins: readonly ListedPlugin[];
  /** Cookies that belong to somebody else, who writes to claimed tables with the operator's consent. */
  readonly reservedCookies?: readonly MaskedCookie[];
  /** Places in which flows under cookies that are not ours are somebody else's, likewise. */
  readonly reservedFlows?: readonly ReservedFlows[];
  /** Controller targets that are swapped for ours on bridges the agent states; the reference agent's unless told. */
  readonly replacedControllers?: readonly string[];
  /** `watching`: nothing is ever written, nor locked. */
  readonly mode?: 'writing' | 'watching';
  /** Told how long each round took, in milliseconds. */
  readonly onRound?: (ms: number) => void;
  /** For tests: other ways to reach the database and the bridges. */
  readonly ovsdbTarget?: StreamSource;
  readonly connect?: Connect;
}

export interface SwitchStatus {
  readonly writing: Writing;
  readonly databaseConnected: boolean;
  /** Bridges whose flow tables are known. */
  readonly bridgesRead: readonly string[];
  readonly keys: number;
  /** Flows that are installed on the bridges that are known. */
  readonly flows: number;
  readonly pending: number;
  /** Bridges that are being taken over from the reference agent. */
  readonly takingOver: readonly string[];
  /** Keys that do not get onto the switch, whatever the reason. */
  readonly quarantined: number;
  /** Keys that lost to others, and strangers' reserved flows that lost to keys. */
  readonly conflicts: readonly Pick<Contest, 'place' | 'reason'>[];
  readonly figures: Readonly<ReconcilerFigures>;
}

/** The switch side as a whole: everything about the switch goes through here, and only its reconciler writes. */
export interface Switch {
  readonly store: DesiredKeys;
  readonly view: SwitchView;
  effects(plugin: string): Effects;
  /** Tables that a plugin was allotted, besides those that its manifest claims. Said before it states anything. */
  claimTables(plugin: string, claims: readonly Claim[]): void;
  /** Packets that flows of plugins sent up. */
  readonly packets: Pick<PacketDispatch, 'subscribe'>;
  /** Resolves when the database was read for the first time. @throws where it cannot be within `ovsdb_timeout`. */
  start(): Promise<void>;
  /** Every plugin has started. Before, nothing is written: what one wants closed must not go out before another has said what stays open. */
  beginWriting(): void;
  /** What is on the switch stays there. */
  stop(): Promise<void>;
  status(): SwitchStatus;
  explain(subject: string): readonly ExplainedKey[];
  /** What would be written now if everything were compared. Changes nothing. */
  plan(): Diff;
  /**
   * Gives the switch back to the reference agent, and writes nothing from then on. Answers what was done, for people.
   * @throws PatchbayError `PB-SWITCH-HELD` where nothing may be written now.
   */
  release(): Promise<readonly string[]>;
  /** What `release` would change. */
  planRelease(): Diff;
  /** Reads and compares the whole switch again. */
  compareAll(cause: string): void;
  /** Bridges whose flow tables were found empty, or new, after they had been wired. */
  onReconnected(listener: (reconnection: SwitchReconnection) => void): Unsubscribe;
  /** Everything that was stated so far has been dealt with. */
  settled(): Promise<void>;
}
