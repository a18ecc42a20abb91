import type { BoundPort } from '@patchbay/sdk';

/** How many filtered ports of each group are on each local VLAN: what is asked of all ports at every port, without going through them. */
export class Occupancy {
  private readonly byGroup = new Map<string, Map<number, number>>();

  add({ port, localVlan }: BoundPort): void {
    for (const id of new Set(port.securityGroupIds)) {
      const byVlan = this.byGroup.get(id) ?? new Map<number, number>();
      this.byGroup.set(id, byVlan.set(localVlan, (byVlan.get(localVlan) ?? 0) + 1));
    }
  }

  remove({ port, localVlan }: BoundPort): void {
    for (const id of new Set(port.securityGroupIds)) {
      const byVlan = this.byGroup.get(id);
      const left = (byVlan?.get(localVlan) ?? 0) - 1;
      if (left > 0) byVlan?.set(localVlan, left);
      else byVlan?.delete(localVlan);
      if (byVlan?.size === 0) this.byGroup.delete(id);
    }
  }

  groups(): Iterable<string> {
    return this.byGroup.keys();
  }

  /** Local VLANs with ports of the group, and how many. */
  vlansOf(groupId: string): ReadonlyMap<number, number> {
    return this.byGroup.get(groupId) ?? new Map();
  }
}
