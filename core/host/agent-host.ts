import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentIdentity, type PluginClass, Service } from '@patchbay/sdk';
import { messagingConnector } from '../agent/messaging';
import { showConfiguration } from '../config';
import { createKernel } from '../kernel/agent-kernel';
import type { Configuration } from '../kernel/config/model';
import type { AgentHealth } from '../kernel/health';
import type { Kernel } from '../kernel/kernel';
import { resolveListing } from '../kernel/loader/resolve';
import { createLogging, type Logging } from '../kernel/log/log';
import { onlyErrors, stderrOutput } from '../kernel/log/outputs';
import {
  createSwitch,
  type ExplainedKey,
  NOT_STARTED,
  type Switch,
  type SwitchOptions,
  switchErrors,
  type Writing,
} from '../switch';
import { VERSION } from '../version';
import type { Host, Stock, StrayError } from './host';
import { Metrics } from './metrics';
import { planReport, portsByState } from './render';
import type {
  CommandReport,
  ConfigReport,
  ExplainedRecord,
  ExplainReport,
  PlanReport,
  PluginReport,
  StatusReport,
} from './reports';

/** How long another agent, which was told to stop, may take to leave the switch: OVS notices after its next statistics, 5 s apart. */
const LEAVING_MS = 15_000;

/** How the switch is reached, where that is not what the settings say: a simulated agent's is in memory. */
export type SwitchReach = Pick<SwitchOptions, 'ovsdbTarget' | 'connect'>;

/** Puts an agent together: the switch, the kernel with its plugins, and what both say of themselves. */
export function createHost(
  configuration: Configuration,
  directory: string,
  stock: Stock,
  reach: SwitchReach = {},
): Host {
  return new AgentHost(configuration, directory, stock, 'writing', reach);
}

/** How long whoever asked for the release has to read the answer before the admin socket is closed. */
const ANSWER_MS = 500;

const STRAY_SENTENCES: Readonly<Record<StrayError, string>> = {
  rejection: 'A failure was not caught by whoever asked for the work; the agent goes on',
  exception: 'An exception was not caught by anybody; the agent stops, to be started anew',
};

/** How long a plan waits for the control plane's descriptions of all ports. */
const PLAN_PATIENCE_MS = 60_000;

/**
 * What an agent of this configuration would change, found beside whatever agent runs now: the switch is read, the server is asked with
 * methods that change nothing, on queues of its own.
 */
export async function planAlone(configuration: Configuration, directory: string, stock: Stock): Promise<PlanReport> {
  const state = copyOf(configuration.settings.state_dir);
  const settings = { ...configuration.settings, state_dir: state };
  const host = new AgentHost({ ...configuration, settings }, directory, stock, 'watching');
  try {
    await host.start();
    const patience = new Promise<'late'>((resolve) => setTimeout(resolve, PLAN_PATIENCE_MS, 'late').unref());
    const outcome = await Promise.race([host.synced, patience]);
    const plan = await host.plan();
    const late = outcome === 'late' ? ['ports that the control plane did not describe in time'] : [];
    const unknown = [...plan.unknown, ...late, 'tunnel endpoints that the switch has no port for yet'];
    return { ...plan, unknown };
  } finally {
    await host.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

/** What plugins keep there is read as it is, and what a plan makes of it is thrown away. */
function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'patchbay-plan-'));
  if (existsSync(folder)) cpSync(folder, copy, { recursive: true });
  return copy;
}

interface Parts {
  readonly switch: Switch;
  readonly kernel: Kernel;
}

class AgentHost implements Host {
  readonly synced: Promise<void>;
  readonly released: Promise<'asked'>;
  private resolveSynced: () => void = () => undefined;
  private resolveReleased: (outcome: 'asked') => void = () => undefined;
  private readonly logging: Logging;
  private readonly metricsOfAgent = new Metrics(() => this.status());
  private readonly startedAt = performance.now();
  private parts: Parts | undefined;
  private isSynced = false;
  private isStopping = false;

  constructor(
    private configuration: Configuration,
    private readonly directory: string,
    private readonly stock: Stock,
    private readonly mode: 'writing' | 'watching',
    private readonly reach: SwitchReach = {},
  ) {
    const { logging } = configuration.settings;
    this.logging =
      mode === 'writing' ? createLogging(logging) : createLogging(logging, () => [onlyErrors(stderrOutput('plain'))]);
    this.synced = new Promise((resolve) => {
      this.resolveSynced = resolve;
    });
    this.released = new Promise((resolve) => {
      this.resolveReleased = resolve;
    });
  }

  async start(): Promise<void> {
    const { configuration, logging } = this;
    const logger = logging.for('agent');
    logger.info('Patchbay starts', { version: VERSION, host: configuration.settings.host });
    for (const warning of configuration.warnings) logger.warn(warning);
    const parts = await this.assemble();
    this.parts = parts;
    parts.switch.onReconnected((reconnection) => {
      parts.kernel.announcer
        .event('switch-reconnected', (calls) => calls.tell('onSwitchReconnected', reconnection))
        .catch((error: unknown) =>
          logger.warn('The reconnection was not told to the plugins', { reason: String(error) }),
        );
    });
    void parts.kernel.synchronisation.synced.then(() => {
      this.isSynced = true;
      this.resolveSynced();
    });
    await parts.switch.start();
    if (this.mode === 'writing') await this.otherAgentsLeave(parts.switch);
    await parts.kernel.boot();
    // Only now: what one plugin wants closed must not be written before another has said what stays open.
    parts.switch.beginWriting();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.parts === undefined) return;
    await this.parts.kernel.stop();
    await this.parts.switch.stop();
    this.logging.for('agent').info('Patchbay stopped; what it wired stays on the switch');
  }

  isAlive(): boolean {
    return this.parts !== undefined && this.parts.kernel.phase !== 'failed';
  }

  isReady(): boolean {
    return this.isSynced;
  }

  stray(kind: StrayError, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.logging.for('agent').error(STRAY_SENTENCES[kind], { reason });
  }

  reload(configuration: Configuration): readonly string[] {
    const { logging } = configuration.settings;
    this.logging.reload(logging);
    const essence = ({ settings: { logging: _logging, ...settings }, plugins }: Configuration) =>
      JSON.stringify([settings, plugins.map(({ name, options }) => [name, options])]);
    const isSame = essence(configuration) === essence(this.configuration);
    this.configuration = {
      ...this.configuration,
      settings: { ...this.configuration.settings, logging },
      warnings: configuration.warnings,
    };
    this.logging.for('agent').info('The configuration was read again');
    return isSame ? [] : ['the configuration changed beyond logging: restart the agent to have it in force'];
  }

  // ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async status(): Promise<StatusReport> {
    const health = this.parts?.kernel.health();
    const rpc = await this.parts?.kernel.provided(Service.rpc)?.state();
    return {
      host: this.configuration.settings.host,
      version: VERSION,
      pid: process.pid,
      uptimeSeconds: (performance.now() - this.startedAt) / 1000,
      ready: this.isSynced,
      phase: this.parts?.kernel.phase ?? 'starting',
      ...withSwitch(health, this.parts?.switch.status().writing),
      switch: await this.switchReport(),
      ports: portsByState((await this.parts?.kernel.provided(Service.ports)?.ports()) ?? []),
      rpc: rpc ?? null,
    };
  }

  plugins(): readonly PluginReport[] {
    const plugins = this.parts?.kernel.plugins() ?? [];
    return plugins.map(
      ({ id, summary, phase, failure, from, isolation, hooks, provides, requires, startMs, tables }, index) => ({
        order: index + 1,
        id,
        summary,
        state: failure === null ? phase : `${phase}: ${failure}`,
        from,
        isolation,
        hooks: hooks ?? [],
        provides,
        requires,
        startMs,
        tables,
      }),
    );
  }

  config(): ConfigReport {
    const values = showConfiguration(this.configuration).map(({ path, value, from }) => ({
      path,
      value: typeof value === 'string' ? value : JSON.stringify(value),
      from,
    }));
    return { values, warnings: this.configuration.warnings };
  }

  async explain(wanted: string): Promise<ExplainReport | undefined> {
    const ports = (await this.parts?.kernel.provided(Service.ports)?.ports()) ?? [];
    const found = ports.filter(({ vif }) => vif.portName === wanted || vif.portId.startsWith(wanted));
    const port = found.find(({ vif }) => vif.portId === wanted) ?? found[0];
    if (port === undefined) return undefined;
    const { portId, portName } = port.vif;
    return {
      port: portId,
      portName,
      state: port.state,
      detail: port.isolated?.detail ?? '',
      stages: port.history,
      records: (this.parts?.switch.explain(portId) ?? []).flatMap(recordsOf),
    };
  }

  async plan(): Promise<PlanReport> {
    if (this.parts === undefined) throw new Error('the agent has not started yet');
    // A plan made beside another agent holds everything back: that says nothing of single keys.
    const pending = this.mode === 'writing' ? pendingOf(this.parts.switch) : [];
    return planReport(this.parts.switch.plan(), pending);
  }

  planRelease(): PlanReport {
    if (this.parts === undefined) throw new Error('the agent has not started yet');
    return planReport(this.parts.switch.planRelease(), []);
  }

  async release(): Promise<readonly string[]> {
    if (this.parts === undefined) throw new Error('the agent has not started yet');
    const lines = await this.parts.switch.release();
    setTimeout(() => this.resolveReleased('asked'), ANSWER_MS);
    return lines;
  }

  metrics(): Promise<string> {
    return this.metricsOfAgent.text();
  }

  commands(): readonly CommandReport[] {
    return this.parts?.kernel.commands.list() ?? [];
  }

  async command(plugin: string, name: string, words: readonly string[]): Promise<unknown> {
    if (this.parts === undefined) throw new Error('the agent has not started yet');
    return this.parts.kernel.commands.run(plugin, name, words);
  }

  trace(): readonly unknown[] {
    return this.parts?.kernel.trace() ?? [];
  }

  /** While another agent has the switch no plugin starts: the control plane must not hear two agents of one host. */
  private async otherAgentsLeave(switchSide: Switch): Promise<void> {
    const deadline = performance.now() + LEAVING_MS;
    let said: string | undefined;
    for (;;) {
      const { writing } = switchSide.status();
      if (this.isStopping || writing === 'yes' || writing.by !== 'another-agent') return;
      if (performance.now() >= deadline) throw switchErrors.taken({ reason: writing.held, seconds: LEAVING_MS / 1000 });
      // The lock is asked for at the start: its first answer is no news.
      if (said !== undefined && said !== writing.held) {
        this.logging.for('agent').warn('Waiting for another agent to leave the switch', { reason: writing.held });
      }
      said = writing.held;
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }

  // ── assembly ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private async assemble(): Promise<Parts> {
    const { settings, plugins } = this.configuration;
    const listing = {
      plugins,
      stock: new Map<string, PluginClass>(Object.entries(this.stock.plugins)),
      configDir: this.directory,
    };
    const resolution = resolveListing({ ...listing, stockVersion: VERSION });
    const { ordered, planned } = await resolution;
    const switchSide = createSwitch({
      settings,
      ...this.reach,
      mode: this.mode,
      logger: this.logging.for('switch'),
      reservedCookies: settings.reserved_cookies.map((cookie) => BigInt(cookie)),
      plugins: planned.map(({ id, required }) => ({
        id,
        required,
        claims: ordered.find(({ manifest }) => manifest.id === id)?.manifest.claims ?? [],
      })),
      onRound: (ms) => this.metricsOfAgent.roundTook(ms),
    });
    const kernel = createKernel({
      ...listing,
      resolution,
      settings,
      agentServices: {
        identity: this.identity(),
        switchView: switchSide.view,
        messaging: messagingConnector(this.mode === 'writing' ? 'everything' : 'reading'),
        desiredStore: switchSide.store,
        effectsFor: (plugin) => switchSide.effects(plugin),
        claimTables: (plugin, claims) => switchSide.claimTables(plugin, claims),
        packetsOf: (plugin, from, listener) => switchSide.packets.subscribe(plugin, from, listener),
        metricsFor: (plugin) => this.metricsOfAgent.of(plugin),
      },
      loggerOf: (plugin) => this.logging.for(plugin),
      onTrace: (entry) => this.metricsOfAgent.tapped(entry),
    });
    return { switch: switchSide, kernel };
  }

  private identity(): AgentIdentity {
    const { settings } = this.configuration;
    return {
      host: settings.host,
      version: VERSION,
      integrationBridge: settings.integration_bridge,
      tunnelBridge: settings.tunnel_bridge,
      datapathType: settings.datapath_type,
    };
  }

  private async switchReport(): Promise<StatusReport['switch']> {
    const status = this.parts?.switch.status();
    const { figures } = status ?? {};
    return {
      connected: status?.databaseConnected ?? false,
      version: status?.databaseConnected ? ((await this.parts?.switch.view.summary())?.ovsVersion ?? '') : '',
      writing: status === undefined ? 'not started' : status.writing === 'yes' ? 'yes' : status.writing.held,
      keys: status?.keys ?? 0,
      flows: status?.flows ?? 0,
      pending: status?.pending ?? 0,
      quarantined: status?.quarantined ?? 0,
      conflicts: status?.conflicts.map(({ reason }) => reason) ?? [],
      takingOver: status?.takingOver ?? [],
      drift: figures?.drift ?? { removed: 0, changed: 0, added: 0, row: 0 },
      rounds: figures?.rounds ?? 0,
      lastRound: figures?.lastRound ?? 'none yet',
      lastRoundMs: figures?.lastRoundMs ?? 0,
    };
  }
}

/** The switch side is no plugin, and an agent that may not write does nothing that it is there for. */
function withSwitch(
  health: AgentHealth | undefined,
  writing: Writing | undefined,
): Pick<StatusReport, 'health' | 'plugins'> {
  const plugins = health?.plugins ?? [];
  if (writing === undefined || writing === 'yes' || writing.held === NOT_STARTED) {
    return { health: health?.level ?? 'unknown', plugins };
  }
  const condition = { condition: 'writing', level: 'failing', detail: `nothing is written: ${writing.held}` };
  return { health: 'failing', plugins: [...plugins, { plugin: 'switch', level: 'failing', conditions: [condition] }] };
}

function recordsOf({ plugin, key, since, cause, progress, parts }: ExplainedKey): readonly ExplainedRecord[] {
  return parts.map(({ text }) => ({ plugin, key, since, cause, text, progress }));
}

function pendingOf({ store }: Switch): readonly string[] {
  return [...store.all()].flatMap(({ plugin, key, progress }) =>
    progress.state === 'pending' ? [`${plugin} ${key} waits for ${progress.waitingFor.join(', ')}`] : [],
  );
}
