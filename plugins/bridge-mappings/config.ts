import { z } from 'zod';
import { interfaceName, mapping } from '../config-values';

export const BridgeMappingsConfig = z
  .strictObject({
    bridge_mappings: mapping
      .transform((mappings, context): Readonly<Record<string, string>> => {
        const networkOf = new Map<string, string>();
        for (const [physicalNetwork, bridge] of Object.entries(mappings)) {
          const first = networkOf.get(bridge);
          if (first !== undefined) {
            context.addIssue({
              code: 'custom',
              input: bridge,
              message: `bridge "${bridge}" is given to both "${first}" and "${physicalNetwork}": a bridge serves one physical network`,
            });
          }
          networkOf.set(bridge, physicalNetwork);
          const name = interfaceName.safeParse(bridge);
          if (!name.success) {
            context.addIssue({
              code: 'custom',
              input: bridge,
              message: `"${bridge}" is no bridge name: ${name.error.issues.map((issue) => issue.message).join('; ')}`,
            });
          }
        }
        return mappings;
      })
      .default({})
      .describe(
        'Physical network to the provider bridge that reaches it: a map, or "physnet:bridge,…". The bridges must exist.',
      ),
    bridge_mac_table_size: z
      .int()
      .min(0)
      .default(50_000)
      .describe('How many MAC addresses a provider bridge may learn (Bridge other_config:mac-table-size).'),
    igmp_flood: z.boolean().default(false).describe('Flood multicast packets, other than reports, to provider ports.'),
    igmp_flood_reports: z.boolean().default(true).describe('Flood multicast reports to provider ports.'),
  })
  .describe('Joins provider bridges to the integration bridge.');
export type BridgeMappingsConfig = z.infer<typeof BridgeMappingsConfig>;
