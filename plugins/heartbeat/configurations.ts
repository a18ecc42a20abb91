import type { AgentIdentity, SwitchSummary } from '@patchbay/sdk';
import type { HeartbeatConfig } from './config';

type Configurations = Readonly<Record<string, unknown>>;

/** What of this host and its switch goes into a report. */
export interface ReportedHost {
  readonly summary: SwitchSummary;
  /** VIFs on the integration bridge. */
  readonly devices: number;
  /** The name that nova knows this host's hypervisor by. */
  readonly hypervisor: string;
}

/**
 * The `configurations` of an agent report, as neutron-server, nova and placement read them from Neutron's agent. Plugins contribute
 * what is theirs (bridge mappings, tunnels); what nobody contributed stands for "not there".
 */
export function configurations(
  identity: AgentIdentity,
  config: HeartbeatConfig,
  { summary, devices, hypervisor }: ReportedHost,
  contributed: Configurations,
): Configurations {
  const merged: Configurations = {
    bridge_mappings: {},
    tunnel_types: [],
    tunneling_ip: null,
    l2_population: false,
    arp_responder_enabled: false,
    enable_distributed_routing: false,
    in_distributed_mode: false,
    ovs_hybrid_plug: false,
    baremetal_smartnic: false,
    integration_bridge: identity.integrationBridge,
    datapath_type: identity.datapathType,
    ovs_capabilities: {
      datapath_types: [...summary.datapathTypes],
      iface_types: [...summary.interfaceTypes],
    },
    vhostuser_socket_dir: config.vhostuser_socket_dir,
    log_agent_heartbeats: config.log_agent_heartbeats,
    ...contributed,
    extensions: [...new Set([...config.extensions, ...listOf(contributed.extensions)])],
    devices,
  };
  return { ...merged, ...resourceProviders(identity.host, config, mappedBridges(merged.bridge_mappings), hypervisor) };
}

/** What placement is told: the providers, their inventories, and the hypervisor that each one belongs to. */
function resourceProviders(
  host: string,
  config: HeartbeatConfig,
  bridges: readonly string[],
  hypervisor: string,
): Configurations {
  const tunnelled = config.tunnelled_network_rp_name;
  const devices = new Set([
    ...bridges,
    ...config.resource_provider_bridges,
    ...(tunnelled in config.resource_provider_bandwidths ? [tunnelled] : []),
  ]);
  return {
    resource_provider_bandwidths: config.resource_provider_bandwidths,
    resource_provider_inventory_defaults: config.resource_provider_inventory_defaults,
    resource_provider_packet_processing_without_direction: namedHost(
      host,
      config.resource_provider_packet_processing_without_direction,
    ),
    resource_provider_packet_processing_with_direction: namedHost(
      host,
      config.resource_provider_packet_processing_with_direction,
    ),
    resource_provider_packet_processing_inventory_defaults:
      config.resource_provider_packet_processing_inventory_defaults,
    resource_provider_hypervisors: Object.fromEntries(
      [...devices].map((device) => [device, config.resource_provider_hypervisors[device] ?? hypervisor]),
    ),
  };
}

/** A rate under no name is this host's, as Neutron reads it. */
function namedHost<T>(host: string, rates: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name === '' ? host : name, rate]));
}

function mappedBridges(mappings: unknown): readonly string[] {
  if (typeof mappings !== 'object' || mappings === null) return [];
  return Object.values(mappings).filter((bridge): bridge is string => typeof bridge === 'string');
}

function listOf(names: unknown): readonly string[] {
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string') : [];
}
