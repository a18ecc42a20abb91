import type { Match } from './flow';
import type { Unsubscribe } from './services';

/** A frame that a flow of the plugin's own sent to the controller (`toController()`). */
export interface ReceivedPacket {
  readonly bridge: string;
  readonly table: number;
  /** The port that it came in by; null for one that has gone meanwhile, and for the bridge's own. */
  readonly inPort: string | null;
  /** What the pipeline knew of the packet: registers, tunnel id, connection state. */
  readonly match: Match;
  /** The frame's whole length; `bytes` is shorter where the action gave a limit. */
  readonly totalLength: number;
  readonly bytes: Uint8Array;
}

/**
 * Frames that the plugin's own flows send up. Nobody else's are told: a packet is known by its flow's cookie.
 * @experimental
 */
export interface PacketIns {
  /**
   * Listens on a bridge, or on one table of it. A plugin is told of as many packets as its manifest asks for (`packetIns`), by default at most 100
   * a second in bursts of up to 200, on all its listeners together; those beyond are dropped and counted in its health.
   */
  subscribe(
    from: { readonly bridge: string; readonly table?: number },
    listener: (packet: ReceivedPacket) => Promise<void> | void,
  ): Unsubscribe;
}

/** What a command may answer: text is printed as it is, anything else as JSON. */
export type CommandAnswer = string | Readonly<Record<string, unknown>> | readonly unknown[];

/** Commands for operators: `patchbay <plugin id> <name> [WORD…]`, asked of the running agent over its admin socket. */
export interface Commands {
  /**
   * Adds a command. An error that it throws is shown to who asked, with the plugin's name.
   * @throws PatchbayError `PB-COMMAND-TWICE` for a name that the plugin has already.
   */
  add(
    command: { readonly name: string; readonly summary: string; readonly usage?: string },
    run: (words: readonly string[]) => Promise<CommandAnswer> | CommandAnswer,
  ): Unsubscribe;
}

export type MetricLabels = Readonly<Record<string, string>>;

/**
 * The plugin's own Prometheus metrics, served with the agent's. A name gets the prefix `patchbay_<plugin id>_`; asking for the same name
 * again gives the same metric. Labels are those that the metric was made with, and no others.
 */
export interface PluginMetrics {
  counter(metric: MetricDefinition): { add(count?: number, labels?: MetricLabels): void };
  gauge(metric: MetricDefinition): { set(value: number, labels?: MetricLabels): void };
  histogram(metric: MetricDefinition & { readonly buckets?: readonly number[] }): {
    observe(value: number, labels?: MetricLabels): void;
  };
}

export interface MetricDefinition {
  /** Lower case, words joined by underscores, with its unit: `frames_total`, `delay_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Kinds of number that plugins share on one bridge. `register-bit`: a bit of the registers that nobody else uses; `registerBit` says which. */
export type NumberKind = 'meter' | 'group' | 'conjunction' | 'register-bit';

/**
 * Numbers that no other plugin is given. A name keeps its number over restarts, until it is released.
 * @experimental
 */
export interface Numbers {
  allot(kind: NumberKind, bridge: string, name: string): Promise<number>;
  /** The number may be given to another name. */
  release(kind: NumberKind, bridge: string, name: string): Promise<void>;
}

/** The numbers of the tables that the manifest asks for, by their names in it. Plain data: they do not change while the agent lives. */
export type AllottedTables = Readonly<Record<string, number>>;
