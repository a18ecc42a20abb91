import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const mac = z
  .string()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'expected a MAC address such as fa:16:3e:00:00:01')
  .transform((value) => value.toLowerCase());
const address = z.string().refine((value) => ipaddr.isValid(value), 'expected an IPv4 or IPv6 address');
const prefix = z
  .string()
  .refine(
    (value) => ipaddr.isValid(value) || ipaddr.isValidCIDR(value),
    'expected an address or a prefix such as 10.0.0.0/24',
  );
const name = z.string().min(1);

const network = z
  .strictObject({
    type: z.enum(['local', 'flat', 'vlan', 'vxlan', 'gre', 'geneve'], {
      error: 'expected local, flat, vlan, vxlan, gre or geneve',
    }),
    segmentation_id: z
      .int()
      .min(1)
      .max(2 ** 32 - 1)
      .optional(),
    physical_network: name.optional(),
    mtu: z.int().min(68).max(65_535).optional(),
  })
  .superRefine((value, context) => {
    const say = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    const tunnelled = value.type === 'vxlan' || value.type === 'gre' || value.type === 'geneve';
    if (tunnelled && value.segmentation_id === undefined)
      say('type', `a ${value.type} network needs a segmentation_id`);
    if (value.type === 'vlan' && (value.segmentation_id === undefined || value.segmentation_id > 4094)) {
      say('type', 'a vlan network needs a segmentation_id from 1 to 4094');
    }
    if ((value.type === 'flat' || value.type === 'vlan') && value.physical_network === undefined) {
      say('type', `a ${value.type} network needs a physical_network`);
    }
    if ((value.type === 'flat' || value.type === 'local') && value.segmentation_id !== undefined) {
      say('segmentation_id', `a ${value.type} network has none`);
    }
  });

const port = z.strictObject({
  network: name,
  mac,
  addresses: z.array(address).default([]),
  security_groups: z.array(name).default([]),
  port_security: z.boolean().default(true),
  admin_state: z.enum(['up', 'down'], { error: 'expected up or down' }).default('up'),
  allowed_address_pairs: z.array(z.strictObject({ address: prefix, mac: mac.optional() })).default([]),
});

const rule = z
  .strictObject({
    direction: z.enum(['ingress', 'egress'], { error: 'expected ingress or egress' }),
    ethertype: z.enum(['IPv4', 'IPv6'], { error: 'expected IPv4 or IPv6' }).default('IPv4'),
    protocol: z.union([z.string(), z.int().min(0).max(255)]).optional(),
    /** One port, or a range `first-last`; for ICMP the type, or `type-code`. */
    ports: z
      .union([
        z.int().min(0).max(65_535),
        z.string().regex(/^\d+(-\d+)?$/, 'expected a port, or a range such as 80-443'),
      ])
      .optional(),
    remote_prefix: prefix.optional(),
    remote_group: name.optional(),
    remote_address_group: name.optional(),
  })
  .superRefine((value, context) => {
    const remotes = [value.remote_prefix, value.remote_group, value.remote_address_group].filter(
      (each) => each !== undefined,
    );
    if (remotes.length > 1)
      context.addIssue({ code: 'custom', path: ['direction'], message: 'a rule names one remote at most' });
    if (value.ports !== undefined && value.protocol === undefined) {
      context.addIssue({ code: 'custom', path: ['ports'], message: 'ports need a protocol' });
    }
  });

/** The networks file. Names are the keys; a port's key is the `iface-id` its VIF carries. */
export const NetworksDocument = z
  .strictObject({
    networks: z.record(name, network).default({}),
    ports: z.record(name, port).default({}),
    security_groups: z
      .record(name, z.strictObject({ stateful: z.boolean().default(true), rules: z.array(rule).default([]) }))
      .default({}),
    address_groups: z.record(name, z.array(prefix)).default({}),
    tunnel_peers: z
      .array(
        z.strictObject({
          type: z.enum(['vxlan', 'gre', 'geneve'], { error: 'expected vxlan, gre or geneve' }),
          address,
        }),
      )
      .default([]),
  })
  .superRefine((document, context) => {
    const say = (path: readonly (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const knows = (table: object, key: string) => Object.hasOwn(table, key);
    const macs = new Map<string, string>();
    for (const [id, one] of Object.entries(document.ports)) {
      if (!knows(document.networks, one.network)) say(['ports', id, 'network'], `there is no network ${one.network}`);
      one.security_groups.forEach((group, index) => {
        if (!knows(document.security_groups, group))
          say(['ports', id, 'security_groups', index], `there is no security group ${group}`);
      });
      const twin = macs.get(`${one.network} ${one.mac}`);
      if (twin !== undefined) say(['ports', id, 'mac'], `port ${twin} of the same network has this MAC already`);
      macs.set(`${one.network} ${one.mac}`, id);
    }
    for (const [id, group] of Object.entries(document.security_groups)) {
      group.rules.forEach(({ remote_group, remote_address_group }, index) => {
        const at = ['security_groups', id, 'rules', index];
        if (remote_group !== undefined && !knows(document.security_groups, remote_group)) {
          say([...at, 'remote_group'], `there is no security group ${remote_group}`);
        }
        if (remote_address_group !== undefined && !knows(document.address_groups, remote_address_group)) {
          say([...at, 'remote_address_group'], `there is no address group ${remote_address_group}`);
        }
      });
    }
    const segments = new Map<string, string>();
    for (const [id, one] of Object.entries(document.networks)) {
      if (one.segmentation_id === undefined) continue;
      const segment = `${one.type} ${one.physical_network ?? ''} ${one.segmentation_id}`;
      const twin = segments.get(segment);
      if (twin !== undefined) say(['networks', id, 'segmentation_id'], `network ${twin} has this segment already`);
      segments.set(segment, id);
    }
  });
export type NetworksDocument = z.infer<typeof NetworksDocument>;

export const EMPTY: NetworksDocument = NetworksDocument.parse({});
