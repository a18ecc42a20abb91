import { networkInterfaces } from 'node:os';
import {
  type AgentHooks,
  type AgentIdentity,
  type Announcer,
  type BoundSegment,
  type ControlPlane,
  type DesiredState,
  type Effects,
  type ForwardingChange,
  type Health,
  type Jobs,
  type KeyAcknowledgement,
  type Logger,
  type Plugin,
  plugin,
  reasonOf,
  Service,
  type SwitchView,
  type Synchronisation,
  type TunnelEndpoint,
  TunnelTable,
  type TunnelType,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { canonicalAddress, hostAddresses } from './addresses';
import { TunnelsConfig } from './config';
import { Endpoints, type Exclusion, endpointKey } from './endpoints';
import { TunnelErrors } from './errors';
import { bridgeRecords, endpointRecords, segmentFlows, type TunnelSegment, tunnelSegment } from './flows';
import { InstalledFloods } from './installed-floods';
import { Learned } from './learned';
import { Reach } from './reach';
import { UnmadeTunnels } from './unmade';

/**
 * Tunnels: joins this host to every other over VXLAN, GRE or Geneve, floods to all of them, and lets the tunnel bridge learn who is where.
 * Once forwarding entries are told (`onForwardingChanged`), it leads to, and floods to, only those hosts that they name.
 *
 * Owns:  br-tun, the patch pair to the integration bridge, one port for each other host and type, the flows of tunnelled segments.
 *        Learned flows carry LEARNED_COOKIE: they are the switch's, and deleted where what they were learned from goes.
 * Never: removes a tunnel of an earlier run, or stops flooding to it, before the control plane has named every endpoint, or entry.
 */
@plugin({
  id: 'tunnels',
  summary: 'Joins this host to the others by tunnels, and floods and learns over them',
  sdk: '^1.0.0',
  requires: [Service.controlPlane],
  after: ['integration-bridge'],
  config: TunnelsConfig,
  claims: [
    { bridge: 'tunnel', tables: [0, 2, 3, 4, 6, 10, 20, 22] },
    { bridge: 'integration', tables: [0], priorities: [1, 1] },
  ],
  columns: [
    { bridge: 'integration', columns: ['Bridge:ports'] },
    {
      bridge: 'tunnel',
      columns: [
        'Open_vSwitch:bridges',
        'Bridge:datapath_type',
        'Bridge:fail_mode',
        'Bridge:protocols',
        'Bridge:other_config',
        'Bridge:external_ids',
        'Bridge:ports',
      ],
    },
  ],
  onFailure: 'abort',
})
export class Tunnels implements Plugin {
  private readonly endpoints: Endpoints;
  private readonly localAddress: string;
  private readonly segments = new Map<string, TunnelSegment>();
  /** The tunnel key that was last used in a local VLAN. */
  private readonly lastKeyIn = new Map<number, number>();
  /** Endpoints that were said to be left out. */
  private readonly leftOut = new Set<string>();
  private readonly unmade: UnmadeTunnels;
  private readonly floodsDue = new Map<TunnelType, Promise<void>>();
  private hardwareOffload = false;
  private reading: Promise<void> | undefined;
  private readonly reach = new Reach();
  private floods = new InstalledFloods([], []);
  private readonly learned: Learned;
  private subscriptions: readonly Unsubscribe[] = [];

  private isRegistered = false;
  private isSynced = false;

  constructor(
    @use(Service.config) private readonly config: TunnelsConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.controlPlane) private readonly controlPlane: ControlPlane,
    @use(Service.synchronisation) private readonly synchronisation: Synchronisation,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.effects) effects: Effects,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) private readonly logger: Logger,
  ) {
    this.localAddress = config.local_ip ?? '';
    this.endpoints = new Endpoints(config.tunnel_types, this.localAddress);
    this.learned = new Learned(identity.tunnelBridge, effects, jobs);
    this.unmade = new UnmadeTunnels(health, jobs);
  }

  tap(hooks: AgentHooks): void {
    hooks.onReportState(() => ({ configurations: this.report() }));
    if (this.config.tunnel_types.length === 0) return;
    hooks.onSegmentBound((bound) => this.bindSegment(bound));
    hooks.onSegmentReleased((bound) => this.releaseSegment(bound));
    hooks.onTunnelEndpointAdded((endpoint) => this.endpointAnnounced(endpoint));
    hooks.onTunnelEndpointRemoved((endpoint) => this.endpointWithdrawn(endpoint));
    hooks.onForwardingChanged((change) => this.forwardingChanged(change));
    hooks.onAgentSynced(() => {
      this.isSynced = true;
      this.completeOnceKnown();
    });
    hooks.resolveTunnelPort(({ endpoint }) => this.endpoints.find(endpoint)?.portName);
  }

  start(): void {
    if (this.config.tunnel_types.length === 0) {
      this.desired.complete();
      return;
    }
    this.checkLocalAddress();
    this.desired.set('bridge', bridgeRecords(this.identity, this.config));
    this.subscriptions = [
      this.synchronisation.onRequested(() => this.register()),
      this.switchView.watch((changes) => this.learned.observe(changes)),
      this.announcer.onProgress((acknowledgement) => this.progressed(acknowledgement)),
    ];
    this.register();
  }

  stop(): void {
    for (const unsubscribe of this.subscriptions) unsubscribe();
  }

  /** Every type must be registered before what no endpoint wants may be swept. */
  private register(): void {
    this.jobs.untilDone('register endpoint', { initialMs: 1_000, maxMs: 60_000 }, async () => {
      try {
        await this.readSwitch();
        for (const tunnelType of this.config.tunnel_types) await this.registerFor(tunnelType);
      } catch (error) {
        const detail = reasonOf(error);
        this.health.report('registration', 'degraded', `the tunnel endpoint is not registered: ${detail}`);
        throw error;
      }
      this.health.clear('registration');
      this.isRegistered = true;
      this.completeOnceKnown();
    });
  }

  /** Endpoints are all known once every type is registered and every entry told, segments once every port that was there is bound. */
  private completeOnceKnown(): void {
    const entriesKnown = this.reach.mode === 'every endpoint' || this.reach.knowledge === 'complete';
    if (this.isRegistered && this.isSynced && entriesKnown) this.desired.complete();
  }

  private async registerFor(tunnelType: TunnelType): Promise<void> {
    const before = this.endpoints.of(tunnelType);
    const all = await this.controlPlane.registerTunnelEndpoint({ tunnelType, ipAddress: this.localAddress });
    if (this.reach.mode === 'by entries') return;
    const named = new Set(all.map(endpointKey));
    // An endpoint that was told of while the question was on its way is newer than the answer.
    const gone = before.filter(({ endpoint }) => !named.has(endpointKey(endpoint)));
    for (const endpoint of all) this.addEndpoint(endpoint);
    for (const { endpoint } of gone) this.removeEndpoint(endpoint);
    this.unmade.keepOnly((endpoint) => endpoint.tunnelType !== tunnelType || named.has(endpointKey(endpoint)));
    this.stateSegments(tunnelType);
  }

  private async endpointAnnounced(endpoint: TunnelEndpoint): Promise<void> {
    await this.readSwitch();
    if (this.reach.mode === 'by entries') return;
    if (this.addEndpoint(endpoint)) await this.floodAnew(endpoint.tunnelType);
  }

  private async endpointWithdrawn(endpoint: TunnelEndpoint): Promise<void> {
    if (this.reach.mode === 'by entries') return;
    if (this.removeEndpoint(endpoint)) await this.floodAnew(endpoint.tunnelType);
  }

  /** Endpoints that are told of in one turn of the event loop change the flood lists once: where a cloud comes up there are hundreds. */
  private floodAnew(tunnelType: TunnelType): Promise<void> {
    const due =
      this.floodsDue.get(tunnelType) ??
      new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.floodsDue.delete(tunnelType);
        this.stateSegments(tunnelType);
      });
    this.floodsDue.set(tunnelType, due);
    return due;
  }

  private async forwardingChanged(change: ForwardingChange): Promise<void> {
    await this.readSwitch();
    const { mode, knowledge } = this.reach;
    const networks = this.reach.take(change);
    const isAnother = mode !== this.reach.mode || knowledge !== this.reach.knowledge;
    for (const { endpoint } of change.remotes) {
      if (this.reach.isUsed(endpoint)) this.addEndpoint(endpoint);
    }
    for (const [key, segment] of this.segments) {
      if (isAnother || networks.has(segment.networkId)) this.stateSegment(key, segment);
    }
    this.removeUnused(isAnother ? this.allEndpoints() : change.remotes.map(({ endpoint }) => endpoint));
    if (isAnother) this.completeOnceKnown();
  }

  /** While entries are missing, a tunnel that was there before us is kept: it may be one of theirs. */
  private removeUnused(candidates: readonly TunnelEndpoint[]): void {
    if (this.reach.mode === 'every endpoint') return;
    this.unmade.keepOnly((endpoint) => this.reach.isUsed(endpoint) || this.endpoints.find(endpoint) !== undefined);
    for (const endpoint of candidates) {
      const isKept = this.reach.knowledge === 'partial' && this.endpoints.wasFound(endpoint);
      if (!isKept && !this.reach.isUsed(endpoint)) this.removeEndpoint(endpoint);
    }
  }

  private allEndpoints(): readonly TunnelEndpoint[] {
    return this.config.tunnel_types.flatMap((type) => this.endpoints.of(type).map(({ endpoint }) => endpoint));
  }

  /** True if a tunnel leads there that did not before. */
  private addEndpoint(endpoint: TunnelEndpoint): boolean {
    const exclusion = this.endpoints.exclusion(endpoint);
    if (exclusion !== undefined) {
      this.leaveOut(endpoint, exclusion);
      return false;
    }
    const known = this.endpoints.add(endpoint);
    if (known === undefined) return false;
    const { localAddress, hardwareOffload } = this;
    const settings = { localAddress, portName: known.portName, hardwareOffload };
    this.desired.set(endpointKey(endpoint), endpointRecords(endpoint, this.identity, settings, this.config));
    return true;
  }

  private leaveOut(endpoint: TunnelEndpoint, exclusion: Exclusion): void {
    if (exclusion.kind === 'this host') return;
    const { kind, why } = exclusion;
    if (kind === 'unreachable') this.unmade.lacking(endpoint, why);
    const key = endpointKey(endpoint);
    if (this.leftOut.has(key)) return;
    this.leftOut.add(key);
    this.logger.warn('no tunnel is made to an endpoint', { ...endpoint, why });
  }

  private progressed({ plugin: id, key, progress }: KeyAcknowledgement): void {
    if (id !== 'tunnels') return;
    const known = this.endpoints.byKey(key);
    if (known !== undefined) this.unmade.progressed(known.endpoint, progress);
  }

  private removeEndpoint(endpoint: TunnelEndpoint): boolean {
    this.unmade.forget(endpoint);
    const known = this.endpoints.remove(endpoint);
    if (known === undefined) return false;
    this.desired.unset(endpointKey(endpoint));
    this.learned.forgetTunnel(known.portName);
    return true;
  }

  private async bindSegment(bound: BoundSegment): Promise<void> {
    const segment = tunnelSegment(bound);
    if (segment === undefined) return;
    await this.readSwitch();
    const key = segmentKey(bound);
    if (!this.segments.has(key)) this.reach.bind(segment.networkId);
    this.segments.set(key, segment);
    for (const endpoint of this.reach.endpointsOf(segment.networkId)) this.addEndpoint(endpoint);
    this.stateSegment(key, segment);
    const last = this.lastKeyIn.get(segment.localVlan);
    if (last !== undefined && last !== segment.tunnelKey) this.learned.forgetVlan(segment.localVlan);
    this.lastKeyIn.set(segment.localVlan, segment.tunnelKey);
  }

  private releaseSegment(bound: BoundSegment): void {
    const segment = this.segments.get(segmentKey(bound));
    this.desired.unset(segmentKey(bound));
    if (segment === undefined) return;
    this.segments.delete(segmentKey(bound));
    this.reach.release(segment.networkId);
    this.removeUnused(this.allEndpoints());
  }

  private stateSegments(tunnelType: TunnelType): void {
    for (const [key, segment] of this.segments) {
      if (segment.tunnelType === tunnelType) this.stateSegment(key, segment);
    }
  }

  private stateSegment(key: string, segment: TunnelSegment): void {
    const flooded = this.floodedPorts(segment);
    const ports = flooded.length === 0 && this.floods.isOfAnother(segment) ? 'none' : flooded;
    this.desired.set(key, { flows: segmentFlows(segment, this.identity.tunnelBridge, ports) });
  }

  private floodedPorts(segment: TunnelSegment): readonly string[] {
    const { mode, knowledge } = this.reach;
    if (mode === 'every endpoint') return this.endpoints.of(segment.tunnelType).map(({ portName }) => portName);
    const told = this.reach
      .flooded(segment.networkId, segment.tunnelType)
      .flatMap((endpoint) => this.endpoints.find(endpoint)?.portName ?? []);
    return knowledge === 'complete' ? told : [...new Set([...told, ...this.floods.of(segment)])];
  }

  private readSwitch(): Promise<void> {
    this.reading ??= (async () => {
      this.hardwareOffload = (await this.switchView.summary()).hardwareOffload;
      const ports = await this.switchView.ports(this.identity.tunnelBridge);
      this.learned.observe(ports.map((port) => ({ kind: 'port-added', port, cause: 'start' })));
      this.floods = new InstalledFloods(
        await this.switchView.flows(this.identity.tunnelBridge, [TunnelTable.flood]),
        ports,
      );
      for (const endpoint of this.endpoints.found(ports)) {
        if (this.config.tunnel_types.includes(endpoint.tunnelType)) this.addEndpoint(endpoint);
      }
    })().catch((error: unknown) => {
      this.reading = undefined;
      throw error;
    });
    return this.reading;
  }

  private checkLocalAddress(): void {
    const addresses = hostAddresses(networkInterfaces());
    const local = canonicalAddress(this.localAddress);
    if (local !== undefined && addresses.some((address) => canonicalAddress(address) === local)) return;
    throw TunnelErrors.localIpNotHere({ local_ip: this.localAddress, addresses });
  }

  private report(): Readonly<Record<string, unknown>> {
    return {
      tunnel_types: [...this.config.tunnel_types],
      tunneling_ip: this.config.local_ip ?? null,
      enable_distributed_routing: false,
      in_distributed_mode: false,
    };
  }
}

/** Not by tunnel key: a segment that is renumbered replaces its flows in one round. */
const segmentKey = ({ segment, localVlan }: BoundSegment): string => `segment/${segment.networkId}/${localVlan}`;
