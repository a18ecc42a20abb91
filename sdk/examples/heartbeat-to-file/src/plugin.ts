import 'reflect-metadata';
import { rename, writeFile } from 'node:fs/promises';
import {
  type AgentIdentity,
  type Announcer,
  type ControlPlane,
  type Health,
  type Jobs,
  type Plugin,
  plugin,
  reasonOf,
  Service,
  type SwitchView,
  type Synchronisation,
  use,
} from '@patchbay/sdk';
import { z } from 'zod';

export const HeartbeatToFileConfig = z.strictObject({
  /** Seconds between reports. */
  report_interval: z.number().min(1).default(30),
  /** The second place: replaced whole, so that a reader never sees half of it. */
  file: z.string().min(1),
});
export type HeartbeatToFileConfig = z.infer<typeof HeartbeatToFileConfig>;

/**
 * Heartbeat to file: what `heartbeat` does, and the same report in a file for whoever watches the host without asking the server.
 *
 * Owns:  nothing on the switch; one file.
 * Never: lets the file keep the server waiting, or the other way round.
 */
@plugin({
  id: 'acme-heartbeat',
  summary: "Reports the agent's state to the control plane and to a file",
  sdk: '^1.0.0',
  replaces: 'heartbeat',
  requires: [Service.controlPlane],
  config: HeartbeatToFileConfig,
  onFailure: 'degrade',
})
export class HeartbeatToFile implements Plugin {
  private synced = false;

  constructor(
    @use(Service.config) private readonly config: HeartbeatToFileConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.synchronisation) private readonly synchronisation: Synchronisation,
    @use(Service.controlPlane) private readonly controlPlane: ControlPlane,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
  ) {}

  start(): void {
    void this.synchronisation.synced.then(() => {
      this.synced = true;
    });
    this.jobs.after('first report', 0, () => this.report());
    this.jobs.every('report', this.config.report_interval * 1_000, () => this.report());
  }

  private async report(): Promise<void> {
    const ports = await this.switchView.ports(this.identity.integrationBridge);
    const devices = ports.filter(({ interfaces }) => interfaces.some((face) => face.externalIds['iface-id'])).length;
    // What other plugins have to say, merged.
    const gathered = await this.announcer.event('report', (calls) => calls.reportState({ devices }));
    const state = { configurations: { devices, ...gathered.value.configurations }, startFlag: !this.synced };
    await Promise.all([this.place('server', () => this.toServer(state)), this.place('file', () => this.toFile(state))]);
  }

  private async toServer(state: Parameters<ControlPlane['reportState']>[0]): Promise<void> {
    const heard = await this.controlPlane.reportState(state);
    if (heard === 'revived') this.synchronisation.request('the control plane had taken this agent for dead');
  }

  private async toFile(state: object): Promise<void> {
    const { host, version } = this.identity;
    const side = `${this.config.file}.new`;
    await writeFile(side, `${JSON.stringify({ host, version, at: new Date().toISOString(), ...state })}\n`);
    await rename(side, this.config.file);
  }

  /** One place that fails is named, and the other is not kept from its report. */
  private async place(name: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.health.clear(name);
    } catch (error) {
      this.health.report(name, 'degraded', reasonOf(error));
    }
  }
}
