import {
  type AgentHooks,
  type AgentIdentity,
  type BoundSegment,
  type DesiredState,
  type ForwardingChange,
  type Plugin,
  plugin,
  Service,
  type SwitchView,
  TunnelTable,
  use,
} from '@patchbay/sdk';
import { ArpResponderConfig } from './config';
import { answers, responderFlows } from './flows';
import { FormerAnswers } from './former-answers';
import { NetworkAddresses } from './network-addresses';

/**
 * ARP responder: answers ARP requests for ports of other hosts on the tunnel bridge, so that they cross no tunnel. It knows the addresses
 * from whoever tells forwarding entries (`onForwardingChanged`).
 *
 * Owns:  table 21 of the tunnel bridge, and the flow that leads broadcast ARP there.
 * Never: answers for an address that nobody told, and keeps the answers of an earlier run until all entries have been told.
 */
@plugin({
  id: 'arp-responder',
  summary: 'Answers ARP requests for ports of other hosts here',
  sdk: '^1.0.0',
  after: ['tunnels', 'l2-population'],
  config: ArpResponderConfig,
  claims: [
    { bridge: 'tunnel', tables: [TunnelTable.fromIntegration], priorities: [1, 1] },
    { bridge: 'tunnel', tables: [TunnelTable.arpResponder] },
  ],
  onFailure: 'degrade',
})
export class ArpResponder implements Plugin {
  private readonly segments = new Map<string, BoundSegment>();
  private readonly networks = new Map<string, NetworkAddresses>();
  /** What an earlier run answers, until all entries have been told. */
  private former: FormerAnswers | undefined;
  private isTold = false;
  private readonly overrides = new Set<string>();

  constructor(
    @use(Service.config) private readonly config: ArpResponderConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.switchView) switchView: SwitchView,
    @use(Service.desired) private readonly desired: DesiredState,
  ) {
    this.former = new FormerAnswers(switchView, identity.tunnelBridge);
  }

  tap(hooks: AgentHooks): void {
    hooks.onReportState(() => ({ configurations: { arp_responder_enabled: this.isTold } }));
    hooks.onSegmentBound((bound) => this.bind(bound));
    hooks.onSegmentReleased((bound) => this.release(bound));
    // With nobody who tells entries there is nothing to wait for.
    hooks.onAgentSynced(() => (this.isTold ? undefined : this.desired.complete()));
    hooks.onForwardingChanged((change) => this.forwardingChanged(change));
  }

  private async bind(bound: BoundSegment): Promise<void> {
    const { networkId, segmentationId } = bound.segment;
    if (segmentationId === null) return;
    this.segments.set(networkId, bound);
    for (const { key, flow } of (await this.former?.stale(bound.localVlan, segmentationId)) ?? []) {
      this.overrides.add(key);
      this.desired.set(key, { flows: [flow] });
    }
    const network = this.networks.get(networkId);
    for (const endpoint of network?.endpoints() ?? []) this.state(networkId, endpoint);
  }

  private release({ segment: { networkId, segmentationId } }: BoundSegment): void {
    if (this.segments.get(networkId)?.segment.segmentationId !== segmentationId) return;
    this.segments.delete(networkId);
    for (const endpoint of this.networks.get(networkId)?.endpoints() ?? []) this.state(networkId, endpoint);
  }

  private forwardingChanged({ remotes, knowledge }: ForwardingChange): void {
    if (!this.isTold) this.desired.set('table', { flows: responderFlows(this.identity.tunnelBridge, this.config) });
    this.isTold = true;
    for (const remote of remotes) {
      const { networkId } = remote;
      const network = this.networks.get(networkId) ?? new NetworkAddresses();
      this.networks.set(networkId, network);
      for (const endpoint of network.take(remote)) this.state(networkId, endpoint);
      if (network.isEmpty()) this.networks.delete(networkId);
    }
    if (knowledge === 'partial' || this.former === undefined) return;
    this.former = undefined;
    for (const key of this.overrides) this.desired.unset(key);
    this.overrides.clear();
    this.desired.complete();
  }

  private state(networkId: string, endpoint: string): void {
    const key = `answers/${networkId}/${endpoint}`;
    const localVlan = this.segments.get(networkId)?.localVlan;
    const addresses = this.networks.get(networkId)?.at(endpoint) ?? [];
    const flows = localVlan === undefined ? [] : answers(this.identity.tunnelBridge, localVlan, addresses, this.config);
    if (flows.length === 0) this.desired.unset(key);
    else this.desired.set(key, { flows });
    if (localVlan === undefined) return;
    for (const { ipAddress } of addresses) {
      const override = FormerAnswers.key(localVlan, ipAddress);
      if (this.overrides.delete(override)) this.desired.unset(override);
    }
  }
}
