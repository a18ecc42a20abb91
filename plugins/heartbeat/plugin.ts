import {
  type AgentIdentity,
  type Announcer,
  type ControlPlane,
  type Health,
  type Jobs,
  type Logger,
  type Plugin,
  plugin,
  reasonOf,
  Service,
  type SwitchView,
  type Synchronisation,
  use,
} from '@patchbay/sdk';
import { canonicalHostName } from './canonical-name';
import { HeartbeatConfig } from './config';
import { configurations } from './configurations';

const FIRST_RETRY_MS = 1_000;

/**
 * Heartbeat: tells the control plane, again and again, that this agent lives and what it can do. The server takes an agent for dead that
 * it has not heard of for a while, and binds no ports to it.
 *
 * Owns:  nothing on the switch.
 * Never: reports while the switch cannot be reached: ports bound here then would stay without a network.
 */
@plugin({
  id: 'heartbeat',
  summary: "Reports the agent's state to the control plane",
  sdk: '^1.0.0',
  requires: [Service.controlPlane],
  config: HeartbeatConfig,
  onFailure: 'degrade',
})
export class Heartbeat implements Plugin {
  private synced = false;
  private hypervisor: Promise<string> | undefined;
  private underWay = false;
  private failures = 0;
  private trouble: string | undefined;

  constructor(
    @use(Service.config) private readonly config: HeartbeatConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.synchronisation) private readonly synchronisation: Synchronisation,
    @use(Service.controlPlane) private readonly controlPlane: ControlPlane,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) private readonly logger: Logger,
  ) {}

  start(): void {
    if (this.config.report_interval === 0) return;
    void this.synchronisation.synced.then(() => {
      this.synced = true;
    });
    this.jobs.after('first report', 0, () => this.report());
    // Not waited for: agents that all waited for one broker would report in step ever after.
    this.jobs.every('report', this.config.report_interval * 1_000, () => void this.report());
  }

  /** Reports unless a report is under way. One that came to nothing is tried again before the next is due, later each time. */
  private async report(): Promise<void> {
    if (this.underWay) return;
    this.underWay = true;
    try {
      await this.reportOnce();
      this.failures = 0;
    } catch (error) {
      this.failed(reasonOf(error));
      const stepMs = Math.min(FIRST_RETRY_MS * 2 ** this.failures, this.config.report_interval * 1_000);
      const delayMs = stepMs * (0.5 + 0.5 * Math.random());
      this.failures += 1;
      this.jobs.after('report again', delayMs, () => this.report());
    } finally {
      this.underWay = false;
    }
  }

  private async reportOnce(): Promise<void> {
    const summary = await this.switchView.summary();
    if (!summary.connected) {
      this.failed('the switch cannot be reached, so nothing is reported');
      return;
    }
    const devices = await this.countDevices();
    const gathered = await this.announcer.event('report', (calls) => calls.reportState({ devices }));
    const host = { summary, devices, hypervisor: await this.hypervisorName() };
    const state = {
      configurations: configurations(this.identity, this.config, host, gathered.value.configurations),
      startFlag: !this.synced,
    };
    // As long as until the next one is due: an answer that was lost must not keep the next report back.
    const heard = await this.controlPlane.reportState(state, { timeoutMs: this.config.report_interval * 1_000 });
    this.succeeded();
    if (heard === 'revived') {
      this.synchronisation.request('the control plane had taken this agent for dead');
    }
  }

  private async hypervisorName(): Promise<string> {
    const named = this.config.resource_provider_default_hypervisor;
    if (named !== undefined) return named;
    this.hypervisor ??= canonicalHostName();
    return this.hypervisor;
  }

  /** VIFs, as every agent for Neutron recognises them. */
  private async countDevices(): Promise<number> {
    const ports = await this.switchView.ports(this.identity.integrationBridge);
    const faces = ports.flatMap((port) => port.interfaces);
    return faces.filter(({ externalIds }) => externalIds['iface-id'] && externalIds['attached-mac']).length;
  }

  private failed(detail: string): void {
    this.health.report('report', 'degraded', detail);
    if (this.trouble === undefined) this.logger.error('the state of this agent is not reported', { reason: detail });
    this.trouble = detail;
  }

  private succeeded(): void {
    this.health.clear('report');
    if (this.trouble !== undefined) this.logger.info('the state of this agent is reported again');
    this.trouble = undefined;
  }
}
