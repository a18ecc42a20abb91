import type { HealthLevel, KeyProgress, PortStage } from '@patchbay/sdk';

/** What the running agent says of itself: plain data, sent over the admin socket as JSON. */
export interface StatusReport {
  readonly host: string;
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Ready: the first synchronisation is done. */
  readonly ready: boolean;
  readonly phase: string;
  readonly health: HealthLevel;
  readonly plugins: readonly PluginHealthReport[];
  readonly switch: SwitchReport;
  readonly ports: Readonly<Record<string, number>>;
  readonly rpc: RpcReport | null;
}

export interface PluginHealthReport {
  readonly plugin: string;
  readonly level: HealthLevel;
  readonly conditions: readonly { readonly condition: string; readonly level: string; readonly detail: string }[];
}

export interface SwitchReport {
  readonly connected: boolean;
  readonly version: string;
  /** `yes`, or why nothing is written. */
  readonly writing: string;
  readonly keys: number;
  readonly flows: number;
  readonly pending: number;
  readonly quarantined: number;
  readonly conflicts: readonly string[];
  /** Bridges that are being taken over from the reference agent. */
  readonly takingOver: readonly string[];
  /** Edits by others that were found, by what they did. */
  readonly drift: Readonly<Record<'removed' | 'changed' | 'added' | 'row', number>>;
  readonly rounds: number;
  /** The last round in one line. */
  readonly lastRound: string;
  readonly lastRoundMs: number;
}

export interface RpcReport {
  readonly connected: boolean;
  readonly detail: string;
  readonly connections: number;
  readonly queues: number;
  readonly lastReceivedMsAgo: number | null;
  readonly received?: number;
  readonly sent?: number;
  readonly unanswered?: number;
}

export interface PluginReport {
  readonly order: number;
  readonly id: string;
  readonly summary: string;
  readonly state: string;
  /** Why it is on the list: the stock list, or a file and line. */
  readonly from: string;
  readonly hooks: readonly string[];
  readonly provides: readonly string[];
  readonly requires: readonly string[];
  readonly startMs: number | null;
  /** Where it runs: in the agent's main thread, or in one of its own. */
  readonly isolation: 'main' | 'worker';
  /** Tables of its own, by name. */
  readonly tables: Readonly<Record<string, number>>;
}

/** One flow or row of a port. */
export interface ExplainedRecord {
  readonly plugin: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly cause: string;
  readonly text: string;
  readonly progress: KeyProgress;
}

export interface ExplainReport {
  readonly port: string;
  readonly portName: string;
  readonly state: string;
  readonly detail: string;
  readonly stages: readonly PortStage[];
  readonly records: readonly ExplainedRecord[];
}

/** What would change on the switch, as a diff in the words of ovs-ofctl and ovs-vsctl. */
export interface PlanReport {
  readonly lines: readonly string[];
  /** Changes of rows. */
  readonly rows: number;
  /** Flows, groups and meters. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly pending: readonly string[];
  /** What a plan made beside a running agent cannot know. */
  readonly unknown: readonly string[];
}

export interface ConfigReport {
  readonly values: readonly { readonly path: string; readonly value: string; readonly from: string }[];
  readonly warnings: readonly string[];
}

/** A command that a plugin has added. */
export interface CommandReport {
  readonly plugin: string;
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
}

/** What the admin socket asks of the agent. */
export interface AgentReports {
  isReady(): boolean;
  status(): Promise<StatusReport>;
  plugins(): readonly PluginReport[];
  config(): ConfigReport;
  explain(port: string): Promise<ExplainReport | undefined>;
  plan(): Promise<PlanReport>;
  /** What giving the switch back would change. */
  planRelease(): PlanReport;
  /** Gives the switch back to the reference agent; the agent then stops. Answers what was done. */
  release(): Promise<readonly string[]>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  trace(): readonly unknown[];
  commands(): readonly CommandReport[];
  /** Has a plugin's command run. Rejects where there is none, or it fails. */
  command(plugin: string, name: string, words: readonly string[]): Promise<unknown>;
}
