import type { Configuration } from '../kernel/config/model';
import { createLogging, type Logging } from '../kernel/log/log';
import { onlyErrors, stderrOutput } from '../kernel/log/outputs';
import { type Switch, switchErrors } from '../switch';
import { VERSION } from '../version';
import { type AgentParts, assemble, type Mode, type SwitchReach } from './assembly';
import type { Host, Stock, StrayError } from './host';
import { Metrics } from './metrics';
import type { AgentReports } from './reports';
import { RunningReports } from './running-reports';

/** How long another agent, which was told to stop, may take to leave the switch: OVS notices after its next statistics, 5 s apart. */
const LEAVING_MS = 15_000;

/** How long whoever asked for the release has to read the answer before the admin socket is closed. */
const ANSWER_MS = 500;

const STRAY_SENTENCES: Readonly<Record<StrayError, string>> = {
  rejection: 'A failure was not caught by whoever asked for the work; the agent goes on',
  exception: 'An exception was not caught by anybody; the agent stops, to be started anew',
};

/** The agent of a configuration; relative paths on its plugin list start in `directory`. */
export function createHost(
  configuration: Configuration,
  directory: string,
  stock: Stock,
  reach: SwitchReach = {},
): Host {
  return new AgentHost(configuration, directory, stock, 'writing', reach);
}

/** One agent: its start, its end, and what it is told from outside meanwhile. */
export class AgentHost implements Host {
  readonly synced: Promise<void>;
  readonly released: Promise<'asked'>;
  readonly reports: AgentReports;
  private resolveSynced: () => void = () => undefined;
  private resolveReleased: (outcome: 'asked') => void = () => undefined;
  private readonly logging: Logging;
  private readonly metrics = new Metrics(() => this.reports.status());
  private parts: AgentParts | undefined;
  private isSynced = false;
  private isStopping = false;

  constructor(
    private configuration: Configuration,
    private readonly directory: string,
    private readonly stock: Stock,
    private readonly mode: Mode,
    private readonly reach: SwitchReach,
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
    this.reports = new RunningReports({
      mode,
      configuration: () => this.configuration,
      parts: () => this.parts,
      isSynced: () => this.isSynced,
      metricsText: () => this.metrics.text(),
      released: () => setTimeout(() => this.resolveReleased('asked'), ANSWER_MS),
    });
  }

  async start(): Promise<void> {
    const { configuration, logging } = this;
    const logger = logging.for('agent');
    logger.info('Patchbay starts', { version: VERSION, host: configuration.settings.host });
    for (const warning of configuration.warnings) logger.warn(warning);
    const parts = await assemble({
      configuration,
      directory: this.directory,
      stock: this.stock,
      mode: this.mode,
      reach: this.reach,
      logging,
      metrics: this.metrics,
    });
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

  stray(kind: StrayError, error: unknown): 'contained' | 'ours' {
    if (this.parts?.kernel.blame(error) === true) return 'contained';
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.logging.for('agent').error(STRAY_SENTENCES[kind], { reason });
    return 'ours';
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
}
