import { conjunction, type Flow, flow, type Match } from '@patchbay/sdk';
import type { RemoteAddress } from './address-sets';
import { ADDRESS_CLAUSE, type ConjunctionUse, DIMENSIONS } from './conjunctions';
import { FlowSet } from './flow-set';
import { family, inState, remoteField, rulesTable } from './rule-flows';
import { NETWORK_REGISTER } from './tables';

/**
 * One address of a set as it stands on one local VLAN: a flow for each direction, priority and conntrack state in which a group of the
 * VLAN's ports names the set, whatever the number of groups and ports.
 */
export function memberFlows(
  bridge: string,
  localVlan: number,
  address: RemoteAddress,
  uses: readonly ConjunctionUse[],
): readonly Flow[] {
  const flows = new FlowSet();
  for (const { direction, ethertype, priority, ids } of uses) {
    if (ethertype !== address.ethertype) continue;
    for (const { state, id } of ids) {
      flows.add(
        flow({
          bridge,
          table: rulesTable(direction),
          priority,
          match: {
            ...family(ethertype),
            ...inState(state),
            [NETWORK_REGISTER]: localVlan,
            ...addressMatch(address, direction, ethertype),
          },
          actions: [conjunction(id, ADDRESS_CLAUSE, DIMENSIONS)],
        }),
      );
    }
  }
  return flows.list();
}

function addressMatch(
  { address, macAddress }: RemoteAddress,
  direction: ConjunctionUse['direction'],
  ethertype: ConjunctionUse['ethertype'],
): Match {
  if (address !== null) return { [remoteField(direction, ethertype)]: address };
  if (macAddress === undefined) return {};
  return { [direction === 'ingress' ? 'eth_src' : 'eth_dst']: macAddress };
}
