import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PatchbayError } from '@patchbay/sdk';
import { examineIni, type IniInput, showConfiguration } from '../../../core/config';

import { HeartbeatConfig } from '../../../plugins/heartbeat/config';
import { TunnelsConfig } from '../../../plugins/tunnels/config';

const folder = mkdtempSync(join(tmpdir(), 'patchbay-translate-'));
afterAll(() => rmSync(folder, { recursive: true }));

let written = 0;
const file = (text: string, name = `${++written}.ini`): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};

const stock = [
  'integration-bridge',
  'bridge-mappings',
  'tunnels',
  'local-vlan',
  'port-binding',
  'anti-spoofing',
  'neutron',
  'heartbeat',
  'standalone',
];
const input = (text: string, more: Partial<IniInput> = {}): IniInput => ({
  configFiles: [file(text)],
  available: stock,
  environment: { HOME: folder },
  hostname: 'compute-1',
  ...more,
});
/** The configuration of a text that has no problem; throws the first. */
const read = (text: string, more?: Partial<IniInput>) => {
  const { configuration, problems } = examineIni(input(text, more));
  if (configuration === undefined || problems.length > 0) throw problems[0];
  return configuration;
};
const problems = (text: string, more?: Partial<IniInput>): readonly PatchbayError[] =>
  examineIni(input(text, more)).problems;
const options = (text: string, plugin: string, more?: Partial<IniInput>) =>
  read(text, more).plugins.find((entry) => entry.name === plugin)?.options;
const names = (text: string, more?: Partial<IniInput>) => read(text, more).plugins.map((entry) => entry.name);

describe('an ini that sets nothing', () => {
  test('gives the stock list, with anti-spoofing', () => {
    expect(names('[DEFAULT]\n')).toEqual([
      'integration-bridge',
      'bridge-mappings',
      'tunnels',
      'local-vlan',
      'port-binding',
      'anti-spoofing',
      'neutron',
      'heartbeat',
    ]);
  });

  test('gives our defaults: the unix socket, no option of any plugin, no warning', () => {
    const { settings, plugins, warnings, provenance } = read('[DEFAULT]\n');
    expect(settings.ovsdb_connection).toBe('unix:/run/openvswitch/db.sock');
    expect(settings.host).toBe('compute-1');
    expect(plugins.every((entry) => Object.keys(entry.options).length === 0)).toBe(true);
    expect([warnings, provenance]).toEqual([[], {}]);
  });
});

describe('an option that is set is obeyed', () => {
  test('even to the default of the reference', () => {
    expect(read('[ovs]\novsdb_connection = tcp:127.0.0.1:6640').settings.ovsdb_connection).toBe('tcp:127.0.0.1:6640');
  });

  test('and its place knows where it comes from', () => {
    const configuration = read('[DEFAULT]\n\nhost = a\n[ovs]\nlocal_ip = 192.0.2.1\n');
    expect(configuration.provenance['settings.host']).toMatch(/\.ini:3$/);
    expect(configuration.provenance['plugins.tunnels.local_ip']).toMatch(/\.ini:5$/);
  });

  test('from the environment and the command line', () => {
    const configuration = read('[DEFAULT]\nhost = a\n', {
      environment: { HOME: folder, OS_DEFAULT__HOST: 'b' },
      commandLine: { log_dir: '/var/log/neutron', debug: true },
    });
    expect(configuration.settings.host).toBe('b');
    expect(configuration.settings.logging).toMatchObject({ log_dir: '/var/log/neutron', debug: true });
    expect(configuration.provenance).toMatchObject({
      'settings.host': 'environment OS_DEFAULT__HOST',
      'settings.logging.log_dir': 'command line',
    });
  });

  test('empty text is as if nobody had set it', () => {
    expect(read('[DEFAULT]\nhost =\nlog_file = \n').settings).toMatchObject({
      host: 'compute-1',
      logging: { log_file: null },
    });
  });

  test("tunnel options reach the tunnels plugin under Neutron's names", () => {
    const text = '[ovs]\nlocal_ip=2001:db8::1\n[agent]\ntunnel_types=vxlan, gre\nvxlan_udp_port=8472\ndscp=10\n';
    expect(options(text, 'tunnels')).toEqual({
      local_ip: '2001:db8::1',
      tunnel_types: ['vxlan', 'gre'],
      vxlan_udp_port: 8472,
      dscp: 10,
    });
  });

  test('bridge mappings reach their plugin as a map, and their bridges the heartbeat', () => {
    const text = '[ovs]\nbridge_mappings = physnet1:br-ex, physnet2 : br-vlan\n';
    expect(options(text, 'bridge-mappings')).toEqual({ bridge_mappings: { physnet1: 'br-ex', physnet2: 'br-vlan' } });
    expect(options(text, 'heartbeat')).toEqual({ resource_provider_bridges: ['br-ex', 'br-vlan'] });
  });

  test('rabbit options go to the message layer as they are written', () => {
    const text = '[oslo_messaging_rabbit]\nrabbit_quorum_queue = True\nrabbit_use_ssl = 1\n';
    expect(options(text, 'neutron')).toEqual({ rabbit: { rabbit_quorum_queue: 'True', ssl: '1' } });
  });

  test('another run directory of Open vSwitch moves its socket too', () => {
    expect(read('[patchbay]\novs_run_dir = /run/other\n').settings.ovsdb_connection).toBe('unix:/run/other/db.sock');
  });
});

describe('what is kept for others', () => {
  const reserved = `[patchbay]
reserved_cookies = 0x1a2b, 0x5a00000000000000/0xff00000000000000
reserved_flows = tunnel:4+20+21:0-100, br-own:7
`;

  test('is what the same words in patchbay.yaml come to, and is shown', () => {
    const configuration = read(reserved);
    expect(configuration.settings.reserved_cookies).toEqual(['0x1a2b', '0x5a00000000000000/0xff00000000000000']);
    const places = [
      { bridge: 'tunnel', tables: [4, 20, 21], priorities: [0, 100] },
      { bridge: 'br-own', tables: [7] },
    ];
    expect(configuration.settings.reserved_flows).toEqual(places);
    const shown = showConfiguration(configuration).find(({ path }) => path === 'settings.reserved_flows');
    expect(shown).toEqual({ path: shown?.path, value: places, from: expect.stringMatching(/\.ini:3$/) });
  });

  test.each([
    ['reserved_cookies = 0x1, 0x5a01/0xff00', /\.ini:2: \[patchbay\] reserved_cookies: "0x5a01\/0xff00" has bits/],
    [
      'reserved_flows = tunnel:4, tunnel',
      /\.ini:2: \[patchbay\] reserved_flows: "tunnel" is no place: write bridge:tables/,
    ],
    ['reserved_flows = tunnel:4:9-1', /reserved_flows: the lowest comes first/],
    ['reserved_flows = tunel:4', /did you mean tunnel\?/],
  ])('%s is refused with its line, its field and the likely mistake', (line, message) => {
    const found = problems(`[patchbay]\n${line}\n`);
    expect(found.map(({ code }) => code)).toEqual(['PB-INI-VALUE']);
    expect(found[0]?.message).toMatch(message);
  });
});

describe('firewall_driver', () => {
  const driver = (name: string) => `[securitygroup]\nfirewall_driver = ${name}\n`;

  test('openvswitch selects security-groups where it is on hand', () => {
    const list = names(driver('openvswitch'), { available: [...stock, 'security-groups'] });
    expect(list).toContain('security-groups');
    expect(list).not.toContain('anti-spoofing');
  });

  test('by its class name is the same', () => {
    const name = 'neutron.agent.linux.openvswitch_firewall.OVSFirewallDriver';
    expect(names(driver(name), { available: [...stock, 'security-groups'] })).toContain('security-groups');
  });

  test('openvswitch is refused without security-groups, naming the option, its place and the way out', () => {
    const [problem] = problems(driver('openvswitch'));
    expect(problem?.code).toBe('PB-INI-FIREWALL-MISSING');
    expect(problem?.message).toMatch(
      /\.ini:2: \[securitygroup\] firewall_driver = openvswitch: .*--accept-missing firewall_driver/,
    );
  });

  test.each([
    'iptables',
    'iptables_hybrid',
    'neutron.agent.linux.iptables_firewall.OVSHybridIptablesFirewallDriver',
  ])('%s is refused, even where security-groups is on hand', (name) => {
    const found = problems(driver(name), { available: [...stock, 'security-groups'] });
    expect(found.map((problem) => problem.code)).toEqual(['PB-INI-FIREWALL-MISSING']);
  });

  test('that is accepted to be missing leaves anti-spoofing, and a warning', () => {
    const { plugins, warnings } = read(driver('openvswitch'), { acceptMissing: ['firewall_driver'] });
    expect(plugins.map((entry) => entry.name)).toContain('anti-spoofing');
    expect(warnings.join()).toContain('firewall_driver');
  });

  test.each(['noop', 'neutron.agent.firewall.NoopFirewallDriver'])('%s selects anti-spoofing', (name) => {
    expect(names(driver(name))).toContain('anti-spoofing');
  });

  test('security groups switched off select anti-spoofing', () => {
    expect(names(`${driver('openvswitch')}enable_security_group = False\n`)).toContain('anti-spoofing');
  });
});

describe('options that move traffic', () => {
  test.each([
    'enable_distributed_routing',
    'l2_population',
    'arp_responder',
    'baremetal_smartnic',
  ])('%s is refused by name until there is a plugin, and left at its default is not', (name) => {
    const [problem, ...others] = problems(`[agent]\n${name} = True\n`);
    expect([problem?.code, others]).toEqual(['PB-INI-OPTION-REFUSED', []]);
    expect(problem?.message).toContain(`[agent] ${name}`);
    expect(problems(`[agent]\n${name} = False\n`)).toEqual([]);
  });

  test('are accepted to be missing one by one', () => {
    const text = '[agent]\nl2_population = True\narp_responder = True\n';
    expect(problems(text, { acceptMissing: ['l2_population'] }).map((problem) => problem.fields.option)).toEqual([
      'arp_responder',
    ]);
  });

  test('are accepted to be missing by the file as well', () => {
    const configuration = read('[agent]\nl2_population = True\n[patchbay]\naccept_missing = l2_population\n');
    expect(configuration.settings.accept_missing).toEqual(['l2_population']);
  });

  test.each([
    ['l2_population', 'l2-population'],
    ['arp_responder', 'arp-responder'],
  ])('%s brings its plugin where it is on hand, and nothing else does', (option, name) => {
    const available = [...stock, 'l2-population', 'arp-responder'];
    expect(names(`[agent]\n${option} = True\n`, { available })).toContain(name);
    expect(names(`[agent]\n${option} = False\n`, { available })).not.toContain(name);
    expect(names('[agent]\ntunnel_types = vxlan\n[ovs]\nlocal_ip = 10.0.0.1\n', { available })).not.toContain(name);
  });
});

describe('[agent] extensions', () => {
  test('each without a plugin is refused by name', () => {
    const found = problems('[agent]\nextensions = qos,log\n');
    expect(found.map((problem) => [problem.code, problem.fields.extension])).toEqual([
      ['PB-INI-EXTENSION-MISSING', 'qos'],
      ['PB-INI-EXTENSION-MISSING', 'log'],
    ]);
  });

  test('selects plugins of that name and reports them, not those that are missing', () => {
    const text = '[agent]\nextensions = qos, metadata_path\n';
    const more = { available: [...stock, 'metadata-path'], acceptMissing: ['qos'] };
    expect(names(text, more)).toContain('metadata-path');
    expect(options(text, 'heartbeat', more)).toEqual({ extensions: ['metadata_path'] });
  });

  test('does not name a plugin that is no extension', () => {
    expect(problems('[agent]\nextensions = tunnels\n')).toHaveLength(1);
  });

  test("an extension's own section reaches its plugin", () => {
    const more = { available: [...stock, 'dhcp'] };
    const text = '[DEFAULT]\ndns_domain = example.org\n[agent]\nextensions = dhcp\n[dhcp]\nenable_ipv6 = no\n';
    expect(options(text, 'dhcp', more)).toEqual({ dns_domain: 'example.org', enable_ipv6: false });
  });
});

describe('values that cannot go together', () => {
  test.each([
    ['[ovs]\nbridge_mappings = a:br1,b:br1\n', 'mapped from both "a" and "b"'],
    ['[ovs]\nbridge_mappings = a:br1,a:br2\n', '"a" is mapped twice'],
    ['[ovs]\nbridge_mappings = br-ex\n', 'write physical_network:bridge'],
    ['[ovs]\nbridge_mappings = a:a-name-too-long-for-it\n', 'at most 15 characters'],
    ['[agent]\ntunnel_types = vxlan\n', 'need [ovs] local_ip'],
    ['[ovs]\nlocal_ip = 192.0.2.1\n[agent]\ntunnel_types = vxlan,stt\n', '"stt" is no tunnel type'],
    ['[ovs]\nresource_provider_bandwidths = br-ex:1:1\n', '"br-ex" is no bridge of bridge_mappings'],
    [
      '[ovs]\nresource_provider_packet_processing_with_direction = :1:1\nresource_provider_packet_processing_without_direction = :1\n',
      'set one of the two',
    ],
    ['[DEFAULT]\ntransport_url = amqp://u:p@h\n', 'other transports are not spoken'],
  ])('%j is refused: %s', (text, message) => {
    expect(problems(text).map((problem) => problem.code)).toEqual(['PB-INI-INCONSISTENT']);
    expect(problems(text)[0]?.message).toContain(message);
  });

  test('bandwidth of the tunnelled networks needs no bridge', () => {
    expect(problems('[ovs]\nresource_provider_bandwidths = rp_tunnelled:1:1\n')).toEqual([]);
  });
});

describe('a value that is wrong', () => {
  test('of a setting is refused too', () => {
    const [problem] = problems('[ovs]\novsdb_connection = localhost\n');
    expect(problem?.message).toMatch(/:2: \[ovs\] ovsdb_connection: is no target/);
  });

  test('is refused with option, section and line', () => {
    const [problem] = problems('[ovs]\nlocal_ip = eth0\n');
    expect(problem?.code).toBe('PB-INI-VALUE');
    expect(problem?.message).toMatch(/\.ini:2: \[ovs\] local_ip: "eth0" is no IPv4 or IPv6 address/);
  });

  test('of the message layer is refused too', () => {
    expect(problems('[oslo_messaging_rabbit]\nheartbeat_timeout_threshold = often\n')[0]?.code).toBe('PB-INI-VALUE');
  });

  test('does not hide the others: all are told at once', () => {
    const text = '[ovs]\nlocal_ip = eth0\n[agent]\nl2_population = True\n';
    expect(problems(text).map(({ code }) => code)).toEqual(['PB-INI-VALUE', 'PB-INI-OPTION-REFUSED']);
  });
});

test('a file that is not there, and one that is malformed, are refused', () => {
  expect(problems('', { configFiles: [join(folder, 'nowhere.conf')] })[0]?.code).toBe('PB-INI-UNREADABLE');
  expect(problems('[ovs\n')[0]?.code).toBe('PB-INI-SYNTAX');
});

describe('options without a meaning here', () => {
  test('are named in one warning, with their places', () => {
    const { warnings } = read('[ovs]\nof_listen_port = 6634\n[agent]\nroot_helper = sudo\n[dhcp]\nenable_ipv6 = no\n');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /\[ovs\] of_listen_port \(.*:2\), \[agent\] root_helper \(.*:4\), \[dhcp\] enable_ipv6/,
    );
  });
});

describe("plugins' own schemas", () => {
  const schemas = { heartbeat: HeartbeatConfig, tunnels: TunnelsConfig };

  test('refuse an option with the line of the ini', () => {
    const text = '[ovs]\nbridge_mappings = a:br-ex\nresource_provider_bandwidths = br-ex:much:1\n';
    const [problem, ...others] = problems(text, { schemas });
    expect([problem?.code, others]).toEqual(['PB-INI-PLUGIN-OPTION', []]);
    expect(problem?.message).toMatch(/\.ini:3: heartbeat: resource_provider_bandwidths: "br-ex:much:1": a rate/);
  });

  test('do not say again what is said already', () => {
    expect(problems('[ovs]\nlocal_ip = 192.0.2.1\n[agent]\ntunnel_types = stt\n', { schemas })).toHaveLength(1);
  });

  test('show their defaults', () => {
    const shown = showConfiguration(read('[DEFAULT]\n'), schemas);
    expect(shown).toContainEqual({ path: 'plugins.tunnels.vxlan_udp_port', value: 4789, from: 'default' });
  });
});

test('what is refused, what is warned of and what is unknown are told apart', () => {
  const text = '[agent]\nl2_population = True\nroot_helper = sudo\nvxlan_udp_prot = 1\n';
  const { configuration, problems, unknown } = examineIni(input(text));
  expect(problems.map(({ code }) => code)).toEqual(['PB-INI-OPTION-REFUSED']);
  expect([configuration?.warnings.length, unknown.length]).toEqual([1, 1]);
});

describe('options that nobody knows', () => {
  const unknown = (text: string) => examineIni(input(text)).unknown.join('\n');

  test('are named with the likely spelling, or their section', () => {
    expect(unknown('[ovs]\nlocal_ipp = 1\n')).toMatch(/:2: \[ovs\] local_ipp is not known .* did you mean local_ip\?/);
    expect(unknown('[ovs]\ntunnel_types = gre\n')).toContain('it belongs in [agent]');
    expect(unknown('[default]\n')).toContain('[default] is not [DEFAULT]');
  });

  test('are ignored in sections of others, and by their older names known', () => {
    expect(
      unknown('[database]\nconnection = x\n[DEFAULT]\ncore_plugin = ml2\n[ovs]\novs_integration_bridge = b\n'),
    ).toBe('');
  });
});

describe('[patchbay] plugins_file', () => {
  test('adds, configures and removes plugins, relative to the ini', () => {
    file(
      'plugins:\n  - "@vendor/mirror": { to: port1 }\n  - tunnels: { dont_fragment: false }\n  - remove: anti-spoofing\n',
      'p/plugins.yaml',
    );
    const ini = file('[patchbay]\nplugins_file = plugins.yaml\n[agent]\ntunnel_csum = true\n', 'p/agent.ini');
    const { plugins } = read('', { configFiles: [ini] });
    expect(plugins.map((entry) => entry.name)).not.toContain('anti-spoofing');
    expect(plugins.find((entry) => entry.name === 'tunnels')?.options).toEqual({
      tunnel_csum: true,
      dont_fragment: false,
    });
    const mirror = plugins.find((entry) => entry.name === '@vendor/mirror');
    expect(mirror).toMatchObject({ options: { to: 'port1' }, from: `${join(folder, 'p/plugins.yaml')}:2` });
  });

  test.each([
    ['plugins:\n  - remove: nothing\n', 'PB-CONFIGURATION-INVALID', 'nothing is not on the plugin list'],
    ['plugin:\n  - a\n', 'PB-CONFIGURATION-INVALID', 'plugin'],
    ['agent:\n  host: a\n', 'PB-PLUGINS-FILE-INVALID', 'settings.host has no place'],
  ])('that is wrong (%j) is refused with its line', (yaml, code, message) => {
    const list = file(yaml);
    const [problem] = problems(`[patchbay]\nplugins_file = ${list}\n`);
    expect(problem?.code).toBe(code);
    expect(problem?.message).toContain(message);
    expect(problem?.message).toContain(`${list}:`);
  });

  test('that is not there is refused', () => {
    expect(problems('[patchbay]\nplugins_file = nowhere.yaml\n')[0]?.code).toBe('PB-PLUGINS-FILE-INVALID');
  });
});

describe('what is shown', () => {
  test('says where each value comes from, and never a password', () => {
    const configuration = read('[DEFAULT]\ntransport_url = rabbit://u:secret@h:5672,v:other@i:5672/vhost\n');
    const shown = showConfiguration(configuration);
    expect(shown.find((each) => each.path === 'plugins.neutron.transport_url')).toMatchObject({
      value: 'rabbit://u:***@h:5672,v:***@i:5672/vhost',
      from: expect.stringMatching(/\.ini:2$/),
    });
    expect(shown.find((each) => each.path === 'settings.host')?.from).toBe('default');
  });
});
