import { type Flow, type RemoteAddress, TunnelTable } from '@patchbay/sdk';
import { tunnelKeySet } from '../tunnel-key';

/** A segment's part in the flows: frames leave its local VLAN and get its tunnel key. */
export interface UnicastSegment {
  readonly localVlan: number;
  readonly tunnelKey: number;
}

/** Above what the bridge learned (priority 1), as in Neutron's agent. */
const ENTRY_PRIORITY = 2;

/** Frames to each MAC behind an endpoint go to its tunnel alone. */
export function unicastFlows(
  { localVlan, tunnelKey }: UnicastSegment,
  addresses: readonly RemoteAddress[],
  bridge: string,
  portName: string,
): Flow[] {
  return [...new Set(addresses.map(({ macAddress }) => macAddress))].map((macAddress) => ({
    bridge,
    table: TunnelTable.unicast,
    priority: ENTRY_PRIORITY,
    match: { dl_vlan: localVlan, eth_dst: macAddress },
    actions: [
      { type: 'pop_vlan' },
      { type: 'set_field', field: 'tun_id', value: tunnelKey },
      { type: 'output', port: { port: portName } },
    ],
  }));
}

/** Takes the place of a former segment's flow, which would send frames of its VLAN's present segment into another network. */
export function overrideOf({ bridge, table, priority, match }: Flow): Flow {
  return { bridge, table, priority, match, actions: [{ type: 'goto_table', table: TunnelTable.flood }] };
}

export interface InstalledEntry {
  readonly tunnelKey: number;
  readonly macAddress: string;
  readonly flow: Flow;
}

/** Installed entries by local VLAN: those that other tunnel keys than the VLAN's present one are set by are stale. */
export class InstalledEntries {
  private readonly byVlan = new Map<number, InstalledEntry[]>();

  constructor(flows: readonly Flow[]) {
    for (const flow of flows) {
      const tunnelKey = tunnelKeySet(flow.actions);
      const macAddress = flow.match.eth_dst ?? flow.match.dl_dst;
      if (flow.priority !== ENTRY_PRIORITY || tunnelKey === undefined || typeof macAddress !== 'string') continue;
      const vlan = Number(flow.match.dl_vlan);
      const entries = this.byVlan.get(vlan) ?? [];
      entries.push({ tunnelKey, macAddress, flow });
      this.byVlan.set(vlan, entries);
    }
  }

  stale({ localVlan, tunnelKey }: UnicastSegment): readonly InstalledEntry[] {
    return (this.byVlan.get(localVlan) ?? []).filter((entry) => entry.tunnelKey !== tunnelKey);
  }
}
