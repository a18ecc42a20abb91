import 'reflect-metadata';
import {
  type AgentHooks,
  type AgentIdentity,
  type BoundSegment,
  type DesiredState,
  IntegrationTable,
  type Plugin,
  plugin,
  Service,
  use,
} from '@patchbay/sdk';
import { BondedBridgeMappingsConfig } from './config';
import { translation, uplinkRecords } from './flows';

/**
 * Bonded bridge mappings: what `bridge-mappings` does, on provider bridges of its own making whose uplinks are bonds.
 *
 * Owns:  the provider bridges with their bonds, the patch pair of each, and two translation flows per bound segment.
 * Never: touches a bridge that its options do not name.
 */
@plugin({
  id: 'acme-bonded-bridge-mappings',
  summary: 'Joins provider networks to the integration bridge over bonds',
  sdk: '^1.0.0',
  replaces: 'bridge-mappings',
  after: ['integration-bridge'],
  config: BondedBridgeMappingsConfig,
  claims: [
    { bridge: 'integration', tables: [IntegrationTable.classifier], priorities: [2, 3] },
    { bridge: 'provider', tables: [0] },
  ],
  columns: [
    { bridge: 'integration', columns: ['Bridge:ports'] },
    {
      bridge: 'provider',
      columns: ['Open_vSwitch:bridges', 'Bridge:ports', 'Bridge:datapath_type', 'Bridge:fail_mode', 'Bridge:protocols'],
    },
  ],
  onFailure: 'abort',
})
export class BondedBridgeMappings implements Plugin {
  constructor(
    @use(Service.config) private readonly config: BondedBridgeMappingsConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.desired) private readonly desired: DesiredState,
  ) {}

  tap(hooks: AgentHooks): void {
    hooks.onSegmentBound((bound) => this.bind(bound));
    hooks.onSegmentReleased((bound) => this.desired.unset(keyOf(bound)));
    hooks.onAgentSynced(() => this.desired.complete());
    // The server binds a port to this host only if its physical network is among these.
    hooks.onReportState(() => ({ configurations: { bridge_mappings: this.mappings() } }));
  }

  start(): void {
    for (const [physicalNetwork, uplink] of Object.entries(this.config.uplinks)) {
      this.desired.set(`uplink/${physicalNetwork}`, uplinkRecords(physicalNetwork, uplink, this.identity));
    }
  }

  private mappings(): Readonly<Record<string, string>> {
    const uplinks = Object.entries(this.config.uplinks);
    return Object.fromEntries(uplinks.map(([physicalNetwork, { bridge }]) => [physicalNetwork, bridge]));
  }

  private bind(bound: BoundSegment): void {
    const uplink = this.config.uplinks[bound.segment.physicalNetwork ?? ''];
    if (uplink === undefined) return;
    this.desired.set(keyOf(bound), { flows: translation(bound, uplink.bridge, this.identity.integrationBridge) });
  }
}

const keyOf = ({ segment, localVlan }: BoundSegment): string => `segment/${segment.networkId}/${localVlan}`;
