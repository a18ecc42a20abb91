import type { BoundPort } from '@patchbay/sdk';

/** Whether the port is held to its addresses and its security groups count: it has port security, and is not one of Neutron's own. */
export function isSecured({ port }: Pick<BoundPort, 'port'>): boolean {
  return port.portSecurityEnabled && !port.deviceOwner.startsWith('network:');
}
