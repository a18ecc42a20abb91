import type { Health, Logger } from '@patchbay/sdk';
import type { GroupRules } from './rules';

/** What a group comes to on this host. */
export interface GroupSize {
  readonly group: GroupRules['group'];
  readonly flows: number;
  readonly ports: number;
  /** Of all the address sets that its rules name. */
  readonly addresses: number;
}

/** Says in health what an operator should know of groups, before their flows are stated. It stops nothing: a group is enforced whole. */
export class GroupHealth {
  private reported: ReadonlySet<string> = new Set();

  constructor(
    private readonly maxFlows: number,
    private readonly health: Health,
    private readonly logger: Logger,
  ) {}

  /** All groups of this host, and their sizes: groups that are large, and rules that allow nothing because they cannot be made into flows. */
  check(groups: readonly GroupRules[], sizes: readonly GroupSize[]): void {
    const conditions = new Map([
      ...sizes.filter(({ flows }) => flows > this.maxFlows).map((size) => this.tooLarge(size)),
      ...groups.flatMap((group) => inexpressibleRules(group)),
    ]);
    for (const [condition, detail] of conditions) {
      this.health.report(condition, 'degraded', detail);
      if (!this.reported.has(condition))
        this.logger.warn('a security group is not as it should be', { condition, detail });
    }
    for (const condition of this.reported) if (!conditions.has(condition)) this.health.clear(condition);
    this.reported = new Set(conditions.keys());
  }

  private tooLarge({ group, flows, ports, addresses }: GroupSize): readonly [string, string] {
    const size = `${flows} flows here (${ports} ports, ${addresses} remote addresses)`;
    return [
      `group ${group.id}`,
      `security group "${group.name}" (${group.id}) comes to ${size}; max_flows_per_group is ${this.maxFlows}`,
    ];
  }
}

function inexpressibleRules({ group, inexpressible }: GroupRules): readonly (readonly [string, string])[] {
  return inexpressible.map(({ id, reason }) => [
    `rule ${id}`,
    `a rule of security group "${group.name}" (${group.id}) allows nothing: ${reason}`,
  ]);
}
