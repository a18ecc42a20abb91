import type { BoundPort, Flow } from '@patchbay/sdk';
import { isSecured } from '../port-security';
import type { AddressSetName } from './address-sets';
import type { BaseSettings } from './base-flows';
import { blockName, type ConjunctionUse, conjunctionOf, statesOf } from './conjunctions';
import type { ConnectionOwner } from './connections';
import type { Facts } from './facts';
import type { GroupSize } from './group-health';
import { guardedPort, type Tracking } from './guarded-port';
import { Occupancy } from './occupancy';
import { PortFlows } from './port-flows';
import { portMasks } from './port-ranges';
import { RuleBook } from './rule-book';
import type { GroupRules, Rule } from './rules';
import type { UsesByVlan } from './shared-members';

/** The ports of this host with the rules that apply to each: what the facts come to. */
export class Policies {
  private readonly bound = new Map<string, BoundPort>();
  private readonly flows = new Map<string, PortFlows>();
  private readonly occupancy = new Occupancy();
  private readonly ruleBook: RuleBook;

  constructor(
    private readonly facts: Facts,
    private readonly settings: BaseSettings,
    private readonly blockOf: (name: string) => number,
  ) {
    this.ruleBook = new RuleBook(blockOf);
  }

  add(bound: BoundPort): void {
    this.remove(bound.port.id);
    this.bound.set(bound.port.id, bound);
    if (isSecured(bound)) this.occupancy.add(bound);
  }

  remove(portId: string): void {
    const previous = this.bound.get(portId);
    if (previous !== undefined && isSecured(previous)) this.occupancy.remove(previous);
    this.bound.delete(portId);
    this.flows.delete(portId);
  }

  get(portId: string): BoundPort | undefined {
    return this.bound.get(portId);
  }

  all(): readonly BoundPort[] {
    return [...this.bound.values()];
  }

  filtered(): readonly BoundPort[] {
    return this.all().filter(isSecured);
  }

  /** Ports of which a group's rules are part. */
  using(groupIds: ReadonlySet<string>): readonly BoundPort[] {
    return this.filtered().filter(({ port }) => port.securityGroupIds.some((id) => groupIds.has(id)));
  }

  groupsInUse(): ReadonlySet<string> {
    return new Set(this.occupancy.groups());
  }

  /** The groups in use that exist. */
  groups(): readonly GroupRules[] {
    return [...this.groupsInUse()].flatMap((id) => this.facts.group(id) ?? []);
  }

  /** All flows of the port itself. */
  flowsOf(bound: BoundPort, uplink: string | undefined): readonly Flow[] {
    const flows = this.flowsMadeFor(bound);
    if (!isSecured(bound)) return flows.list({ tracking: undefined, uplink }, []);
    return flows.list({ tracking: this.trackingOf(bound), uplink }, this.ruleBook.outlines(this.rulesOf(bound)));
  }

  /** What each local VLAN's ports need of address sets. */
  uses(): UsesByVlan {
    const byVlan = new Map<number, Map<AddressSetName, ConjunctionUse[]>>();
    for (const group of this.groups()) {
      const uses = this.usesOf(group);
      for (const localVlan of this.occupancy.vlansOf(group.group.id).keys()) {
        const sets = byVlan.get(localVlan) ?? new Map<AddressSetName, ConjunctionUse[]>();
        byVlan.set(localVlan, sets);
        for (const use of uses) sets.set(use.set, [...(sets.get(use.set) ?? []), use]);
      }
    }
    return byVlan;
  }

  /** Names of the id blocks that are in use. */
  blocksInUse(): ReadonlySet<string> {
    const rules = this.groups().flatMap((group) => group.rules);
    return new Set(rules.flatMap((rule) => (rule.remote.kind === 'set' ? [blockName(rule, rule.remote.set)] : [])));
  }

  ownersIn(zone: number): readonly ConnectionOwner[] {
    return this.all()
      .filter(({ localVlan }) => localVlan === zone)
      .map((bound) => {
        const judged = isSecured(bound) && this.trackingOf(bound) !== 'untracked';
        return { guarded: guardedPort(bound), rules: judged ? this.rulesOf(bound) : undefined };
      });
  }

  sizes(): readonly GroupSize[] {
    return this.groups().map((group) => {
      const vlans = this.occupancy.vlansOf(group.group.id);
      const ports = [...vlans.values()].reduce((sum, count) => sum + count, 0);
      const uses = this.usesOf(group);
      const forPorts = group.rules.reduce((sum, rule) => sum + flowsPerPort(rule), 0) * ports;
      const forAddresses = uses.reduce((sum, { set, ids }) => sum + this.facts.addresses(set).size * ids.length, 0);
      const sets = new Set(uses.map(({ set }) => set));
      const addresses = [...sets].reduce((sum, set) => sum + this.facts.addresses(set).size, 0);
      return { group: group.group, flows: forPorts + forAddresses * vlans.size, ports, addresses };
    });
  }

  private flowsMadeFor(bound: BoundPort): PortFlows {
    const { id } = bound.port;
    const known = this.flows.get(id);
    if (known?.bound === bound) return known;
    const flows = new PortFlows(bound, this.settings);
    this.flows.set(id, flows);
    return flows;
  }

  private trackingOf({ port }: BoundPort): Tracking {
    const groups = port.securityGroupIds.map((id) => this.facts.group(id)).filter((group) => group !== undefined);
    const stateless = groups.filter(({ group }) => !group.stateful).length;
    if (stateless === 0) return 'tracked';
    return stateless === groups.length ? 'untracked' : 'mixed';
  }

  private rulesOf({ port }: BoundPort): readonly Rule[] {
    return port.securityGroupIds.flatMap((id) => this.facts.group(id)?.rules ?? []);
  }

  /** Rules of one group that differ in what 2/2 says alone are one use of the set. */
  private usesOf({ rules }: GroupRules): readonly ConjunctionUse[] {
    const uses = rules.flatMap((rule) => conjunctionOf(rule, this.blockOf) ?? []);
    return [...new Map(uses.map((use) => [use.ids.map(({ id }) => id).join(), use])).values()];
  }
}

function flowsPerPort(rule: Rule): number {
  const matches = rule.traffic.kind === 'ports' ? portMasks(rule.traffic.first, rule.traffic.last).length : 1;
  return statesOf(rule).length * (rule.remote.kind === 'set' ? matches + 1 : matches);
}
