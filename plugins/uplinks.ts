import { type PortView, type Segment, type SwitchChange, UPLINK_TO_TUNNELS, uplinkOf } from '@patchbay/sdk';

/** The ports of the integration bridge that lead out of the host, by where they lead, as their makers marked them. */
export class Uplinks {
  private readonly names = new Map<string, string>();

  constructor(private readonly integrationBridge: string) {}

  /** True if an uplink came, went or changed. */
  changed(changes: readonly SwitchChange[]): boolean {
    const outcomes = changes.map((change) => {
      if (change.kind === 'port-added' || change.kind === 'port-changed') return this.seen(change.port);
      return change.kind === 'port-removed' && this.gone(change.port);
    });
    return outcomes.includes(true);
  }

  seen(port: PortView): boolean {
    const leadsTo = uplinkOf(port);
    if (port.bridge !== this.integrationBridge || leadsTo === undefined) return false;
    if (this.names.get(leadsTo) === port.name) return false;
    this.names.set(leadsTo, port.name);
    return true;
  }

  /** Where unicast of a flat or local network leaves is not stated: those are left to NORMAL, as Neutron's agent leaves them. */
  of(segment: Segment): string | undefined {
    switch (segment.networkType) {
      case 'vlan':
        return segment.physicalNetwork === null ? undefined : this.names.get(segment.physicalNetwork);
      case 'vxlan':
      case 'gre':
      case 'geneve':
        return this.names.get(UPLINK_TO_TUNNELS);
      default:
        return undefined;
    }
  }

  all(): readonly string[] {
    return [...this.names.values()].sort();
  }

  private gone(port: PortView): boolean {
    const leadsTo = uplinkOf(port);
    if (port.bridge !== this.integrationBridge || leadsTo === undefined) return false;
    return this.names.get(leadsTo) === port.name && this.names.delete(leadsTo);
  }
}
