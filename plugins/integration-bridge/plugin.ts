import {
  type AgentIdentity,
  type DesiredState,
  type Jobs,
  type Logger,
  type Plugin,
  type PortView,
  plugin,
  Service,
  type SwitchChange,
  type SwitchView,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { IntegrationBridgeConfig } from './config';
import { admission, bridgeRecord, defaultFlows, isStrangersPatch } from './flows';

/**
 * Integration bridge: the switch that every VIF of this host is plugged into, closed until a port is admitted.
 *
 * Owns:  br-int's row, its default flows, and the admission of ports that are no VIFs: the operator's (`admit_ports`) and patch
 *        ports of other software's bridges.
 * Never: admits a VIF or an uplink; whoever wires them does.
 */
@plugin({
  id: 'integration-bridge',
  summary: 'Keeps the integration bridge and its default flows; only admitted ports send',
  sdk: '^1.0.0',
  config: IntegrationBridgeConfig,
  claims: [
    { bridge: 'integration', tables: [0], priorities: [0, 1] },
    { bridge: 'integration', tables: [0], priorities: [65535, 65535] },
    { bridge: 'integration', tables: [23, 24, 30, 31, 58, 59, 60, 62] },
  ],
  columns: [
    {
      bridge: 'integration',
      columns: [
        'Open_vSwitch:bridges',
        'Bridge:datapath_type',
        'Bridge:fail_mode',
        'Bridge:protocols',
        'Bridge:other_config',
        'Bridge:external_ids',
        'Bridge:mcast_snooping_enable',
      ],
    },
  ],
  onFailure: 'abort',
})
export class IntegrationBridge implements Plugin {
  private readonly ports = new Map<string, PortView>();
  private readonly portsOfTunnelBridge = new Set<string>();
  private readonly admitted = new Set<string>();
  private unwatch: Unsubscribe | undefined;

  constructor(
    @use(Service.config) private readonly config: IntegrationBridgeConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.logger) private readonly logger: Logger,
  ) {}

  start(): void {
    const { integrationBridge, datapathType } = this.identity;
    this.desired.set('bridge', {
      bridges: [bridgeRecord(integrationBridge, datapathType, this.config)],
      flows: defaultFlows(integrationBridge),
    });
    for (const port of this.config.admit_ports) {
      this.desired.set(`admitted/${port}`, { flows: [admission(integrationBridge, port)] });
    }
    this.unwatch = this.switchView.watch((changes) => this.switchChanged(changes));
    this.jobs.untilDone('read ports', { initialMs: 500, maxMs: 30_000 }, () => this.readPorts());
  }

  stop(): void {
    this.unwatch?.();
  }

  private async readPorts(): Promise<void> {
    for (const port of await this.switchView.ports()) this.seen(port);
    this.admitStrangers();
    this.desired.complete();
  }

  private switchChanged(changes: readonly SwitchChange[]): void {
    for (const change of changes) {
      if (change.kind === 'port-added' || change.kind === 'port-changed') this.seen(change.port);
      else if (change.kind === 'port-removed') this.gone(change.port);
    }
    this.admitStrangers();
  }

  private seen(port: PortView): void {
    if (port.bridge === this.identity.tunnelBridge) this.portsOfTunnelBridge.add(port.name);
    if (port.bridge === this.identity.integrationBridge) this.ports.set(port.name, port);
  }

  private gone(port: PortView): void {
    if (port.bridge === this.identity.tunnelBridge) this.portsOfTunnelBridge.delete(port.name);
    if (port.bridge === this.identity.integrationBridge) this.ports.delete(port.name);
  }

  private admitStrangers(): void {
    const named = new Set(this.config.admit_ports);
    const wanted = [...this.ports.values()]
      .filter((port) => !named.has(port.name) && isStrangersPatch(port, this.portsOfTunnelBridge))
      .map((port) => port.name);
    for (const port of this.admitted) {
      if (wanted.includes(port)) continue;
      this.admitted.delete(port);
      this.desired.unset(`patch/${port}`);
    }
    for (const port of wanted) {
      if (this.admitted.has(port)) continue;
      this.admitted.add(port);
      this.logger.info('a patch port of other software may send', { port });
      this.desired.set(`patch/${port}`, { flows: [admission(this.identity.integrationBridge, port)] });
    }
  }
}
