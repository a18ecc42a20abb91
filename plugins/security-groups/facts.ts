import type { ResourceView, SecurityGroup } from '@patchbay/sdk';
import { AddressReader, type AddressSet, type AddressSetName, setOf } from './address-sets';
import { type GroupRules, RuleReader } from './rules';

const NOBODY: AddressSet = new Map();

/** What this host knows of the groups that its ports use, and of the address sets that their rules name. Of two answers, the one asked for later counts. */
export class Facts {
  private readonly groups = new Map<string, { readonly asked: number; readonly rules: GroupRules | undefined }>();
  private readonly sets = new Map<AddressSetName, { readonly asked: number; readonly addresses: AddressSet }>();
  private readonly readers = new Map<AddressSetName, AddressReader>();
  private readonly ruleReaders = new Map<string, RuleReader>();
  private readonly underWay = new Map<AddressSetName, Promise<unknown>>();
  private asked = 0;

  constructor(private readonly resources: ResourceView) {}

  /**
   * Asks for groups, and for the sets that their rules name: `all` of them, or those that are `new` here, where the others are kept up to
   * date by what the control plane tells. Rejects when it cannot be asked; what was known stays.
   */
  async readGroups(ids: readonly string[], which: 'all' | 'new'): Promise<void> {
    const asked = ++this.asked;
    const answer = new Map((await this.resources.securityGroups(ids)).map((group) => [group.id, this.rulesOf(group)]));
    const fresh = ids.filter((id) => (this.groups.get(id)?.asked ?? 0) < asked);
    const named = new Set([...answer.values()].flatMap(setsNamed));
    if (which === 'all') await this.readSets([...named]);
    else await Promise.all([...named].map((set) => this.readNew(set)));
    for (const id of fresh) {
      if ((this.groups.get(id)?.asked ?? 0) < asked) this.groups.set(id, { asked, rules: answer.get(id) });
    }
  }

  /** Asks for the addresses of sets. Answers whether any of them has lost one. */
  async readSets(names: readonly AddressSetName[]): Promise<boolean> {
    const asked = ++this.asked;
    const read = await Promise.all(names.map(async (name) => [name, await this.read(name)] as const));
    let shrunk = false;
    for (const [name, addresses] of read) {
      if ((this.sets.get(name)?.asked ?? 0) >= asked) continue;
      shrunk ||= [...this.addresses(name).keys()].some((address) => !addresses.has(address));
      this.sets.set(name, { asked, addresses });
    }
    return shrunk;
  }

  /** Many ports ask for the same set at once: it is read once, unless it is known. */
  private async readNew(name: AddressSetName): Promise<void> {
    if (this.sets.has(name)) return;
    const reading = this.underWay.get(name) ?? this.readSets([name]).finally(() => this.underWay.delete(name));
    this.underWay.set(name, reading);
    await reading;
  }

  /** Undefined for a group that does not exist, or was not asked for. */
  group(id: string): GroupRules | undefined {
    return this.groups.get(id)?.rules;
  }

  addresses(set: AddressSetName): AddressSet {
    return this.sets.get(set)?.addresses ?? NOBODY;
  }

  /** Forgets what no port uses, here and where it was asked for. */
  retain(groupIds: ReadonlySet<string>): void {
    const securityGroups = [...this.groups.keys()].filter((id) => !groupIds.has(id));
    for (const id of securityGroups) {
      this.groups.delete(id);
      this.ruleReaders.delete(id);
    }
    const named = new Set(
      [...this.groups.values()].flatMap(({ rules }) => (rules === undefined ? [] : setsNamed(rules))),
    );
    const sets = [...this.sets.keys()].filter((set) => !named.has(set));
    for (const set of sets) {
      this.sets.delete(set);
      this.readers.delete(set);
    }
    if (securityGroups.length + sets.length === 0) return;
    const idsOf = (wanted: string) => sets.map(setOf).flatMap(({ kind, id }) => (kind === wanted ? [id] : []));
    this.resources.forget({ securityGroups, membersOf: idsOf('group'), addressGroups: idsOf('address-group') });
  }

  private rulesOf(group: SecurityGroup): GroupRules {
    const reader = this.ruleReaders.get(group.id) ?? new RuleReader();
    this.ruleReaders.set(group.id, reader);
    return reader.read(group);
  }

  private async read(name: AddressSetName): Promise<AddressSet> {
    const { kind, id } = setOf(name);
    const reader = this.readers.get(name) ?? new AddressReader();
    this.readers.set(name, reader);
    if (kind === 'group') return reader.members(await this.resources.membersOf(id));
    const [group] = await this.resources.addressGroups([id]);
    return group === undefined ? NOBODY : reader.group(group);
  }
}

/** The address sets that a group's rules name. */
export function setsNamed({ rules }: GroupRules): readonly AddressSetName[] {
  return rules.flatMap(({ remote }) => (remote.kind === 'set' ? [remote.set] : []));
}
