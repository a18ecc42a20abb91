import { type Flow, flow, output, popVlan, resubmit } from '@patchbay/sdk';
import { identify, toPort } from './actions';
import type { GuardedPort } from './guarded-port';
import { NETWORK_REGISTER, FirewallTable as Table } from './tables';

const UNICAST = '00:00:00:00:00:00/01:00:00:00:00:00';

/** Frames from elsewhere to a filtered port: to its ingress rules. They come under its local VLAN, and only under that. */
export function deliveryFlows(guarded: GuardedPort): readonly Flow[] {
  const { bridge, localVlan } = guarded;
  return guarded.macAddresses.map((mac) =>
    flow({
      bridge,
      table: Table.transient,
      priority: 90,
      match: { dl_vlan: localVlan, eth_dst: mac },
      actions: [...identify(guarded), popVlan, resubmit(Table.baseIngress)],
    }),
  );
}

/**
 * With explicitly_egress_direct: what has been let out goes to the port that owns its destination, or out of the host by `uplink`,
 * and NORMAL, which would flood it, is not asked. No uplink for flat and local networks, as in Neutron's agent.
 */
export function directFlows(guarded: GuardedPort, uplink: string | undefined): readonly Flow[] {
  const { bridge, localVlan } = guarded;
  const [mac] = guarded.macAddresses;
  const table = Table.acceptedEgressNormal;
  const flows = [
    flow({
      bridge,
      table,
      priority: 12,
      match: { [NETWORK_REGISTER]: localVlan, eth_dst: mac },
      actions: [toPort(guarded)],
    }),
    // What comes from outside has no network register; a tag that a port of this host put on its own frame counts for nothing.
    flow({
      bridge,
      table,
      priority: 12,
      match: { [NETWORK_REGISTER]: 0, dl_vlan: localVlan, eth_dst: mac },
      actions: [popVlan, toPort(guarded)],
    }),
  ];
  if (uplink === undefined) return flows;
  const away = flow({
    bridge,
    table,
    priority: 10,
    match: { [NETWORK_REGISTER]: localVlan, eth_src: mac, eth_dst: UNICAST },
    actions: [{ type: 'mod_vlan_vid', vlan: localVlan }, output({ port: uplink })],
  });
  return [...flows, away];
}
