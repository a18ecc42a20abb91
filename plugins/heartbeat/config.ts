import { z } from 'zod';
import { listOf, mapping } from '../config-values';

const rate = z.int().min(0).nullable();
const directedRates = z.record(z.string(), z.strictObject({ egress: rate, ingress: rate }));
const plainRates = z.record(z.string(), z.strictObject({ any: rate }));

/**
 * `name:rate:…` tuples as Neutron reads them: all rates may be left out (`eth0`, `eth0::`), which means null: nothing reported for it.
 * A map in the shape of the report is taken as it is.
 */
function rates<const D extends readonly string[], T extends z.ZodType>(directions: D, shape: T) {
  const form = ['name', ...directions].join(':');
  return z.preprocess((value, context) => {
    const tuples = typeof value === 'string' ? value.split(',') : value;
    if (!Array.isArray(tuples)) return value;
    const byName: Record<string, Record<string, number | null>> = {};
    for (const tuple of tuples.map((item) => String(item).trim())) {
      if (tuple === '') continue;
      const [name = '', ...given] = tuple.includes(':') ? tuple.split(':') : [tuple, ...directions.map(() => '')];
      const mistake =
        given.length !== directions.length
          ? `expected ${form}`
          : given.some((text) => !/^\d*$/.test(text))
            ? 'a rate is a whole number, not negative'
            : Object.hasOwn(byName, name)
              ? `"${name}" is listed twice`
              : undefined;
      if (mistake !== undefined) context.addIssue({ code: 'custom', message: `"${tuple}": ${mistake}`, input: tuple });
      byName[name] = Object.fromEntries(
        directions.map((direction, place) => [direction, given[place] ? Number(given[place]) : null]),
      );
    }
    return byName;
  }, shape);
}

/** Placement's inventory fields; text from an ini file is read as a number. */
const inventoryDefaults = z
  .preprocess(
    (value) => (typeof value === 'string' || Array.isArray(value) ? mapping.parse(value) : value),
    z.strictObject({
      allocation_ratio: z.coerce.number().min(0).optional(),
      max_unit: z.coerce.number().int().min(0).optional(),
      min_unit: z.coerce.number().int().min(0).optional(),
      reserved: z.coerce.number().int().min(0).optional(),
      step_size: z.coerce.number().int().min(0).optional(),
    }),
  )
  .default({ allocation_ratio: 1, min_unit: 1, step_size: 1, reserved: 0 });

export const HeartbeatConfig = z
  .strictObject({
    report_interval: z
      .number()
      .min(0)
      .default(30)
      .describe("Seconds between state reports, less than half of the server's agent_down_time; 0 reports nothing."),
    log_agent_heartbeats: z.boolean().default(false).describe('Ask the server to log each report.'),
    vhostuser_socket_dir: z
      .string()
      .default('/var/run/openvswitch')
      .describe('Where vhost-user sockets are; the server tells nova (datapath_type netdev).'),
    extensions: listOf(z.string()).default([]).describe('The L2 extensions that are reported, by their Neutron names.'),
    resource_provider_bandwidths: rates(['egress', 'ingress'], directedRates)
      .default({})
      .describe('Bridge to its bandwidth in kbps, for placement: "bridge:egress:ingress,…".'),
    resource_provider_packet_processing_without_direction: rates(['any'], plainRates)
      .default({})
      .describe('Hypervisor to packet rate in kpps: "hypervisor:rate,…"; no name means this host.'),
    resource_provider_packet_processing_with_direction: rates(['egress', 'ingress'], directedRates)
      .default({})
      .describe('The same per direction: "hypervisor:egress:ingress,…". Excludes the one without direction.'),
    resource_provider_hypervisors: mapping
      .default({})
      .describe('Bridge to the hypervisor that nova knows it under, where that is not the default one.'),
    resource_provider_default_hypervisor: z
      .string()
      .optional()
      .describe("The hypervisor of all other bridges; default: this host's canonical name."),
    resource_provider_bridges: listOf(z.string())
      .default([])
      .describe('The bridges whose hypervisor is reported; an ini fills in those of bridge_mappings.'),
    resource_provider_inventory_defaults: inventoryDefaults.describe('Inventory fields of the bandwidth providers.'),
    resource_provider_packet_processing_inventory_defaults: inventoryDefaults.describe(
      'Inventory fields of the packet-rate providers.',
    ),
    tunnelled_network_rp_name: z
      .string()
      .default('rp_tunnelled')
      .describe("The name that stands for the tunnelled networks' provider in resource_provider_bandwidths."),
  })
  .refine(
    (config) =>
      Object.keys(config.resource_provider_packet_processing_with_direction).length === 0 ||
      Object.keys(config.resource_provider_packet_processing_without_direction).length === 0,
    {
      path: ['resource_provider_packet_processing_with_direction'],
      message: 'excludes resource_provider_packet_processing_without_direction: set one of the two',
    },
  )
  .describe("Reports this agent's state to the control plane.");
export type HeartbeatConfig = z.infer<typeof HeartbeatConfig>;
