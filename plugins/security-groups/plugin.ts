import { setTimeout as pause } from 'node:timers/promises';
import {
  type AgentHooks,
  type AgentIdentity,
  type Announcer,
  type BoundPort,
  type DesiredState,
  type Effects,
  type Health,
  type HookContext,
  type Jobs,
  type Logger,
  type Plugin,
  type PortDescription,
  type PortDirectory,
  plugin,
  type ResourceView,
  reasonOf,
  type SecurityGroupUpdate,
  Service,
  type Store,
  type SwitchView,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { isSecured } from '../port-security';
import { Uplinks } from '../uplinks';
import { type AddressSetName, securityGroupSet } from './address-sets';
import { sharedFlows } from './base-flows';
import { SecurityGroupsConfig } from './config';
import { ConjunctionIds } from './conjunction-ids';
import { Connections } from './connections';
import { SecurityGroupErrors } from './errors';
import { Facts, setsNamed } from './facts';
import { FormerAddresses } from './former-addresses';
import { GroupHealth } from './group-health';
import { Policies } from './policies';
import { OF_CONJUNCTIONS, OF_EVERY_BRIDGE } from './priorities';
import { SharedMembers } from './shared-members';
import { FirewallTable } from './tables';
import { Turns } from './turns';

const RETRY = { initialMs: 500, maxMs: 30_000 };
/**
 * The server tells of each rule in a message of its own, and each change restates all ports of the group: rules are waited for while
 * they come this close after one another, for `atMostMs` at most.
 */
const GATHER = { pauseMs: 10, atMostMs: 100 };
/** How long address flows that nobody refers to are left: longer than a port's event is under way. */
const RELEASE_MS = 10_000;
const NONE: ReadonlySet<AddressSetName> = new Set();

/**
 * Security groups: what a port sends and receives is what the rules of its groups allow, connection by connection, and it sends under
 * its own addresses only. Conntrack keeps the state, in the zone of the port's local VLAN.
 *
 * Owns:  tables 71 to 73, 81, 82 and 91 to 94; in table 60 the way of guarded ports' frames. Conjunction ids, kept over restarts.
 * Never: filters a port without port security, or one of Neutron's own (its owner starts with `network:`), or floods.
 */
@plugin({
  id: 'security-groups',
  summary: 'Filters every port by its security groups, statefully, and holds it to its addresses',
  sdk: '^1.0.0',
  requires: [Service.resources, Service.ports],
  after: ['integration-bridge', 'bridge-mappings', 'tunnels', 'neutron', 'standalone'],
  config: SecurityGroupsConfig,
  claims: [{ bridge: 'integration', tables: [60, 71, 72, 73, 81, 82, 91, 92, 93, 94] }],
  required: true,
  onFailure: 'abort',
})
export class SecurityGroups implements Plugin {
  private readonly uplinks: Uplinks;
  private readonly facts: Facts;
  private readonly ids: ConjunctionIds;
  private readonly formerAddresses: FormerAddresses;
  private readonly policies: Policies;
  private readonly members: SharedMembers;
  private readonly connections: Connections;
  private readonly groupHealth: GroupHealth;
  private idsKnown: Promise<void> | undefined;
  /** Ports whose facts are being read, by id. */
  private readonly reading = new Map<string, PortDescription>();
  /** What changed and could not be read yet. */
  private readonly unread = { groups: new Set<string>(), sets: new Set<AddressSetName>() };
  /** Ports that could not be guarded, until they are or are gone. */
  private readonly failed = new Set<string>();
  private changesOfRules = 0;
  private synced = false;
  private readonly turns = new Turns();
  private readonly subscriptions: Unsubscribe[] = [];

  constructor(
    @use(Service.config) private readonly config: SecurityGroupsConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.resources) resources: ResourceView,
    @use(Service.ports) private readonly ports: PortDirectory,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.effects) effects: Effects,
    @use(Service.store) store: Store,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) logger: Logger,
  ) {
    this.uplinks = new Uplinks(identity.integrationBridge);
    this.facts = new Facts(resources);
    this.ids = new ConjunctionIds(store);
    this.formerAddresses = new FormerAddresses(desired, announcer);
    this.policies = new Policies(this.facts, config, (name) => this.ids.blockOf(name));
    this.members = new SharedMembers(identity.integrationBridge, desired);
    this.groupHealth = new GroupHealth(config.max_flows_per_group, health, logger);
    this.connections = new Connections({
      switchView,
      effects,
      jobs,
      health,
      logger,
      ownersIn: (zone) => this.policies.ownersIn(zone),
      addressesOf: (set) => this.facts.addresses(set),
    });
  }

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound, context) => this.guard(bound, context));
    hooks.onPortUpdated(({ current }, context) => this.guard(current, context));
    hooks.onPortRemoved(({ bound }) => this.letGo(bound.port.id));
    hooks.onPortIsolated(({ vif }) => this.letGo(vif.portId));
    hooks.onSecurityGroupUpdated((update, context) => this.groupsChanged(update, context.cause));
    hooks.onAgentSynced(() => {
      this.synced = true;
      this.completeIfWhole();
      // Rules may have gone while the agent was down.
      this.connections.review(new Set(this.policies.filtered().map(({ localVlan }) => localVlan)));
    });
    hooks.onReportState(() => ({ configurations: { ovs_hybrid_plug: false } }));
  }

  start(): void {
    this.desired.set('base', { flows: sharedFlows(this.identity.integrationBridge, this.config) });
    this.subscriptions.push(this.ports.beforeTold((port) => this.prepare(port)));
    if (!this.config.explicitly_egress_direct) return;
    this.subscriptions.push(
      this.switchView.watch((changes) => {
        if (this.uplinks.changed(changes)) this.uplinksChanged();
      }),
    );
    this.jobs.untilDone('read ports', RETRY, () => this.readPorts());
  }

  stop(): void {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }

  // ── ports ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What takes a network: the tap finds it done. */
  private async prepare(port: PortDescription): Promise<void> {
    try {
      await this.knowIds();
      await this.read(port);
    } catch (error) {
      this.failed.add(port.id);
      throw error;
    }
  }

  /** What was read is kept for the port until it was `used`. */
  private async read(port: PortDescription, used: () => void = () => {}): Promise<void> {
    this.reading.set(port.id, port);
    try {
      if (isSecured({ port })) await this.facts.readGroups(port.securityGroupIds, 'new');
      used();
    } finally {
      if (this.reading.get(port.id) === port) this.reading.delete(port.id);
    }
  }

  private async guard(bound: BoundPort, { cause, signal }: HookContext): Promise<void> {
    const { id } = bound.port;
    this.failed.add(id);
    await this.knowIds();
    const previous = this.policies.get(id);
    await this.read(bound.port, () => {
      signal.throwIfAborted();
      this.policies.add(bound);
    });
    this.groupHealth.check(this.policies.groups(), this.policies.sizes());
    // Address flows leave first, in an event of their own: they are other ports' too, and mean nothing without the port's.
    await this.announcer.event(cause, async () => this.updateMembers(NONE, 'keep'));
    await this.ids.save();
    // A tap whose time is up is dropped with all that it states: the port is as far from guarded as before.
    signal.throwIfAborted();
    this.state(bound);
    this.failed.delete(id);
    this.releaseLater();
    if (previous !== undefined) this.connections.review([previous.localVlan, bound.localVlan]);
    this.completeIfWhole();
  }

  private state(bound: BoundPort): void {
    const flows = this.policies.flowsOf(bound, this.uplinks.of(bound.segment));
    this.desired.set(`port/${bound.port.id}`, { flows });
  }

  private letGo(portId: string): void {
    this.policies.remove(portId);
    this.failed.delete(portId);
    this.desired.unset(`port/${portId}`);
    this.releaseLater();
    this.completeIfWhole();
  }

  // ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  private async groupsChanged({ securityGroupIds, change }: SecurityGroupUpdate, cause: string): Promise<void> {
    const ofPorts = this.groupsOfPorts();
    if (change === 'members') {
      const named = new Set([...ofPorts].flatMap((id) => setsOfGroup(this.facts, id)));
      // Which sets a port needs whose groups are being read just now is not known yet.
      const sets = securityGroupIds.map(securityGroupSet).filter((set) => named.has(set) || this.reading.size > 0);
      for (const set of sets) this.unread.sets.add(set);
    } else {
      for (const id of securityGroupIds) if (ofPorts.has(id)) this.unread.groups.add(id);
      await this.gather();
    }
    try {
      await this.readChanges(cause);
    } catch (error) {
      const reason = reasonOf(error);
      this.health.report('changed groups', 'degraded', `a change of security groups could not be read: ${reason}`);
      this.jobs.untilDone('read changed groups', RETRY, () => this.readChanges(cause));
    }
  }

  /** Resolves when no further change of rules has come for a while. */
  private async gather(): Promise<void> {
    this.changesOfRules += 1;
    const end = performance.now() + GATHER.atMostMs;
    for (let seen = -1; seen !== this.changesOfRules && performance.now() < end; ) {
      seen = this.changesOfRules;
      await pause(GATHER.pauseMs);
    }
  }

  /** Reads what changed, and states it as one event. */
  private async readChanges(cause: string): Promise<void> {
    const groups = new Set(this.unread.groups);
    const sets = new Set(this.unread.sets);
    if (groups.size === 0 && sets.size === 0) return;
    await this.knowIds();
    await this.facts.readGroups([...groups], 'all');
    const shrunk = await this.facts.readSets([...sets]);
    for (const id of groups) this.unread.groups.delete(id);
    for (const set of sets) this.unread.sets.delete(set);
    for (const id of groups) for (const set of setsOfGroup(this.facts, id)) sets.add(set);
    const ports = this.policies.using(groups);
    this.groupHealth.check(this.policies.groups(), this.policies.sizes());
    const { acknowledged } = await this.announcer.event(cause, async () => {
      this.updateMembers(sets, 'remove');
      for (const bound of ports) {
        await this.turns.next();
        // Gone, or told of again meanwhile: then that is another event's.
        if (this.policies.get(bound.port.id) === bound) this.state(bound);
      }
    });
    await this.ids.save();
    this.health.clear('changed groups');
    this.completeIfWhole();
    // A member more cuts no connection.
    if (groups.size === 0 && !shrunk) return;
    const zones = new Set((groups.size > 0 ? ports : this.policies.filtered()).map(({ localVlan }) => localVlan));
    void acknowledged().then(() => this.connections.review(zones));
  }

  private groupsOfPorts(): ReadonlySet<string> {
    const beingRead = [...this.reading.values()].flatMap((port) => port.securityGroupIds);
    return new Set([...this.policies.groupsInUse(), ...beingRead]);
  }

  private updateMembers(changed: ReadonlySet<AddressSetName>, unused: 'keep' | 'remove'): void {
    this.members.update(this.policies.uses(), (set) => this.facts.addresses(set), changed, unused);
  }

  /** What a port that goes, or changes, no longer needs is withdrawn when its event has surely left. */
  private releaseLater(): void {
    this.jobs.after('release what is unused', RELEASE_MS, async () => {
      if (this.members.hasUnused(this.policies.uses())) {
        await this.announcer.event('unused addresses', async () => this.updateMembers(NONE, 'remove'));
      }
      // What is being read is another's, or is not known to be anybody's yet.
      if (this.reading.size + this.unread.groups.size + this.unread.sets.size > 0) return this.releaseLater();
      this.facts.retain(this.groupsOfPorts());
      this.ids.retain(this.policies.blocksInUse());
      await this.ids.save();
    });
  }

  // ── conjunction ids ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ids are given only when it is known which are installed. */
  private knowIds(): Promise<void> {
    this.idsKnown ??= this.readIds().catch((error: unknown) => {
      this.idsKnown = undefined;
      throw error;
    });
    return this.idsKnown;
  }

  private async readIds(): Promise<void> {
    const bridge = this.identity.integrationBridge;
    const isThere = (await this.switchView.bridges()).some(({ name }) => name === bridge);
    const { rulesEgress, rulesIngress } = FirewallTable;
    const tables = [rulesEgress, rulesIngress];
    const installed = isThere ? await this.switchView.flows(bridge, tables, OF_CONJUNCTIONS) : [];
    const isEmpty = isThere && (await this.switchView.flows(bridge, tables, OF_EVERY_BRIDGE)).length === 0;
    // The bridge is new, or has not been read.
    if (isEmpty) {
      const { state } = await this.desired.progress('base');
      if (state !== 'applied') throw SecurityGroupErrors.switchUnread({ state });
    }
    await this.ids.load(installed);
    await this.formerAddresses.keep(installed);
  }

  /** What an earlier run left goes only once every port and every change has been dealt with. */
  private completeIfWhole(): void {
    if (!this.synced || this.failed.size + this.unread.groups.size + this.unread.sets.size > 0) return;
    this.formerAddresses.release();
    this.desired.complete();
  }

  // ── direct output ────────────────────────────────────────────────────────────────────────────────────────────────────

  private async readPorts(): Promise<void> {
    const ports = await this.switchView.ports(this.identity.integrationBridge);
    if (ports.map((port) => this.uplinks.seen(port)).includes(true)) this.uplinksChanged();
  }

  private uplinksChanged(): void {
    for (const bound of this.policies.all()) this.state(bound);
  }
}

function setsOfGroup(facts: Facts, groupId: string): readonly AddressSetName[] {
  const group = facts.group(groupId);
  return group === undefined ? [] : setsNamed(group);
}
