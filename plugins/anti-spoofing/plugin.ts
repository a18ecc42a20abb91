import {
  type AgentHooks,
  type AgentIdentity,
  type BoundPort,
  type DesiredState,
  type Jobs,
  type Plugin,
  plugin,
  Service,
  type SwitchView,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { isSecured } from '../port-security';
import { Uplinks } from '../uplinks';
import { AntiSpoofingConfig } from './config';
import { antiSpoofingFlows, directFlows, directUplinkFlows } from './flows';

/**
 * Anti-spoofing: a port with port security sends only under its own MAC and IP addresses. There are no security groups with it: what a
 * port's group would forbid is allowed. A firewall plugin takes its place.
 *
 * Owns:  tables 24 and 25 and what leads into them; with `explicitly_egress_direct`, table 61 and its flows in 60 and 62.
 * Never: filters a port without port security, or one of Neutron's own (its owner starts with `network:`).
 */
@plugin({
  id: 'anti-spoofing',
  summary: 'Holds ports to their own MAC, ARP and neighbour-advertisement addresses',
  sdk: '^1.0.0',
  after: ['integration-bridge'],
  config: AntiSpoofingConfig,
  claims: [
    { bridge: 'integration', tables: [0], priorities: [9, 10] },
    { bridge: 'integration', tables: [24, 25, 60, 61, 62] },
  ],
  required: true,
  onFailure: 'abort',
})
export class AntiSpoofing implements Plugin {
  private readonly bound = new Map<string, BoundPort>();
  private readonly uplinks: Uplinks;
  private unwatch: Unsubscribe | undefined;

  constructor(
    @use(Service.config) private readonly config: AntiSpoofingConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.jobs) private readonly jobs: Jobs,
  ) {
    this.uplinks = new Uplinks(identity.integrationBridge);
  }

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound) => this.guard(bound));
    hooks.onPortUpdated(({ current }) => this.guard(current));
    hooks.onPortRemoved(({ bound }) => this.letGo(bound.port.id));
    hooks.onPortIsolated(({ vif }) => this.letGo(vif.portId));
    hooks.onAgentSynced(() => this.desired.complete());
    hooks.onReportState(() => ({ configurations: { ovs_hybrid_plug: false } }));
  }

  start(): void {
    if (!this.config.explicitly_egress_direct) return;
    this.uplinksChanged();
    this.unwatch = this.switchView.watch((changes) => {
      if (this.uplinks.changed(changes)) this.uplinksChanged();
    });
    this.jobs.untilDone('read ports', { initialMs: 500, maxMs: 30_000 }, () => this.readPorts());
  }

  stop(): void {
    this.unwatch?.();
  }

  /** A port that needs no guard has an empty key: that it needs none was decided, not forgotten. */
  private guard(bound: BoundPort): void {
    this.bound.set(bound.port.id, bound);
    this.desired.set(`port/${bound.port.id}`, {
      flows: [
        ...(isSecured(bound) ? antiSpoofingFlows(bound) : []),
        ...(this.config.explicitly_egress_direct ? directFlows(bound, this.uplinks.of(bound.segment)) : []),
      ],
    });
  }

  private letGo(portId: string): void {
    this.bound.delete(portId);
    this.desired.unset(`port/${portId}`);
  }

  private async readPorts(): Promise<void> {
    const ports = await this.switchView.ports(this.identity.integrationBridge);
    if (ports.map((port) => this.uplinks.seen(port)).includes(true)) this.uplinksChanged();
  }

  private uplinksChanged(): void {
    this.desired.set('uplinks', { flows: directUplinkFlows(this.identity.integrationBridge, this.uplinks.all()) });
    for (const bound of this.bound.values()) this.guard(bound);
  }
}
