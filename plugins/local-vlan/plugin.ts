import {
  type AgentHooks,
  type AgentIdentity,
  type BoundSegment,
  type Effects,
  type Health,
  type Jobs,
  type Logger,
  type Plugin,
  plugin,
  reasonOf,
  type Segment,
  Service,
  type SwitchView,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { LocalVlanConfig } from './config';
import { vlansLedTo } from './led-to';
import { carriedVlans, VlanPool } from './pool';

/**
 * Local VLANs: gives each segment that is used on this host a VLAN of its own on the integration bridge, which is its conntrack zone too.
 * A segment whose ports carry a VLAN already (from an earlier run, or from Neutron's agent) keeps it.
 *
 * Owns:  the pool. Nothing on the switch: what it knows after a restart, it reads from the ports.
 * Never: gives a VLAN that another segment holds, that any port still carries, into which flows of an earlier run still lead another
 * network's frames, or whose learned flows and connections are not gone.
 */
@plugin({
  id: 'local-vlan',
  summary: 'Gives each segment a VLAN on the integration bridge',
  sdk: '^1.0.0',
  after: ['integration-bridge', 'bridge-mappings', 'tunnels'],
  config: LocalVlanConfig,
  onFailure: 'abort',
})
export class LocalVlan implements Plugin {
  private readonly pool: VlanPool;
  /** VLANs of released segments that are being cleaned. */
  private readonly draining = new Map<number, Unsubscribe>();

  constructor(
    @use(Service.config) config: LocalVlanConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.effects) private readonly effects: Effects,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) private readonly logger: Logger,
  ) {
    this.pool = new VlanPool(config.first, config.last);
  }

  tap(hooks: AgentHooks): void {
    hooks.resolveLocalVlan(({ segment }) => this.localVlanOf(segment));
    hooks.onSegmentBound((bound) => this.keep(bound));
    hooks.onSegmentReleased((bound) => this.drain(bound));
  }

  private async localVlanOf(segment: Segment): Promise<number> {
    const held = this.pool.held(segment);
    if (held !== undefined) {
      this.stopDraining(held);
      return held;
    }
    const carried = carriedVlans(await this.switchView.ports(this.identity.integrationBridge));
    const own = this.pool.own(segment, carried);
    if (own !== undefined) return own;
    const grant = this.pool.grant(segment, carried, await vlansLedTo(this.switchView, this.identity));
    // Another port of the segment may have been faster.
    if (grant.origin === 'own') return grant.vlan;
    try {
      await this.clean(grant.vlan, 'now');
    } catch (error) {
      this.pool.release(segment, grant.vlan);
      throw error;
    }
    return grant.vlan;
  }

  /** A segment that was renumbered holds its network's VLAN on: it was told as released and bound in one event. */
  private keep({ segment, localVlan }: BoundSegment): void {
    this.stopDraining(localVlan);
    this.pool.assign(segment, localVlan);
  }

  private drain({ segment, localVlan }: BoundSegment): void {
    this.stopDraining(localVlan);
    const drained = async (signal: AbortSignal) => {
      await this.clean(localVlan, 'settled', signal);
      if (signal.aborted) return;
      this.draining.delete(localVlan);
      this.pool.release(segment, localVlan);
    };
    const backoff = { initialMs: 500, maxMs: 30_000 };
    this.draining.set(localVlan, this.jobs.untilDone(`drain VLAN ${localVlan}`, backoff, drained));
  }

  private stopDraining(localVlan: number): void {
    this.draining.get(localVlan)?.();
    this.draining.delete(localVlan);
  }

  /** Makes a VLAN nobody's: what the tunnel bridge learned in it would send frames into the former network, connections would pass as known. */
  private async clean(localVlan: number, when: 'now' | 'settled', signal?: AbortSignal): Promise<void> {
    const match = { vlan_tci: `${localVlan}/0x0fff` };
    await this.effects.deleteLearned({ bridge: this.identity.tunnelBridge, match, when });
    if (signal?.aborted) return;
    try {
      await this.effects.flushConntrack(localVlan);
      this.health.clear('conntrack');
    } catch (error) {
      const detail = reasonOf(error);
      this.health.report('conntrack', 'degraded', `zone ${localVlan} was not flushed: ${detail}`);
      this.logger.warn('connections of a released VLAN could not be flushed', { zone: localVlan, error: detail });
    }
  }
}
