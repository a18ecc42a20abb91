import { type Action, type Flow, type PortView, TunnelTable } from '@patchbay/sdk';
import { tunnelKeySet } from '../tunnel-key';

/** The tunnel ports that an earlier run, or another agent, floods to: by local VLAN and tunnel key. */
export class InstalledFloods {
  private readonly ports = new Map<string, readonly string[]>();
  private readonly vlans = new Set<number>();

  constructor(flows: readonly Flow[], ports: readonly PortView[]) {
    const names = new Map<number, string>();
    for (const { interfaces } of ports) {
      for (const { ofport, name } of interfaces) if (ofport !== null) names.set(ofport, name);
    }
    for (const { table, match, actions } of flows) {
      const tunnelKey = tunnelKeySet(actions);
      if (table !== TunnelTable.flood || tunnelKey === undefined) continue;
      this.vlans.add(Number(match.dl_vlan));
      this.ports.set(`${match.dl_vlan} ${tunnelKey}`, outputs(actions, names));
    }
  }

  /** Whether the VLAN's frames would be flooded into some other segment. */
  isOfAnother(segment: { readonly localVlan: number; readonly tunnelKey: number }): boolean {
    return this.vlans.has(segment.localVlan) && !this.ports.has(`${segment.localVlan} ${segment.tunnelKey}`);
  }

  /** None where what is installed for the VLAN has another tunnel key: it was some other segment's. */
  of(segment: { readonly localVlan: number; readonly tunnelKey: number }): readonly string[] {
    return this.ports.get(`${segment.localVlan} ${segment.tunnelKey}`) ?? [];
  }
}

function outputs(actions: readonly Action[], names: ReadonlyMap<number, string>): readonly string[] {
  return actions.flatMap((action) => {
    if (action.type !== 'output' || typeof action.port !== 'number') return [];
    const name = names.get(action.port);
    return name === undefined ? [] : [name];
  });
}
