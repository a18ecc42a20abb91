import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type IniOption, iniOptions } from '../../../core/config';
import { convert } from '../../../core/config/oslo';

/** The option table against what the installed reference agent registers (Debian 12: Zed). */

interface Registered {
  readonly section: string;
  readonly name: string;
  readonly type: string;
  readonly default: unknown;
  readonly deprecated: readonly string[];
}

const registered = JSON.parse(
  execFileSync('/usr/bin/python3', [join(__dirname, 'neutron_options.py')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as readonly Registered[];
const find = (option: IniOption) =>
  registered.find(({ section, name }) => section === option.section && name === option.name);

const types: Readonly<Record<IniOption['type']['kind'], readonly string[]>> = {
  string: ['String', 'HostAddress', 'Hostname'],
  boolean: ['Boolean'],
  integer: ['Integer'],
  float: ['Float'],
  port: ['Port'],
  ip: ['IPAddress'],
  list: ['List'],
  dict: ['Dict'],
  multi: ['MultiString'],
};

/** oslo.log's long texts, the host, and what Neutron sets for oslo.messaging in code. */
const otherDefault =
  /^(DEFAULT\.(host|control_exchange|.*format.*|.*_suffix|.*_prefix|default_log_levels)|dns_forwarder\..*)$/;

const both = iniOptions.filter((option) => option.section !== 'oslo_messaging_rabbit' && find(option) !== undefined);

test('types are those of the reference', () => {
  const wrong = both.filter((option) => !types[option.type.kind].includes(find(option)?.type ?? ''));
  expect(wrong.map((option) => `${option.section}.${option.name}: ${find(option)?.type}`)).toEqual([]);
});

test('defaults are those of the reference', () => {
  const different = both.flatMap((option) => {
    const identity = `${option.section}.${option.name}`;
    if (otherDefault.test(identity)) return [];
    const ours = option.default === null ? null : convert(option.type, option.default);
    const theirs = find(option)?.default ?? null;
    return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [[identity, ours, theirs]];
  });
  expect(different).toEqual([]);
});

test('older names of the reference are known', () => {
  const missing = iniOptions.flatMap((option) => {
    const known = (option.deprecated ?? []).map(({ name = option.name }) => name);
    return (find(option)?.deprecated ?? [])
      .filter((name) => name !== option.name && !known.includes(name))
      .map((name) => `${option.section}.${option.name}: ${name}`);
  });
  expect(missing).toEqual(['DEFAULT.global_physnet_mtu: segment_mtu']);
});

test("no option of the agent's own sections is missing from the table", () => {
  const sections = ['ovs', 'agent', 'securitygroup', 'oslo_messaging_rabbit', 'dhcp', 'local_ip', 'fdb', 'network_log'];
  const missing = registered
    .filter(({ section }) => sections.includes(section))
    .filter(({ section, name }) => !iniOptions.some((option) => option.section === section && option.name === name));
  expect(missing.map(({ section, name }) => `${section}.${name}`)).toEqual([]);
});
