import type { Host } from './bed-host';

/**
 * Makes a VXLAN tunnel from the host to that address on a bridge of its own: one datapath has one tunnel with the same ends, so that the switch
 * refuses another. Answers what takes the bridge away again.
 */
export async function occupyTunnel(host: Host, remoteAddress: string): Promise<() => Promise<void>> {
  await host.vsctl('add-br', 'br-foreign', '--', 'set', 'Bridge', 'br-foreign', 'datapath_type=netdev');
  const ends = [`options:remote_ip=${remoteAddress}`, `options:local_ip=${host.underlay.ipv4}`];
  const columns = ['type=vxlan', 'options:in_key=flow', 'options:out_key=flow', ...ends];
  await host.vsctl('add-port', 'br-foreign', 'foreign', '--', 'set', 'Interface', 'foreign', ...columns);
  return async () => {
    await host.vsctl('del-br', 'br-foreign');
  };
}
