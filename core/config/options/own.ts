import { dict, flag, honoured, list, natural, section, text } from './model';

/** [patchbay]: what Neutron has no word for. The reference agent ignores the section, so going back works with the same files. */
export const ownOptions = section('patchbay', [
  [
    'plugins_file',
    text,
    null,
    honoured(
      [],
      'YAML whose `plugins:` edit the list as those of patchbay.yaml do; a relative path starts at this ini file',
    ),
  ],
  [
    'accept_missing',
    list,
    '',
    honoured('settings.accept_missing', 'options and extensions to go without, by name, as `--accept-missing`'),
  ],
  ['nd_responder', flag, 'false', honoured('arp-responder.nd_responder')],
  ['admit_ports', list, '', honoured('integration-bridge.admit_ports')],
  [
    'openflow_connections',
    dict,
    '',
    honoured(
      'settings.openflow_connections',
      '`bridge:target,…` for a bridge that is not reached on its management socket',
    ),
  ],
  ['ovs_run_dir', text, '/run/openvswitch', honoured('settings.ovs_run_dir')],
  ['run_dir', text, '/run/patchbay', honoured('settings.run_dir')],
  ['state_dir', text, '/var/lib/patchbay', honoured('settings.state_dir')],
  [
    'reserved_cookies',
    list,
    '',
    honoured(
      'settings.reserved_cookies',
      'cookies (`0x…`, or `0x…/0x…` with a mask) of flows that somebody else keeps in tables of ours, and that stay',
    ),
  ],
  [
    'reserved_flows',
    list,
    '',
    honoured(
      'settings.reserved_flows',
      '`bridge:tables` or `bridge:tables:priorities` (`tunnel:4+20+21:0-100`), where flows under cookies that are not ours stay; a bridge is integration, tunnel, provider or a name',
    ),
  ],
  [
    'packet_in_ceiling',
    { kind: 'integer', min: 1 },
    '1000',
    honoured(
      'settings.packet_in_ceiling',
      'packets a second that any one plugin may ask to be told of, in bursts of twice as many; one that asks for more is not started',
    ),
  ],
  [
    'resync_interval',
    natural,
    '600',
    honoured('settings.resync_interval', 'seconds between comparisons of the whole switch; 0: none'),
  ],
  [
    'drift',
    { kind: 'string', choices: ['repair', 'report'] },
    'repair',
    honoured(
      'settings.drift',
      "what becomes of others' edits of what the agent installed: put right, or only logged and counted",
    ),
  ],
]);
