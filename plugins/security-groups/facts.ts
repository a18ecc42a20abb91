import type { ResourceView } from '@patchbay/sdk';
import { type AddressSet, type AddressSetName, addressesOfGroup, addressesOfMembers, setOf } from './address-sets';
import { type GroupRules, rulesOf } from './rules';

const NOBODY: AddressSet = new Map();

/** What this host knows of the groups that its ports use, and of the address sets that their rules name. Of two answers, the one asked for later counts. */
export class Facts {
  private readonly groups = new Map<string, { readonly asked: number; readonly rules: GroupRules | undefined }>();
  private readonly sets = new Map<AddressSetName, { readonly asked: number; readonly addresses: AddressSet }>();
  private asked = 0;

  constructor(private readonly resources: ResourceView) {}

  /** Asks for groups and for the sets that their rules name. Rejects when the control plane cannot be asked; what was known stays. */
  async readGroups(ids: readonly string[]): Promise<void> {
    const asked = ++this.asked;
    const answer = new Map((await this.resources.securityGroups(ids)).map((group) => [group.id, rulesOf(group)]));
    const fresh = ids.filter((id) => (this.groups.get(id)?.asked ?? 0) < asked);
    const named = new Set([...answer.values()].flatMap(setsNamed));
    await this.readSets([...named]);
    for (const id of fresh) {
      if ((this.groups.get(id)?.asked ?? 0) < asked) this.groups.set(id, { asked, rules: answer.get(id) });
    }
  }

  /** Asks for the addresses of sets. */
  async readSets(names: readonly AddressSetName[]): Promise<void> {
    const asked = ++this.asked;
    const read = await Promise.all(names.map(async (name) => [name, await this.read(name)] as const));
    for (const [name, addresses] of read) {
      if ((this.sets.get(name)?.asked ?? 0) < asked) this.sets.set(name, { asked, addresses });
    }
  }

  /** Undefined for a group that does not exist, or was not asked for. */
  group(id: string): GroupRules | undefined {
    return this.groups.get(id)?.rules;
  }

  addresses(set: AddressSetName): AddressSet {
    return this.sets.get(set)?.addresses ?? NOBODY;
  }

  /** Forgets what no port uses. */
  retain(groupIds: ReadonlySet<string>): void {
    for (const id of [...this.groups.keys()]) if (!groupIds.has(id)) this.groups.delete(id);
    const named = new Set(
      [...this.groups.values()].flatMap(({ rules }) => (rules === undefined ? [] : setsNamed(rules))),
    );
    for (const set of [...this.sets.keys()]) if (!named.has(set)) this.sets.delete(set);
  }

  private async read(name: AddressSetName): Promise<AddressSet> {
    const { kind, id } = setOf(name);
    if (kind === 'group') return addressesOfMembers(await this.resources.membersOf(id));
    const [group] = await this.resources.addressGroups([id]);
    return group === undefined ? NOBODY : addressesOfGroup(group);
  }
}

/** The address sets that a group's rules name. */
export function setsNamed({ rules }: GroupRules): readonly AddressSetName[] {
  return rules.flatMap(({ remote }) => (remote.kind === 'set' ? [remote.set] : []));
}
