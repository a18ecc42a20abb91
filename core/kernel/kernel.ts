import type {
  AgentIdentity,
  Announcer,
  Claim,
  Effects,
  HookName,
  Logger,
  MessagingConnector,
  PatchbayError,
  PluginClass,
  PluginMetrics,
  SwitchView,
  Synchronisation,
  TapListing,
  Token,
} from '@patchbay/sdk';
import type { CommandBook } from './commands';
import type { AgentSettings, PluginEntry } from './config/model';
import type { DesiredStore } from './desired-port';
import type { AgentHealth, HealthBook } from './health';
import type { HookSettings } from './hooks/options';
import type { TapTrace } from './hooks/trace';
import type { WorkerSettings } from './isolation/worker-member';
import type { AgentPhase, LifecycleSettings, LifecycleStep, PluginPhase } from './lifecycle';
import type { DescribeModule, LoadModule } from './loader/modules';
import type { PlannedPlugin, Resolution } from './loader/plan';
import type { PacketSource } from './packet-ins';
import type { FormerModule } from './roster';

/** What the agent gives its plugins, made before any of them. */
export interface AgentServices {
  readonly identity: AgentIdentity;
  readonly switchView: SwitchView;
  readonly messaging: MessagingConnector;
  readonly desiredStore: DesiredStore;
  /** Effects are logged with who asked for them. */
  readonly effectsFor: (plugin: string, logger: Logger) => Effects;
  /** Told of the tables that a plugin was allotted: what strangers write there is drift, as in tables that a manifest claims. */
  readonly claimTables: (plugin: string, claims: readonly Claim[]) => void;
  readonly packetsOf: PacketSource;
  readonly metricsFor: (plugin: string) => PluginMetrics;
}

export interface KernelOptions {
  readonly settings: Pick<AgentSettings, 'state_dir' | 'packet_in_ceiling'>;
  readonly plugins: readonly PluginEntry[];
  /** Id → class, of the plugins that come with the agent: only core/main.ts names them. */
  readonly stock: ReadonlyMap<string, PluginClass>;
  readonly agentServices: AgentServices;
  /** The logger of one plugin; `kernel` is the host's own. */
  readonly loggerOf: (plugin: string) => Logger;
  /** Relative paths on the plugin list start here: where the configuration file is. */
  readonly configDir: string;
  /** Directories that packages are looked for from. Default: the working directory and `configDir`. */
  readonly packageDirs?: readonly string[];
  readonly hookSettings?: Partial<HookSettings>;
  readonly lifecycleSettings?: Partial<LifecycleSettings>;
  readonly workerSettings?: Partial<WorkerSettings>;
  /** How many flows one plugin may want. Default: as many as it likes if it is stock, 100 000 if not. */
  readonly flowBudget?: number;
  /** Told of every tap that ran, for metrics. */
  readonly onTrace?: (entry: TapTrace) => void;
  /** The plugin list, where it is resolved already. */
  readonly resolution?: Promise<Resolution>;
  readonly load?: LoadModule;
  readonly describe?: DescribeModule;
  /** Modules of plugins in workers, as an earlier run found them. */
  readonly former?: readonly FormerModule[];
}

export interface BootPlan {
  /** In boot order. Hooks are null until tapped. */
  readonly plugins: readonly PlannedPlugin[];
  /** Replaced id → the id that took its place. */
  readonly replaced: Readonly<Record<string, string>>;
  /** Mistakes in the plugins' options, all of them. */
  readonly errors: readonly PatchbayError[];
  readonly warnings: readonly string[];
}

export interface PluginState extends PlannedPlugin {
  readonly phase: PluginPhase;
  readonly failure: string | null;
  /** Milliseconds that its start took; null before. */
  readonly startMs: number | null;
  readonly hooks: readonly HookName[] | null;
  /** The numbers of its own tables, by name. */
  readonly tables: Readonly<Record<string, number>>;
}

/** The host of all plugins. It ends no process: who boots it does. */
export interface Kernel {
  readonly announcer: Announcer;
  readonly synchronisation: Synchronisation;
  readonly healthBook: HealthBook;
  readonly commands: CommandBook;
  readonly phase: AgentPhase;
  /** What boot would do. Modules of third parties are loaded; nothing of a plugin is constructed. */
  plan(): Promise<BootPlan>;
  /** Rejects with a coded error, all stopped, if the list is wrong or a plugin fails that the agent cannot do without. */
  boot(): Promise<void>;
  /** Stops in reverse order within 5 s, to the end even where a plugin fails. What plugins stated stays. */
  stop(): Promise<void>;
  /** Told of every change of phase. */
  onPhase(listener: (phase: AgentPhase) => void): () => void;
  plugins(): readonly PluginState[];
  health(): AgentHealth;
  /** An error that nobody caught: whether the code of a plugin that the agent can do without threw it. Its health names it then. */
  blame(error: unknown): boolean;
  trace(): readonly TapTrace[];
  hooksListing(): readonly TapListing[];
  bootTree(): readonly LifecycleStep[];
  /** How many jobs of plugins are at work or due at once: for tests, which wait until an agent is still. Asks workers, and waits for their answers. */
  jobsUnderWay(): Promise<number>;
  /** A service that a plugin provides, for the agent's own commands; undefined where nobody does. */
  provided<T>(token: Token<T>): T | undefined;
}
