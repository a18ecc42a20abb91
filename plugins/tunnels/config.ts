import { z } from 'zod';
import { interfaceName, listOf, portNumber } from '../config-values';

/** IANA's port for VXLAN (RFC 7348). */
const VXLAN_UDP_PORT = 4789;

export const TunnelsConfig = z
  .strictObject({
    local_ip: z
      .union([z.ipv4(), z.ipv6()], { error: 'expected an IPv4 or IPv6 address, without a prefix length' })
      .optional()
      .describe("This host's tunnel endpoint, IPv4 or IPv6. It must be on an interface of the host."),
    tunnel_types: listOf(z.enum(['gre', 'vxlan', 'geneve']))
      .default([])
      .describe('Which tunnels this host makes: gre, vxlan, geneve. None: the plugin does nothing.'),
    int_peer_patch_port: interfaceName
      .default('patch-tun')
      .describe("The integration bridge's patch port to the tunnel bridge."),
    tun_peer_patch_port: interfaceName
      .default('patch-int')
      .describe("The tunnel bridge's patch port to the integration bridge."),
    igmp_flood: z.boolean().default(false).describe('Flood multicast packets, other than reports, to the tunnels.'),
    igmp_flood_reports: z.boolean().default(true).describe('Flood multicast reports to the tunnels.'),
    vxlan_udp_port: portNumber.default(VXLAN_UDP_PORT).describe('The UDP port of VXLAN tunnels.'),
    dont_fragment: z
      .boolean()
      .default(true)
      .describe("Set the outer header's don't-fragment bit (options:df_default)."),
    tunnel_csum: z.boolean().default(false).describe('Checksum the outer header (options:csum).'),
    dscp: z.int().min(0).max(63).optional().describe("The outer header's DSCP; none leaves it 0."),
    dscp_inherit: z
      .boolean()
      .default(false)
      .describe("Copy the inner packet's DSCP to the outer header; overrides dscp."),
  })
  .refine((config) => config.tunnel_types.length === 0 || config.local_ip !== undefined, {
    path: ['local_ip'],
    message: 'tunnel_types is set, so local_ip must be: the address that the other hosts send to',
  })
  .describe('Tunnels to the other hosts.');
export type TunnelsConfig = z.infer<typeof TunnelsConfig>;
