import { Service } from '@patchbay/sdk';
import type { Configuration } from '../kernel/config/model';
import type { AgentHealth } from '../kernel/health';
import { type ExplainedKey, NOT_STARTED, type Switch, type Writing } from '../switch';
import { VERSION } from '../version';
import type { AgentParts, Mode } from './assembly';
import { configReport, planReport, portsByState } from './render';
import type {
  AgentReports,
  CommandReport,
  ConfigReport,
  ExplainedRecord,
  ExplainReport,
  PlanReport,
  PluginReport,
  StatusReport,
} from './reports';

/** What there is to report on. */
export interface ReportedAgent {
  readonly mode: Mode;
  readonly configuration: () => Configuration;
  /** Undefined until they are assembled. */
  readonly parts: () => AgentParts | undefined;
  readonly isSynced: () => boolean;
  /** Prometheus text. */
  readonly metricsText: () => Promise<string>;
  /** The switch was given back, and whoever asked is about to be told. */
  readonly released: () => void;
}

/** What an agent says of itself, at any time of its life. */
export class RunningReports implements AgentReports {
  private readonly startedAt = performance.now();

  constructor(private readonly of: ReportedAgent) {}

  isReady(): boolean {
    return this.of.isSynced();
  }

  async status(): Promise<StatusReport> {
    const health = this.of.parts()?.kernel.health();
    const rpc = await this.of.parts()?.kernel.provided(Service.rpc)?.state();
    return {
      host: this.of.configuration().settings.host,
      version: VERSION,
      pid: process.pid,
      uptimeSeconds: (performance.now() - this.startedAt) / 1000,
      ready: this.isReady(),
      phase: this.of.parts()?.kernel.phase ?? 'starting',
      ...withSwitch(health, this.of.parts()?.switch.status().writing),
      switch: await this.switchReport(),
      ports: portsByState((await this.of.parts()?.kernel.provided(Service.ports)?.ports()) ?? []),
      rpc: rpc ?? null,
    };
  }

  plugins(): readonly PluginReport[] {
    const plugins = this.of.parts()?.kernel.plugins() ?? [];
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
    return configReport(this.of.configuration());
  }

  async explain(wanted: string): Promise<ExplainReport | undefined> {
    const ports = (await this.of.parts()?.kernel.provided(Service.ports)?.ports()) ?? [];
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
      records: (this.of.parts()?.switch.explain(portId) ?? []).flatMap(recordsOf),
    };
  }

  async plan(): Promise<PlanReport> {
    // A plan made beside another agent holds everything back: that says nothing of single keys.
    const pending = this.of.mode === 'writing' ? pendingOf(this.started().switch) : [];
    return planReport(this.started().switch.plan(), pending);
  }

  planRelease(): PlanReport {
    return planReport(this.started().switch.planRelease(), []);
  }

  async release(): Promise<readonly string[]> {
    const lines = await this.started().switch.release();
    this.of.released();
    return lines;
  }

  metrics(): Promise<string> {
    return this.of.metricsText();
  }

  commands(): readonly CommandReport[] {
    return this.of.parts()?.kernel.commands.list() ?? [];
  }

  async command(plugin: string, name: string, words: readonly string[]): Promise<unknown> {
    return this.started().kernel.commands.run(plugin, name, words);
  }

  trace(): readonly unknown[] {
    return this.of.parts()?.kernel.trace() ?? [];
  }

  /** @throws Error before there is a switch or a kernel to ask. */
  private started(): AgentParts {
    const parts = this.of.parts();
    if (parts === undefined) throw new Error('the agent has not started yet');
    return parts;
  }

  private async switchReport(): Promise<StatusReport['switch']> {
    const status = this.of.parts()?.switch.status();
    const { figures } = status ?? {};
    return {
      connected: status?.databaseConnected ?? false,
      version: status?.databaseConnected ? ((await this.of.parts()?.switch.view.summary())?.ovsVersion ?? '') : '',
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
  const texts = parts.map(({ text }) => text);
  // A key that came to nothing has no part to stand for it, and is what is looked for.
  if (texts.length === 0 && progress.state === 'quarantined') texts.push('nothing: the key is held back');
  return texts.map((text) => ({ plugin, key, since, cause, text, progress }));
}

function pendingOf({ store }: Switch): readonly string[] {
  return [...store.all()].flatMap(({ plugin, key, progress }) =>
    progress.state === 'pending' ? [`${plugin} ${key} waits for ${progress.waitingFor.join(', ')}`] : [],
  );
}
