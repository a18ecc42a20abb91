import { z } from 'zod';
import { listOf } from '../config-values';

export const IntegrationBridgeConfig = z
  .strictObject({
    bridge_mac_table_size: z
      .int()
      .min(0)
      .default(50_000)
      .describe('How many MAC addresses a bridge of ours may learn (Bridge other_config:mac-table-size).'),
    igmp_snooping_enable: z.boolean().default(false).describe('Snoop IGMP on the integration bridge.'),
    igmp_flood_unregistered: z
      .boolean()
      .default(false)
      .describe('Flood multicast packets of groups that nobody joined to all ports.'),
    admit_ports: listOf(z.string().min(1))
      .default([])
      .describe(
        'Ports of the integration bridge that are no VIFs and may nevertheless send (a monitoring tap, a load balancer).',
      ),
  })
  .describe('The integration bridge itself: its row, its tables and who may send into it.');
export type IntegrationBridgeConfig = z.infer<typeof IntegrationBridgeConfig>;
