import type { PluginClass } from '@patchbay/sdk';
import type { Configuration } from '../kernel/config/model';
import type { AgentReports } from './reports';

/** The plugins that come with the agent. Only core/main.ts knows their names. */
export interface Stock {
  readonly plugins: Readonly<Record<string, PluginClass>>;
  /** The list that a configuration file edits, by control plane. */
  readonly lists: Readonly<Record<'standalone' | 'neutron', readonly string[]>>;
}

/** An error that nobody caught: of work that ran beside, or thrown where the event loop called us. */
export type StrayError = 'rejection' | 'exception';

/** One agent in this process. */
export interface Host {
  /** What it says of itself. */
  readonly reports: AgentReports;
  /** Resolves when every plugin has started; rejects with a coded error, all stopped, where the agent cannot run. */
  start(): Promise<void>;
  /** Under 5 s. What is on the switch stays. */
  stop(): Promise<void>;
  /** The first synchronisation is done. */
  readonly synced: Promise<void>;
  /** Whether the process does its work: what the watchdog asks. */
  isAlive(): boolean;
  /** Resolves some time after `release` has answered: the agent is to stop. */
  readonly released: Promise<'asked'>;
  /** Logs an error that nobody caught. `contained`: it came from the code of a plugin that the agent can do without, which health names. */
  stray(kind: StrayError, error: unknown): 'contained' | 'ours';
  /** SIGHUP: logging is as the configuration says now. Answers what else changed and needs a restart. */
  reload(configuration: Configuration): readonly string[];
}
