import { z } from 'zod';

/** 0 means untagged and 4095 is the dead VLAN, so the pool is at most 1 to 4094 (IEEE 802.1Q, and Neutron's pool). */
const vlan = z.int().min(1).max(4094);

export const LocalVlanConfig = z
  .strictObject({
    first: vlan.default(1).describe('The lowest VLAN on the integration bridge that may be given to a segment.'),
    last: vlan.default(4094).describe('The highest one.'),
  })
  .refine((config) => config.first <= config.last, {
    path: ['last'],
    message: 'last is below first: the pool is empty',
  })
  .describe('Gives each segment that is used here a VLAN of its own on the integration bridge.');
export type LocalVlanConfig = z.infer<typeof LocalVlanConfig>;
