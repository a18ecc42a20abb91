import { chooses, flag, honoured, list, meaningless, natural, refused, section, text, whole } from './model';

const NO_POLLING =
  'the switch tells of changes on a connection of its own: nothing is polled and no monitor process is spawned';
const NO_PROCESS = 'no command is run for changes on the switch, so there is nothing to run as root';
const NO_IPTABLES = 'no iptables rule is written';
const NO_CHILDREN = 'there are no child processes to watch';
const CLEAR = 'set it to False, or accept that it is missing';

/** [AGENT]. */
export const agentOptions = section('agent', [
  ['minimize_polling', flag, 'true', meaningless(NO_POLLING)],
  ['ovsdb_monitor_respawn_interval', whole, '30', meaningless(NO_POLLING)],
  ['polling_interval', whole, '2', meaningless(NO_POLLING)],
  ['tunnel_types', list, '', honoured('tunnels.tunnel_types', 'gre, vxlan and geneve')],
  ['vxlan_udp_port', { kind: 'port' }, '4789', honoured('tunnels.vxlan_udp_port')],
  [
    'l2_population',
    flag,
    'false',
    chooses(
      'l2-population',
      'forwarding entries from the server would not be taken: tunnels would flood and learn instead',
      'set it to False (learning finds the same peers), or accept that it is missing',
    ),
  ],
  [
    'arp_responder',
    flag,
    'false',
    chooses('arp-responder', 'ARP requests would be flooded instead of answered here', CLEAR),
  ],
  ['dont_fragment', flag, 'true', honoured('tunnels.dont_fragment')],
  [
    'enable_distributed_routing',
    flag,
    'false',
    refused(
      "distributed routers' traffic would leave this host unrouted",
      'keep the reference agent on this host, or move its routers off distributed mode and set it to False',
      'distributed-routing',
    ),
  ],
  ['drop_flows_on_start', flag, 'false', honoured('settings.drop_flows_on_start', 'interrupts traffic')],
  ['tunnel_csum', flag, 'false', honoured('tunnels.tunnel_csum')],
  [
    'baremetal_smartnic',
    flag,
    'false',
    refused('ports of smart NICs would not be plugged', 'keep the reference agent on this host', 'baremetal-smartnic'),
  ],
  [
    'explicitly_egress_direct',
    flag,
    'false',
    honoured(['anti-spoofing.explicitly_egress_direct', 'security-groups.explicitly_egress_direct']),
  ],
  [
    'quitting_rpc_timeout',
    natural,
    '10',
    meaningless('an agent that stops waits for no answer: calls that are under way end with it'),
  ],
  ['dscp', { kind: 'integer', min: 0, max: 63 }, null, honoured('tunnels.dscp')],
  ['dscp_inherit', flag, 'false', honoured('tunnels.dscp_inherit')],
  [
    'extensions',
    list,
    '',
    honoured('heartbeat.extensions', 'each selects the plugin of its name; one without a plugin is refused'),
  ],
  ['report_interval', { kind: 'float', min: 0 }, '30', honoured('heartbeat.report_interval')],
  ['log_agent_heartbeats', flag, 'false', honoured('heartbeat.log_agent_heartbeats')],
  ['root_helper', text, 'sudo', meaningless(NO_PROCESS)],
  ['root_helper_daemon', text, null, meaningless(NO_PROCESS)],
  ['use_helper_for_ns_read', flag, 'true', meaningless(NO_PROCESS)],
  ['comment_iptables_rules', flag, 'true', meaningless(NO_IPTABLES)],
  ['debug_iptables_rules', flag, 'false', meaningless(NO_IPTABLES)],
  ['use_random_fully', flag, 'true', meaningless(NO_IPTABLES)],
  [
    'check_child_processes_action',
    { kind: 'string', choices: ['respawn', 'exit'] },
    'respawn',
    meaningless(NO_CHILDREN),
  ],
  ['check_child_processes_interval', whole, '60', meaningless(NO_CHILDREN)],
  ['kill_scripts_path', text, '/etc/neutron/kill_scripts/', meaningless(NO_CHILDREN)],
  ['availability_zone', text, 'nova', meaningless('an Open vSwitch agent does not report one')],
  ['veth_mtu', whole, '9000', meaningless('patch ports join the bridges; the reference agent dropped it too')],
]);

/** [SECURITYGROUP]. */
export const securityGroupOptions = section('securitygroup', [
  [
    'firewall_driver',
    text,
    null,
    honoured(
      [],
      'openvswitch selects `security-groups`; noop, or none, selects `anti-spoofing`; iptables and iptables_hybrid are refused, and so is a driver that there is no plugin for',
    ),
  ],
  [
    'enable_security_group',
    flag,
    'true',
    honoured([], 'False selects `anti-spoofing`, as the reference agent then filters nothing'),
  ],
  ['enable_ipset', flag, 'true', meaningless(NO_IPTABLES)],
  ['permitted_ethertypes', list, '', honoured('security-groups.permitted_ethertypes')],
]);
