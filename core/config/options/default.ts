import { flag, honoured, type IniOption, list, meaningless, section, text, whole } from './model';

const FORMAT = 'a log line is one event with fields; it has no format string';
const LEVELS = 'it names Python loggers';
const ROTATION = 'rotate with logrotate and a SIGHUP, which opens the file again';
const RATE = 'lines are not rate-limited; repeated failures are logged once with a count';

/** [DEFAULT]: who we are, how to reach the server, and the log. */
export const defaultOptions: readonly IniOption[] = section('DEFAULT', [
  ['host', text, null, honoured('settings.host', "default: the machine's host name; must be nova's for this host")],
  [
    'transport_url',
    text,
    'rabbit://',
    honoured('neutron.transport_url', 'rabbit: only; its query overrides [oslo_messaging_rabbit]'),
  ],
  ['control_exchange', text, 'neutron', honoured('neutron.control_exchange')],
  ['rpc_response_timeout', { kind: 'integer', min: 1 }, '60', honoured('neutron.rpc_response_timeout')],
  ['rpc_response_max_timeout', { kind: 'integer', min: 1 }, '600', honoured('neutron.rpc_response_max_timeout')],
  [
    'rpc_resources_processing_step',
    { kind: 'integer', min: 1 },
    '20',
    honoured('neutron.rpc_resources_processing_step'),
  ],
  ['rpc_ping_enabled', flag, 'false', honoured('neutron.rpc_ping_enabled')],
  [
    'executor_thread_pool_size',
    whole,
    '64',
    meaningless('there is no thread pool'),
    { deprecated: [{ name: 'rpc_thread_pool_size' }] },
  ],
  ['base_mac', text, 'fa:16:3e:00:00:00', honoured('dhcp.base_mac')],
  ['dhcp_lease_duration', whole, '86400', honoured('dhcp.dhcp_lease_duration')],
  ['dns_domain', text, 'openstacklocal', honoured('dhcp.dns_domain')],
  ['global_physnet_mtu', whole, '1500', meaningless('only smart NICs read it in an agent')],
  [
    'state_path',
    text,
    '/var/lib/neutron',
    meaningless('what we keep is under [patchbay] state_dir; `$state_path` can be referred to'),
  ],
  ['debug', flag, 'false', honoured('settings.logging.debug')],
  ['log_file', text, null, honoured('settings.logging.log_file'), { deprecated: [{ name: 'logfile' }] }],
  ['log_dir', text, null, honoured('settings.logging.log_dir'), { deprecated: [{ name: 'logdir' }] }],
  ['use_syslog', flag, 'false', honoured('settings.logging.use_syslog')],
  ['use_journal', flag, 'false', honoured('settings.logging.use_journal')],
  ['use_json', flag, 'false', honoured('settings.logging.use_json')],
  ['use_stderr', flag, 'false', honoured('settings.logging.use_stderr')],
  [
    'log_config_append',
    text,
    null,
    meaningless("it is a configuration of Python's logging"),
    { deprecated: [{ name: 'log-config' }, { name: 'log_config' }] },
  ],
  ['default_log_levels', list, null, meaningless(LEVELS)],
  ['logging_context_format_string', text, null, meaningless(FORMAT)],
  ['logging_default_format_string', text, null, meaningless(FORMAT)],
  ['logging_debug_format_suffix', text, null, meaningless(FORMAT)],
  ['logging_exception_prefix', text, null, meaningless(FORMAT)],
  ['logging_user_identity_format', text, null, meaningless(FORMAT)],
  ['log_date_format', text, null, meaningless(FORMAT)],
  ['instance_format', text, null, meaningless(FORMAT)],
  ['instance_uuid_format', text, null, meaningless(FORMAT)],
  ['syslog_log_facility', text, 'LOG_USER', meaningless('the facility is daemon')],
  ['watch_log_file', flag, 'false', meaningless(ROTATION)],
  ['log_rotation_type', text, 'none', meaningless(ROTATION)],
  ['log_rotate_interval', whole, '1', meaningless(ROTATION)],
  ['log_rotate_interval_type', text, 'days', meaningless(ROTATION)],
  ['max_logfile_count', whole, '30', meaningless(ROTATION)],
  ['max_logfile_size_mb', whole, '200', meaningless(ROTATION)],
  ['rate_limit_interval', whole, '0', meaningless(RATE)],
  ['rate_limit_burst', whole, '0', meaningless(RATE)],
  ['rate_limit_except_level', text, 'CRITICAL', meaningless(RATE)],
  ['publish_errors', flag, 'false', meaningless('errors are in the log and in health')],
]);
