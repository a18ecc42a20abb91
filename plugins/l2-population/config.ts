import { z } from 'zod';

export const L2PopulationConfig = z
  .strictObject({
    local_ip: z
      .union([z.ipv4(), z.ipv6()], { error: 'expected an IPv4 or IPv6 address, without a prefix length' })
      .optional()
      .describe("This host's tunnel endpoint, as of tunnels: entries of its own ports are left out."),
  })
  .describe('Takes from the server which host has which addresses, instead of learning and flooding to all.');
export type L2PopulationConfig = z.infer<typeof L2PopulationConfig>;
