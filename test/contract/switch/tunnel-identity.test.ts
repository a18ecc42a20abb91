import { tunnelIdentity } from '../../../core/switch/planner/tunnel';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';

jest.setTimeout(120_000);

let ovs: PrivateSwitch;

beforeAll(async () => {
  ovs = await startPrivateSwitch({ dummies: 'as typed' });
  await ovs.vsctl('add-br', 'br-one', '--', 'set', 'Bridge', 'br-one', 'datapath_type=dummy');
});

afterAll(() => ovs.stop());

afterEach(() => ovs.vsctl('--if-exists', 'del-port', 'one', '--', '--if-exists', 'del-port', 'two'));

const optionsOf = (words: string): Readonly<Record<string, string>> =>
  Object.fromEntries(`remote_ip=192.0.2.9 ${words}`.split(' ').map((word) => word.split('=')));
/** Answers whether the switch made the tunnel. */
const add = async (name: string, type: string, words: string): Promise<boolean> => {
  const options = Object.entries(optionsOf(words)).map(([key, value]) => `options:${key}="${value}"`);
  await ovs.vsctl('add-port', 'br-one', name, '--', 'set', 'Interface', name, `type=${type}`, ...options);
  return Number((await ovs.vsctl('get', 'Interface', name, 'ofport')).trim()) > 0;
};

describe('tunnels are told apart as Open vSwitch does', () => {
  it.each<[string, string, string, string]>([
    ['gre', 'key', 'key=1', 'key=2'],
    ['gre', 'key of what comes in', 'in_key=1 out_key=3', 'in_key=2 out_key=3'],
    ['gre', 'key of what goes out', 'in_key=1 out_key=3', 'in_key=1 out_key=4'],
    ['gre', 'key and none', 'df_default=false', 'key=0'],
    ['gre', 'key and any', 'key=flow', 'key=2'],
    ['gre', 'key before the general one', 'key=1 in_key=2', 'key=2'],
    ['gre', 'hexadecimal key', 'key=0x10', 'key=16'],
    ['gre', 'octal key', 'key=010', 'key=8'],
    ['gre', 'local address', 'local_ip=192.0.2.1', 'local_ip=192.0.2.2'],
    ['gre', 'remote address', 'remote_ip=192.0.2.8', 'remote_ip=192.0.2.7'],
    ['gre', 'kind of packets', 'key=1', 'key=1 packet_type=legacy_l3'],
    ['gre', 'default kind of packets', 'key=1', 'key=1 packet_type=legacy_l2'],
    ['gre', 'other options', 'df_default=false', 'df_default=true'],
    ['ip6gre', 'spelling of the address', 'remote_ip=2001:db8:0::9', 'remote_ip=2001:DB8::9'],
    ['erspan', 'index', 'erspan_ver=1 erspan_idx=1', 'erspan_ver=1 erspan_idx=2'],
    ['vxlan', 'port', 'key=1', 'dst_port=4790 key=1'],
    ['vxlan', 'default port', 'key=1', 'dst_port=4789 key=1'],
    ['geneve', 'default port', 'key=1', 'dst_port=6081 key=1'],
    ['lisp', 'default port', 'key=1', 'dst_port=4341 key=1'],
    ['lisp', 'kind of packets', 'key=1', 'packet_type=legacy_l2 key=1'],
    ['stt', 'default port', 'key=1', 'dst_port=7471 key=1'],
    ['gtpu', 'default port', 'key=1', 'dst_port=2152 key=1'],
    ['gtpu', 'kind of packets', 'key=1', 'packet_type=legacy_l2 key=1'],
  ])('%s: by the %s', async (type, _what, one, two) => {
    expect(await add('one', type, one)).toBe(true);
    const isOther = tunnelIdentity(type, optionsOf(one)) !== tunnelIdentity(type, optionsOf(two));
    expect(await add('two', type, two)).toBe(isOther);
  });
});
