import { z } from 'zod';

export const AntiSpoofingConfig = z
  .strictObject({
    explicitly_egress_direct: z
      .boolean()
      .default(false)
      .describe('Send accepted unicast to its port directly instead of through NORMAL.'),
  })
  .describe('MAC, ARP and neighbour-advertisement anti-spoofing, without security groups.');
export type AntiSpoofingConfig = z.infer<typeof AntiSpoofingConfig>;
