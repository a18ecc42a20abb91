import { type Action, actionList, ct, output, port, resubmit, setField } from '@patchbay/sdk';
import type { GuardedPort } from './guarded-port';
import { FirewallTable, NETWORK_REGISTER, PORT_REGISTER, ZONE } from './tables';

/** To whoever logs drops; nothing else happens to the packet. */
export const toDropped: readonly Action[] = actionList(resubmit(FirewallTable.dropped));
export const commit: Action = ct({ commit: true, zone: ZONE });

/** Looks the packet's connection up, and goes on with its state. */
export const track = (table: number): Action => ct({ table, zone: ZONE });

export const toPort = ({ name }: GuardedPort): Action => output({ port: name });

/** Marks the packet as the port's: its number and its network. */
export function identify({ name, localVlan }: Pick<GuardedPort, 'name' | 'localVlan'>): readonly Action[] {
  return [setField(PORT_REGISTER, port(name)), setField(NETWORK_REGISTER, localVlan)];
}
