import { flag, honoured, list, meaningless, section, text, whole } from './model';

const to = (plugin: string, option: string) => honoured(`${plugin}.${option}`);
const SEPARATION = 'the agent runs under its own unit with the capabilities that it needs, and starts no helper';
const PROFILER = 'osprofiler is a library of Python';

/** The sections of L2 extensions: each option takes effect where the plugin of that extension is on the list. */
export const extensionOptions = [
  ...section('dhcp', [
    ['enable_ipv6', flag, 'true', to('dhcp', 'enable_ipv6')],
    ['dhcp_renewal_time', whole, '0', to('dhcp', 'dhcp_renewal_time')],
    ['dhcp_rebinding_time', whole, '0', to('dhcp', 'dhcp_rebinding_time')],
  ]),
  ...section('local_ip', [['static_nat', flag, 'false', to('local-ip', 'static_nat')]]),
  ...section('fdb', [['shared_physical_device_mappings', list, '', to('fdb', 'shared_physical_device_mappings')]]),
  ...section('network_log', [
    ['rate_limit', { kind: 'integer', min: 100 }, '100', to('log', 'rate_limit')],
    ['burst_limit', { kind: 'integer', min: 25 }, '25', to('log', 'burst_limit')],
    ['local_output_log_base', text, null, to('log', 'local_output_log_base')],
  ]),
  ...section('metadata', [
    ['provider_cidr', text, '240.0.0.0/16', to('metadata-path', 'provider_cidr')],
    ['provider_vlan_id', whole, '1', to('metadata-path', 'provider_vlan_id')],
    ['provider_base_mac', text, 'fa:16:ee:00:00:00', to('metadata-path', 'provider_base_mac')],
    ['host_proxy_listen_port', { kind: 'port' }, '80', to('metadata-path', 'host_proxy_listen_port')],
    ['nova_metadata_host', text, '127.0.0.1', to('metadata-path', 'nova_metadata_host')],
    ['nova_metadata_port', { kind: 'port' }, '8775', to('metadata-path', 'nova_metadata_port')],
    ['metadata_proxy_shared_secret', text, '', to('metadata-path', 'metadata_proxy_shared_secret')],
    [
      'nova_metadata_protocol',
      { kind: 'string', choices: ['http', 'https'] },
      'http',
      to('metadata-path', 'nova_metadata_protocol'),
    ],
    ['nova_metadata_insecure', flag, 'false', to('metadata-path', 'nova_metadata_insecure')],
    ['auth_ca_cert', text, null, to('metadata-path', 'auth_ca_cert')],
    ['nova_client_cert', text, '', to('metadata-path', 'nova_client_cert')],
    ['nova_client_priv_key', text, '', to('metadata-path', 'nova_client_priv_key')],
  ]),
  ...section('dns_forwarder', [
    ['upstream_dns_server_ports', list, '', to('dns-forwarder', 'upstream_dns_server_ports')],
    ['upstream_dns_query_timeout', whole, '5', to('dns-forwarder', 'upstream_dns_query_timeout')],
    [
      'client_dns_server_ports',
      list,
      '169.254.169.254:53,[fd00::254]:53',
      to('dns-forwarder', 'client_dns_server_ports'),
    ],
  ]),
  ...section('ml2', [
    ['tunnelled_network_rp_name', text, 'rp_tunnelled', to('heartbeat', 'tunnelled_network_rp_name')],
    [
      'overlay_ip_version',
      { kind: 'integer', choices: [4, 6] },
      '4',
      meaningless("the server's; here local_ip says which version the tunnels have"),
    ],
  ]),
];

/** What other libraries read from the same files. */
export const libraryOptions = [
  ...section('oslo_concurrency', [
    [
      'lock_path',
      text,
      null,
      meaningless('there are no lock files: one process, and the switch has a lock of its own'),
    ],
    ['disable_process_locking', flag, 'false', meaningless('there are no lock files')],
  ]),
  ...section('privsep', [
    ['helper_command', text, null, meaningless(SEPARATION)],
    ['user', text, null, meaningless(SEPARATION)],
    ['group', text, null, meaningless(SEPARATION)],
    ['capabilities', list, '', meaningless(SEPARATION)],
    ['thread_pool_size', whole, null, meaningless(SEPARATION)],
    ['logger_name', text, 'oslo_privsep.daemon', meaningless(SEPARATION)],
  ]),
  ...['dhcp_release', 'ovs_vsctl', 'namespace', 'conntrack', 'link'].flatMap((context) =>
    section(`privsep_${context}`, [['helper_command', text, null, meaningless(SEPARATION)]]),
  ),
  ...section('profiler', [
    ['enabled', flag, 'false', meaningless(PROFILER)],
    ['hmac_keys', text, 'SECRET_KEY', meaningless(PROFILER)],
    ['connection_string', text, 'messaging://', meaningless(PROFILER)],
  ]),
  ...section('oslo_reports', [
    [
      'log_dir',
      text,
      null,
      meaningless('SIGUSR2 writes no report; `patchbay status` and `patchbay explain` tell more'),
    ],
    ['file_event_handler', text, null, meaningless('no file triggers a report')],
    ['file_event_handler_interval', whole, '1', meaningless('no file triggers a report')],
  ]),
];
