import { z } from 'zod';
import { listOf } from '../config-values';

/** An ethertype in hexadecimal, as Neutron's option has it, with or without 0x. 0x0600 is the least (IEEE 802.3, 3.2.6). */
const ethertype = z.union([z.string(), z.number()]).transform((value, context) => {
  const number =
    typeof value === 'number' ? value : /^(0x)?[0-9a-f]{1,4}$/i.test(value) ? Number.parseInt(value, 16) : -1;
  if (Number.isInteger(number) && number >= 0x600 && number <= 0xffff) return number;
  context.addIssue({ code: 'custom', message: `"${value}" is no ethertype: expected 0x0600 to 0xffff`, input: value });
  return z.NEVER;
});

export const SecurityGroupsConfig = z
  .strictObject({
    explicitly_egress_direct: z
      .boolean()
      .default(false)
      .describe('Send accepted unicast to its port directly instead of through NORMAL.'),
    permitted_ethertypes: listOf(ethertype)
      .default([])
      .describe('Ethertypes besides IPv4, IPv6 and ARP that ports may send and receive, in hexadecimal.'),
    max_flows_per_group: z
      .int()
      .min(1)
      .default(50_000)
      .describe(
        'A group that comes to more flows than this on this host is reported in health, with its name and size.',
      ),
  })
  .describe('Security groups: stateful filtering of every port, with MAC, ARP, ND and DHCP anti-spoofing.');
export type SecurityGroupsConfig = z.infer<typeof SecurityGroupsConfig>;
