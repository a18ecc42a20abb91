import 'reflect-metadata';
import {
  type AgentHooks,
  type BoundPort,
  type DesiredState,
  IntegrationTable,
  type Numbers,
  type Plugin,
  type PluginMetrics,
  plugin,
  Service,
  use,
} from '@patchbay/sdk';
import { z } from 'zod';
import { limited } from './flows';

export const PortRateLimitConfig = z.strictObject({
  packets_per_second: z.int().min(1),
  burst: z.int().min(0).default(0),
  /** Ports of these device owners are not limited: routers and DHCP servers of the network itself. */
  exempt_device_owners: z.array(z.string()).default(['network:dhcp', 'network:router_interface']),
});
export type PortRateLimitConfig = z.infer<typeof PortRateLimitConfig>;

/**
 * Port rate limit: each port sends at most so many packets a second; a meter of its own counts them.
 *
 * Owns:  a meter a port, and a flow in the integration bridge's table 58 at priority 200.
 * Never: limits what a port receives.
 */
@plugin({
  id: 'acme-port-rate-limit',
  summary: 'Limits the packets a second that each port may send',
  sdk: '^1.0.0',
  config: PortRateLimitConfig,
  claims: [{ bridge: 'integration', tables: [IntegrationTable.packetRateLimit], priorities: [200, 200] }],
  onFailure: 'degrade',
})
export class PortRateLimit implements Plugin {
  private readonly limitedPorts = new Set<string>();
  private readonly count: { set(value: number): void };

  constructor(
    @use(Service.config) private readonly config: PortRateLimitConfig,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.numbers) private readonly numbers: Numbers,
    @use(Service.metrics) metrics: PluginMetrics,
  ) {
    this.count = metrics.gauge({ name: 'ports', help: 'Ports whose packets are limited' });
  }

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound) => this.limit(bound));
    hooks.onPortUpdated(({ current }) => this.limit(current));
    hooks.onPortRemoved(async ({ bound }) => {
      this.forget(bound.port.id);
      await this.numbers.release('meter', bound.vif.bridge, bound.port.id);
    });
    hooks.onAgentSynced(() => this.desired.complete());
  }

  private async limit({ port, vif }: BoundPort): Promise<void> {
    if (this.config.exempt_device_owners.includes(port.deviceOwner)) {
      this.forget(port.id);
      return;
    }
    const number = await this.numbers.allot('meter', vif.bridge, port.id);
    const { packets_per_second: packetsPerSecond, burst } = this.config;
    this.desired.set(`port/${port.id}`, limited(vif, number, { packetsPerSecond, burst }));
    this.count.set(this.limitedPorts.add(port.id).size);
  }

  private forget(portId: string): void {
    this.desired.unset(`port/${portId}`);
    this.limitedPorts.delete(portId);
    this.count.set(this.limitedPorts.size);
  }
}
