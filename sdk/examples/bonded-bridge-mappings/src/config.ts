import { z } from 'zod';

const Uplink = z.strictObject({
  /** The provider bridge. It is made if it is missing. */
  bridge: z.string().min(1),
  bond: z.string().min(1),
  /** Network devices. */
  members: z.array(z.string().min(1)).min(2),
  mode: z.enum(['active-backup', 'balance-slb', 'balance-tcp']).default('balance-tcp'),
  lacp: z.enum(['active', 'passive', 'off']).default('active'),
});

export const BondedBridgeMappingsConfig = z.strictObject({
  /** By physical network. */
  uplinks: z.record(z.string(), Uplink),
});
export type Uplink = z.infer<typeof Uplink>;
export type BondedBridgeMappingsConfig = z.infer<typeof BondedBridgeMappingsConfig>;
