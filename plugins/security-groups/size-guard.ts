import type { Health } from '@patchbay/sdk';
import type { GroupRules } from './rules';

/** What a group comes to on this host. */
export interface GroupSize {
  readonly group: GroupRules['group'];
  readonly flows: number;
  readonly ports: number;
  /** Of all the address sets that its rules name. */
  readonly addresses: number;
}

/** Reports groups that come to more flows than the operator thinks healthy. It stops nothing: a group is enforced whole or not at all. */
export class SizeGuard {
  private readonly reported = new Set<string>();

  constructor(
    private readonly limit: number,
    private readonly health: Health,
  ) {}

  /** Sizes of all groups of this host, before they are stated. */
  check(sizes: readonly GroupSize[]): void {
    const large = new Set<string>();
    for (const { group, flows, ports, addresses } of sizes) {
      if (flows <= this.limit) continue;
      const condition = `group ${group.id}`;
      large.add(condition);
      this.health.report(
        condition,
        'degraded',
        `security group "${group.name}" (${group.id}) comes to ${flows} flows here (${ports} ports, ${addresses} remote addresses); max_flows_per_group is ${this.limit}`,
      );
    }
    for (const condition of this.reported) if (!large.has(condition)) this.health.clear(condition);
    this.reported.clear();
    for (const condition of large) this.reported.add(condition);
  }
}
