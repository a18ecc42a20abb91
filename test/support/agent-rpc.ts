import { createMessaging, type Messaging } from '../../core/rpc';
import type { Bed } from './bed';

/** neutron-server's RPC as an agent of a host calls it, for hosts that a bed has not. */
export class AgentRpc {
  private readonly messaging: Messaging;

  constructor(
    bed: Bed,
    private readonly host: string,
  ) {
    this.messaging = createMessaging({ transportUrl: bed.amqpUrl.replace('amqp:', 'rabbit:') });
  }

  /** Reports the host's Open vSwitch agent with these configurations. */
  async reportState(configurations: Readonly<Record<string, unknown>>): Promise<void> {
    const state = {
      binary: 'neutron-openvswitch-agent',
      host: this.host,
      topic: 'N/A',
      agent_type: 'Open vSwitch agent',
      configurations,
      start_flag: true,
    };
    await this.messaging.call({ topic: 'q-reports-plugin', version: '1.2' }, 'report_state', {
      agent_state: { agent_state: state },
      time: new Date().toISOString().replace('Z', '000'),
    });
  }

  /** Registers the host's tunnel endpoint of that type. The server forgets it with the agent that reported it as its `tunneling_ip`. */
  async registerTunnel(tunnelType: string, address: string): Promise<void> {
    const endpoint = { tunnel_type: tunnelType, tunnel_ip: address, host: this.host };
    await this.messaging.call({ topic: 'q-plugin', version: '1.4' }, 'tunnel_sync', endpoint);
  }

  close(): Promise<void> {
    return this.messaging.close();
  }
}
