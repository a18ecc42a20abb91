import { z } from 'zod';

export const ArpResponderConfig = z
  .strictObject({
    nd_responder: z
      .boolean()
      .default(false)
      .describe(
        "Answer IPv6 neighbour solicitations too; Neutron's agent does not. The answers are made by ovs-vswitchd.",
      ),
  })
  .describe('Answers ARP requests for ports of other hosts here instead of flooding them.');
export type ArpResponderConfig = z.infer<typeof ArpResponderConfig>;
