import { dict, flag, honoured, list, meaningless, natural, section, text } from './model';

const NOTHING_LISTENS =
  "nothing listens: OpenFlow is spoken on the bridge's own management socket in Open vSwitch's run directory";
const inventory = 'allocation_ratio:1.0,min_unit:1,step_size:1,reserved:0';

/** [OVS]. Names and defaults are those of Neutron's options for the Open vSwitch agent, Zed to 2026.1. */
export const ovsOptions = section('ovs', [
  [
    'integration_bridge',
    text,
    'br-int',
    honoured('settings.integration_bridge'),
    { deprecated: [{ name: 'ovs_integration_bridge' }] },
  ],
  ['tunnel_bridge', text, 'br-tun', honoured('settings.tunnel_bridge')],
  ['int_peer_patch_port', text, 'patch-tun', honoured('tunnels.int_peer_patch_port')],
  ['tun_peer_patch_port', text, 'patch-int', honoured('tunnels.tun_peer_patch_port')],
  [
    'local_ip',
    { kind: 'ip' },
    null,
    honoured(['tunnels.local_ip', 'l2-population.local_ip'], 'must be set if tunnel_types is'),
  ],
  [
    'bridge_mappings',
    list,
    '',
    honoured('bridge-mappings.bridge_mappings', 'each physical network and each bridge once; the bridges must exist'),
  ],
  [
    'resource_provider_bandwidths',
    list,
    '',
    honoured(
      'heartbeat.resource_provider_bandwidths',
      'each bridge must be one of bridge_mappings, or [ml2] tunnelled_network_rp_name',
    ),
  ],
  ['resource_provider_hypervisors', dict, '', honoured('heartbeat.resource_provider_hypervisors')],
  ['resource_provider_default_hypervisor', text, null, honoured('heartbeat.resource_provider_default_hypervisor')],
  [
    'resource_provider_packet_processing_without_direction',
    list,
    '',
    honoured('heartbeat.resource_provider_packet_processing_without_direction', 'excludes the one with direction'),
  ],
  [
    'resource_provider_packet_processing_with_direction',
    list,
    '',
    honoured('heartbeat.resource_provider_packet_processing_with_direction', 'excludes the one without direction'),
  ],
  ['resource_provider_inventory_defaults', dict, inventory, honoured('heartbeat.resource_provider_inventory_defaults')],
  [
    'resource_provider_packet_processing_inventory_defaults',
    dict,
    inventory,
    honoured('heartbeat.resource_provider_packet_processing_inventory_defaults'),
  ],
  ['datapath_type', { kind: 'string', choices: ['system', 'netdev'] }, 'system', honoured('settings.datapath_type')],
  [
    'vhostuser_socket_dir',
    text,
    '/var/run/openvswitch',
    honoured('heartbeat.vhostuser_socket_dir', 'reported to the server'),
  ],
  ['of_listen_address', { kind: 'ip' }, '127.0.0.1', meaningless(NOTHING_LISTENS)],
  ['of_listen_port', { kind: 'port' }, '6633', meaningless(NOTHING_LISTENS)],
  ['of_connect_timeout', natural, '300', honoured('settings.of_connect_timeout')],
  [
    'of_request_timeout',
    natural,
    '300',
    meaningless('a request ends with its connection, which of_inactivity_probe watches over'),
  ],
  ['of_inactivity_probe', natural, '10', honoured('settings.of_inactivity_probe')],
  [
    'openflow_processed_per_port',
    flag,
    'false',
    meaningless('all flows of a port always leave together, in one atomic bundle for each bridge'),
  ],
  ['qos_meter_bandwidth', flag, 'false', honoured('qos.qos_meter_bandwidth')],
  [
    'trunk_enabled',
    flag,
    'true',
    meaningless('there is no trunk plugin: parent ports are wired, the subports of a trunk are not'),
  ],
  ['ovsdb_timeout', natural, '10', honoured('settings.ovsdb_timeout')],
  [
    'bridge_mac_table_size',
    natural,
    '50000',
    honoured(['integration-bridge.bridge_mac_table_size', 'bridge-mappings.bridge_mac_table_size']),
  ],
  ['igmp_snooping_enable', flag, 'false', honoured('integration-bridge.igmp_snooping_enable')],
  ['igmp_flood', flag, 'false', honoured(['bridge-mappings.igmp_flood', 'tunnels.igmp_flood'])],
  ['igmp_flood_reports', flag, 'true', honoured(['bridge-mappings.igmp_flood_reports', 'tunnels.igmp_flood_reports'])],
  ['igmp_flood_unregistered', flag, 'false', honoured('integration-bridge.igmp_flood_unregistered')],
  [
    'ovsdb_connection',
    text,
    'tcp:127.0.0.1:6640',
    honoured(
      'settings.ovsdb_connection',
      "not set: Open vSwitch's own unix socket; set, even to this default: obeyed, and nobody makes the switch listen there",
    ),
  ],
  ['ssl_key_file', text, null, honoured('settings.ssl_key_file', 'for an ovsdb_connection of ssl:')],
  ['ssl_cert_file', text, null, honoured('settings.ssl_cert_file', 'for an ovsdb_connection of ssl:')],
  ['ssl_ca_cert_file', text, null, honoured('settings.ssl_ca_cert_file', 'for an ovsdb_connection of ssl:')],
  ['ovsdb_debug', flag, 'false', meaningless('it traces the Python OVSDB library; `[DEFAULT] debug` traces ours')],
]);
