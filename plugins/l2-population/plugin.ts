import {
  type AgentHooks,
  type AgentIdentity,
  type Announcer,
  type BoundSegment,
  type DesiredState,
  type Health,
  type HookCalls,
  type Jobs,
  type Logger,
  type Plugin,
  type PortDirectory,
  plugin,
  type RemotePorts,
  type Rpc,
  Service,
  type SwitchView,
  type Synchronisation,
  TunnelTable,
  type TunnelType,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { L2PopulationConfig } from './config';
import { addressChanges, networkEntries } from './entries';
import { InstalledEntries, overrideOf, type UnicastSegment, unicastFlows } from './flows';
import { FullEntries } from './full-entries';
import { NetworkForwarding } from './network-entries';
import { type ChangedEndpoint, Telling } from './telling';

const TOPIC = 'q-agent-notifier-l2population-update';
/** How long entries of a network that no port uses any more are kept up to date, in milliseconds. */
const KEPT_MS = 60_000;

interface TunnelledSegment extends UnicastSegment {
  readonly tunnelType: TunnelType;
}

/**
 * L2 population: takes from neutron-server which host has which addresses of the networks that are used here, so that unicast needs no
 * learning and frames to all go only to hosts that have ports of the network.
 *
 * Owns:  the unicast flows of entries (table 20, priority 2). Tunnels and flooding follow from what it tells: `onForwardingChanged`.
 * Never: takes away what an earlier run installed before the server's full entries have come.
 */
@plugin({
  id: 'l2-population',
  summary: 'Takes from the server which host has which addresses',
  sdk: '^1.0.0',
  requires: [Service.rpc, Service.ports, 'tunnels'],
  config: L2PopulationConfig,
  claims: [{ bridge: 'tunnel', tables: [TunnelTable.unicast], priorities: [2, 2] }],
  onFailure: 'abort',
})
export class L2Population implements Plugin {
  private readonly networks = new Map<string, NetworkForwarding>();
  private readonly bound = new Map<string, TunnelledSegment>();
  /** Names of tunnel ports by endpoint. */
  private readonly portNames = new Map<string, string>();
  private readonly full: FullEntries;
  private readonly telling: Telling;
  private installed: Promise<InstalledEntries> | undefined;
  /** Keys of flows that take the place of a former segment's until it is known that those are gone. */
  private readonly overrides = new Set<string>();
  private messages = 0;
  private isComplete = false;
  private readonly subscriptions: Unsubscribe[] = [];

  constructor(
    @use(Service.config) private readonly config: L2PopulationConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.synchronisation) private readonly synchronisation: Synchronisation,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.rpc) private readonly rpc: Rpc,
    @use(Service.ports) ports: PortDirectory,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) health: Health,
    @use(Service.logger) private readonly logger: Logger,
  ) {
    this.telling = new Telling(announcer, jobs, {
      remotePorts: (changed) => this.remotePorts(changed),
      state: (calls, changed) => this.stateAll(calls, changed),
      complete: () => this.completed(),
    });
    this.full = new FullEntries({
      ports,
      jobs,
      health,
      sendMarker: (token) => rpc.cast({ topic: TOPIC, host: identity.host }, 'entries_end_here', { token }),
      now: () => this.messages,
      answered: (networkIds, since) => this.fullEntriesCame(networkIds, since),
    });
  }

  tap(hooks: AgentHooks): void {
    hooks.onReportState(() => ({ configurations: { l2_population: true } }));
    hooks.onSegmentBound((bound) => this.bind(bound));
    hooks.onSegmentReleased((bound) => this.release(bound));
    hooks.onPortAdded(({ segment }) => this.full.portAdded(segment.networkId));
    hooks.onAgentSynced(() => this.full.begin());
  }

  async start(): Promise<void> {
    await this.announcer.event('l2-population', (calls) =>
      calls.tell('onForwardingChanged', { remotes: [], knowledge: 'partial' }),
    );
    const forUs = (take: (fdbEntries: unknown) => void) => (args: Readonly<Record<string, unknown>>, cause: string) => {
      this.logger.debug('forwarding entries came', { entries: args.fdb_entries, cause });
      if (typeof args.host !== 'string' || args.host === this.identity.host) take(args.fdb_entries);
    };
    this.subscriptions.push(
      this.rpc.listen(
        { topic: TOPIC, version: '1.0', fanout: true },
        {
          add_fdb_entries: forUs((entries) => this.add(entries)),
          remove_fdb_entries: forUs((entries) => this.remove(entries)),
          update_fdb_entries: forUs((entries) => this.update(entries)),
          entries_end_here: ({ token }) => this.full.markerCame(String(token)),
        },
      ),
      this.rpc.onRestored(() => this.full.ask([...this.bound.keys()])),
      this.synchronisation.onRequested(() => this.synchroniseAgain()),
    );
  }

  stop(): void {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private add(fdbEntries: unknown): void {
    const now = ++this.messages;
    for (const { networkId, tunnelType, tunnelKey, hosts } of networkEntries(fdbEntries)) {
      const segment = this.bound.get(networkId);
      if (segment !== undefined && (segment.tunnelType !== tunnelType || segment.tunnelKey !== tunnelKey)) continue;
      for (const entries of hosts) {
        if (entries.ipAddress !== this.config.local_ip) this.change(networkId, (network) => network.add(entries, now));
      }
    }
  }

  private remove(fdbEntries: unknown): void {
    this.messages += 1;
    for (const { networkId, hosts } of networkEntries(fdbEntries)) {
      for (const entries of hosts) this.change(networkId, (network) => network.remove(entries));
    }
  }

  private update(fdbEntries: unknown): void {
    const now = ++this.messages;
    for (const { networkId, ipAddress, before, after } of addressChanges(fdbEntries)) {
      if (ipAddress === this.config.local_ip) continue;
      const names = 'addresses only';
      this.change(networkId, (network) => network.add({ ipAddress, names, addresses: after }, now));
      this.change(networkId, (network) => network.remove({ ipAddress, names, addresses: before }));
    }
  }

  /** Entries of networks that are not used here are left out: the server sends all when a network's first port here comes up. */
  private change(networkId: string, act: (network: NetworkForwarding) => Iterable<string>): void {
    const network = this.networks.get(networkId);
    if (network !== undefined) this.telling.note(networkId, network.tunnelType, act(network));
  }

  private fullEntriesCame(networkIds: readonly string[], since: number): Promise<void> {
    for (const networkId of networkIds) this.change(networkId, (network) => network.keepSince(since));
    return this.telling.complete();
  }

  private synchroniseAgain(): void {
    for (const networkId of this.networks.keys()) this.change(networkId, (network) => network.endpoints());
    this.full.ask([...this.bound.keys()]);
  }

  // ── segments ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private async bind({ segment, localVlan }: BoundSegment): Promise<void> {
    const { networkId, networkType, segmentationId } = segment;
    if (networkType !== 'vxlan' && networkType !== 'gre' && networkType !== 'geneve') return;
    if (segmentationId === null) return;
    const before = this.bound.get(networkId);
    const bound = { tunnelType: networkType, tunnelKey: segmentationId, localVlan };
    this.bound.set(networkId, bound);
    const known = this.networks.get(networkId);
    const network = known?.tunnelType === networkType ? known : new NetworkForwarding(networkId, networkType);
    this.networks.set(networkId, network);
    await this.overrideFormer(bound);
    for (const ipAddress of network.endpoints()) this.state({ networkId, tunnelType: networkType, ipAddress });
    if (before?.tunnelKey === segmentationId && before.localVlan === localVlan) return;
    this.telling.note(networkId, networkType, network.endpoints());
    this.full.ask([networkId]);
  }

  private release({ segment: { networkId, segmentationId } }: BoundSegment): void {
    if (this.bound.get(networkId)?.tunnelKey !== segmentationId) return;
    this.bound.delete(networkId);
    const network = this.networks.get(networkId);
    for (const ipAddress of network?.endpoints() ?? []) this.desired.unset(entryKey(networkId, ipAddress));
    // A network that is renumbered, or whose last port is plugged anew, finds its entries again.
    this.jobs.after(`forget ${networkId}`, KEPT_MS, () => this.forget(networkId));
  }

  private forget(networkId: string): void {
    const network = this.networks.get(networkId);
    if (network === undefined || this.bound.has(networkId)) return;
    this.networks.delete(networkId);
    this.telling.note(networkId, network.tunnelType, network.endpoints());
  }

  /** Before everything is complete, a VLAN may still have entries of the segment that it belonged to in an earlier run. */
  private async overrideFormer(segment: UnicastSegment): Promise<void> {
    if (this.isComplete) return;
    this.installed ??= this.switchView
      .flows(this.identity.tunnelBridge, [TunnelTable.unicast])
      .then((flows) => new InstalledEntries(flows));
    for (const { macAddress, flow } of (await this.installed).stale(segment)) {
      const key = overrideKey(segment.localVlan, macAddress);
      this.overrides.add(key);
      this.desired.set(key, { flows: [overrideOf(flow)] });
    }
  }

  // ── what follows from entries ────────────────────────────────────────────────────────────────────────────────────────

  private remotePorts({ networkId, tunnelType, ipAddress }: ChangedEndpoint): RemotePorts {
    const network = this.networks.get(networkId) ?? new NetworkForwarding(networkId, tunnelType);
    return network.remotePorts(ipAddress);
  }

  private async stateAll(calls: HookCalls, changed: readonly ChangedEndpoint[]): Promise<void> {
    for (const one of changed) {
      const key = endpointKey(one);
      if (!this.portNames.has(key) && this.bound.has(one.networkId)) {
        const endpoint = { tunnelType: one.tunnelType, ipAddress: one.ipAddress };
        const name = await calls.resolveTunnelPort({ endpoint });
        if (name !== undefined) this.portNames.set(key, name);
      }
      this.state(one);
    }
  }

  private state(changed: ChangedEndpoint): void {
    const { networkId, ipAddress } = changed;
    const segment = this.bound.get(networkId);
    const { addresses } = this.remotePorts(changed);
    const portName = this.portNames.get(endpointKey(changed));
    if (segment === undefined || portName === undefined || addresses.length === 0) {
      this.desired.unset(entryKey(networkId, ipAddress));
      return;
    }
    for (const { macAddress } of addresses) this.dropOverride(overrideKey(segment.localVlan, macAddress));
    const flows = unicastFlows(segment, addresses, this.identity.tunnelBridge, portName);
    this.desired.set(entryKey(networkId, ipAddress), { flows });
  }

  private completed(): void {
    this.isComplete = true;
    this.logger.info('every forwarding entry is known', { networks: this.bound.size });
    for (const key of this.overrides) this.dropOverride(key);
    this.installed = undefined;
    this.desired.complete();
  }

  private dropOverride(key: string): void {
    if (this.overrides.delete(key)) this.desired.unset(key);
  }
}

const entryKey = (networkId: string, ipAddress: string): string => `entries/${networkId}/${ipAddress}`;
const overrideKey = (localVlan: number, macAddress: string): string => `former/${localVlan}/${macAddress}`;
const endpointKey = ({ tunnelType, ipAddress }: ChangedEndpoint): string => `${tunnelType} ${ipAddress}`;
