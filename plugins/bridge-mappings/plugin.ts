import {
  type AgentHooks,
  type AgentIdentity,
  type BoundSegment,
  type BridgeView,
  type DesiredState,
  type Health,
  type Jobs,
  type Logger,
  type Plugin,
  plugin,
  Service,
  type Store,
  type SwitchChange,
  type SwitchView,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { BridgeMappingsConfig } from './config';
import { distinctDatapathIds } from './datapath-ids';
import { bridgeRecords, translation } from './flows';
import { FormerBridges } from './former-bridges';

/**
 * Bridge mappings: joins each provider bridge to the integration bridge and swaps VLANs where traffic crosses.
 *
 * Owns:  the int-/phy- patch pair of every mapped bridge, what drops untranslated frames on it, and two translation flows per segment.
 * Never: creates a provider bridge. A missing one is the operator's to mend; its part is written when it appears.
 */
@plugin({
  id: 'bridge-mappings',
  summary: 'Joins provider networks to the integration bridge',
  sdk: '^1.0.0',
  after: ['integration-bridge'],
  config: BridgeMappingsConfig,
  claims: [
    { bridge: 'integration', tables: [0], priorities: [2, 3] },
    { bridge: 'provider', tables: [0] },
  ],
  columns: [
    { bridge: 'integration', columns: ['Bridge:ports'] },
    {
      bridge: 'provider',
      columns: ['Bridge:ports', 'Bridge:datapath_type', 'Bridge:fail_mode', 'Bridge:protocols', 'Bridge:other_config'],
    },
  ],
  onFailure: 'abort',
})
export class BridgeMappings implements Plugin {
  private readonly bridges = new Map<string, BridgeView>();
  private readonly datapathIdSet = new Map<string, string | undefined>();
  private readonly former: FormerBridges;
  private unwatch: Unsubscribe | undefined;

  constructor(
    @use(Service.config) private readonly config: BridgeMappingsConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) private readonly logger: Logger,
    @use(Service.store) store: Store,
  ) {
    this.former = new FormerBridges(Object.values(config.bridge_mappings), desired, store, jobs);
  }

  tap(hooks: AgentHooks): void {
    hooks.onSegmentBound((bound) => this.translate(bound));
    hooks.onSegmentReleased((bound) => this.stopTranslating(bound));
    hooks.onAgentSynced(() => this.synced());
    hooks.onReportState(() => ({ configurations: { bridge_mappings: { ...this.config.bridge_mappings } } }));
  }

  start(): void {
    for (const [physicalNetwork, bridge] of this.mappings()) this.state(physicalNetwork, bridge, undefined);
    this.unwatch = this.switchView.watch((changes) => this.switchChanged(changes));
    this.former.start();
    this.jobs.untilDone('read bridges', { initialMs: 500, maxMs: 30_000 }, () => this.readBridges());
  }

  stop(): void {
    this.unwatch?.();
  }

  private synced(): void {
    this.desired.complete();
    this.former.complete((bridge) => this.bridges.has(bridge));
  }

  private translate(bound: BoundSegment): void {
    const { networkType, physicalNetwork, networkId } = bound.segment;
    if (networkType !== 'flat' && networkType !== 'vlan') return;
    const bridge = physicalNetwork === null ? undefined : this.config.bridge_mappings[physicalNetwork];
    if (bridge === undefined) {
      this.desired.unset(keyOf(bound));
      this.health.report(conditionOf(bound), 'degraded', `no bridge is mapped to physical network ${physicalNetwork}`);
      this.logger.error('a network is on a physical network that no bridge is mapped to', {
        network: networkId,
        physicalNetwork,
        mapped: Object.keys(this.config.bridge_mappings),
      });
      return;
    }
    const { integrationBridge } = this.identity;
    this.desired.set(keyOf(bound), { flows: translation(bound, { bridge, integrationBridge }) });
  }

  private stopTranslating(bound: BoundSegment): void {
    this.desired.unset(keyOf(bound));
    this.health.clear(conditionOf(bound));
  }

  private async readBridges(): Promise<void> {
    for (const bridge of await this.switchView.bridges()) this.bridges.set(bridge.name, bridge);
    this.bridgesChanged();
  }

  private switchChanged(changes: readonly SwitchChange[]): void {
    let changed = false;
    for (const change of changes) {
      if (change.kind === 'bridge-added') this.bridges.set(change.bridge.name, change.bridge);
      else if (change.kind === 'bridge-removed') this.bridges.delete(change.bridge.name);
      else continue;
      changed = true;
    }
    if (changed) this.bridgesChanged();
  }

  private bridgesChanged(): void {
    const present = this.mappings().flatMap(([, bridge]) => this.bridges.get(bridge) ?? []);
    const datapathIds = distinctDatapathIds(present);
    for (const [physicalNetwork, bridge] of this.mappings()) {
      const condition = `bridge/${bridge}`;
      if (this.bridges.has(bridge)) {
        this.health.clear(condition);
        this.state(physicalNetwork, bridge, datapathIds.get(bridge));
      } else {
        const mend = `ovs-vsctl add-br ${bridge}`;
        this.health.report(condition, 'failing', `bridge ${bridge} of ${physicalNetwork} does not exist (${mend})`);
        this.logger.error('a provider bridge does not exist', { bridge, physicalNetwork });
      }
    }
  }

  private state(physicalNetwork: string, bridge: string, datapathId: string | undefined): void {
    if (this.datapathIdSet.has(bridge) && this.datapathIdSet.get(bridge) === datapathId) return;
    this.datapathIdSet.set(bridge, datapathId);
    const { integrationBridge, datapathType } = this.identity;
    const settings = datapathId === undefined ? { datapathType } : { datapathType, datapathId };
    const records = bridgeRecords({ physicalNetwork, bridge, integrationBridge }, settings, this.config);
    this.desired.set(`bridge/${bridge}`, records);
  }

  private mappings(): readonly (readonly [physicalNetwork: string, bridge: string])[] {
    return Object.entries(this.config.bridge_mappings);
  }
}

/** Not by segmentation id: a segment that is renumbered replaces its flows in one round. */
const keyOf = ({ segment, localVlan }: BoundSegment): string => `segment/${segment.networkId}/${localVlan}`;
/** A network may have segments on several physical networks. */
const conditionOf = ({ segment, localVlan }: BoundSegment): string => `network/${segment.networkId}/${localVlan}`;
