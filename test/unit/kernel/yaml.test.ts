import { defaultSettings } from '../../../core/kernel/config/settings';
import { shownConfiguration } from '../../../core/kernel/config/show';
import { readYaml } from '../../../core/kernel/config/yaml';

const STOCK = { standalone: ['standalone', 'heartbeat'], neutron: ['neutron', 'heartbeat', 'tunnels'] };
const read = (text: string) => readYaml(text, 'patchbay.yaml', STOCK);
const names = (text: string) => read(text).plugins.map(({ name }) => name);

describe('patchbay.yaml', () => {
  it('that is empty is the stock list of standalone with default settings', () => {
    const { settings, plugins } = read('');
    expect(settings).toEqual(defaultSettings());
    expect(plugins).toEqual([
      { name: 'standalone', options: {}, from: 'stock list' },
      { name: 'heartbeat', options: {}, from: 'stock list' },
    ]);
  });

  it('names its control plane, and with it the stock list', () => {
    expect(names('control_plane: neutron')).toEqual(['neutron', 'heartbeat', 'tunnels']);
  });

  it('adds, configures, removes and replaces plugins by name', () => {
    const { plugins } = read(`
control_plane: neutron
plugins:
  - tunnels: { local_ip: 192.0.2.1 }
  - remove: neutron
  - replace: heartbeat
    with: ./own-heartbeat.js
    options: { interval: 5 }
  - name: acme-firewall
    required: true
  - plain
`);
    expect(plugins).toEqual([
      { name: './own-heartbeat.js', options: { interval: 5 }, from: 'patchbay.yaml:6' },
      { name: 'tunnels', options: { local_ip: '192.0.2.1' }, from: 'patchbay.yaml:4' },
      { name: 'acme-firewall', options: {}, required: true, from: 'patchbay.yaml:9' },
      { name: 'plain', options: {}, from: 'patchbay.yaml:11' },
    ]);
  });

  it('says which plugins run in a worker', () => {
    const { plugins } = read('stock: false\nplugins:\n  - { name: acme, isolation: worker }');
    expect(plugins).toEqual([{ name: 'acme', options: {}, isolation: 'worker', from: 'patchbay.yaml:3' }]);
    expect(() => read('plugins:\n  - { name: acme, isolation: process }')).toThrow(/patchbay.yaml:2:/);
  });

  it('says that what ini files accept to be missing is not for it', () => {
    expect(() => read('agent:\n  accept_missing: [qos]')).toThrow(/patchbay.yaml:2:3.*accept_missing is for ini files/);
  });

  it('takes cookies that are somebody else’s', () => {
    expect(read("agent:\n  reserved_cookies: ['0x1a2b']").settings.reserved_cookies).toEqual(['0x1a2b']);
    expect(
      read("agent:\n  reserved_cookies: ['0x5A00000000000000/0xff00000000000000']").settings.reserved_cookies,
    ).toEqual(['0x5A00000000000000/0xff00000000000000']);
  });

  it.each([
    ['mine', /yaml:2:22: agent.reserved_cookies.0: "mine" is no cookie, such as 0x1a2b/],
    ['0x5a/', /"0x5a\/" is no cookie/],
    ['0x5a01/0xff00', /"0x5a01\/0xff00" has bits that its mask leaves out/],
    ['0x5061746300000001', /takes in Patchbay's own cookies/],
    ['0x5000000000000000/0xf000000000000000', /takes in Patchbay's own cookies, .*more of the upper bits/],
    ['0x0/0x0', /takes in Patchbay's own cookies/],
  ])('refuses the reserved cookie %s', (cookie, message) => {
    expect(() => read(`agent:\n  reserved_cookies: ['${cookie}']`)).toThrow(message);
  });

  it('takes places in which somebody else keeps flows, as an object or in one word', () => {
    const text = `
agent:
  reserved_flows:
    - { bridge: tunnel, tables: [4, 20], priorities: [0, 100] }
    - br-own:7
    - integration:94+95:5-5`;
    expect(read(text).settings.reserved_flows).toEqual([
      { bridge: 'tunnel', tables: [4, 20], priorities: [0, 100] },
      { bridge: 'br-own', tables: [7] },
      { bridge: 'integration', tables: [94, 95], priorities: [5, 5] },
    ]);
  });

  it.each([
    [
      '{ bridge: tunel, tables: [4] }',
      /yaml:3:9: agent.reserved_flows.0.bridge: "tunel" is no bridge: did you mean tunnel/,
    ],
    ['{ bridge: Provider, tables: [4] }', /did you mean provider/],
    ['{ bridge: a-name-that-is-too-long, tables: [4] }', /"a-name-that-is-too-long" is no bridge: .* 15 characters/],
    ['{ tables: [4] }', /reserved_flows.0.bridge: is no bridge: write integration, tunnel, provider or a name/],
    ['{ bridge: tunnel }', /reserved_flows.0.tables: is no list of tables, such as \[4, 20\]/],
    ['{ bridge: tunnel, tables: 4 }', /is no list of tables/],
    ['{ bridge: tunnel, tables: [] }', /tables: is empty: name the tables/],
    ['{ bridge: tunnel, tables: [4, 255] }', /yaml:3:37: agent.reserved_flows.0.tables.1: 255 is no table: 0 to 254/],
    ['{ bridge: tunnel, tables: [br-tun] }', /tables.0: br-tun is no table: 0 to 254/],
    [
      '{ bridge: tunnel, tables: [4], priorities: [9] }',
      /priorities: is no pair of the lowest and the highest priority/,
    ],
    ['{ bridge: tunnel, tables: [4], priorities: 9 }', /priorities: is no pair/],
    ['{ bridge: tunnel, tables: [4], priorities: [9, 1] }', /priorities: the lowest comes first/],
    ['{ bridge: tunnel, tables: [4], priorities: [0, 65536] }', /65536 is no priority: 0 to 65535/],
    ['{ bridge: tunnel, table: [4] }', /yaml:3:25: agent.reserved_flows.0.table: unknown; did you mean tables/],
    ['tunnel', /"tunnel" is no place: write bridge:tables/],
    ['"tunnel:4:9"', /"tunnel:4:9" is no place/],
    ['"tunnel:300"', /300 is no table/],
    ['7', /reserved_flows.0: is no place: write \{ bridge/],
  ])('refuses the reserved place %s, saying where and what is likely meant', (place, message) => {
    expect(() => read(`agent:\n  reserved_flows:\n    - ${place}`)).toThrow(message);
  });

  it('may leave the stock list out', () => {
    expect(names('stock: false\nplugins: [heartbeat]')).toEqual(['heartbeat']);
  });

  it('remembers where each value comes from', () => {
    const { provenance } = read(`agent:
  host: compute-1
  logging:
    debug: true
plugins:
  - heartbeat:
      report_interval: 5
`);
    expect(provenance).toEqual({
      'settings.host': 'patchbay.yaml:2',
      'settings.logging.debug': 'patchbay.yaml:4',
      'plugins.heartbeat.report_interval': 'patchbay.yaml:7',
    });
  });

  it.each([
    ['agent: [', 'patchbay.yaml:1:'],
    ['agent:\n  hots: x', 'patchbay.yaml:2:3: unknown option agent.hots; did you mean host?'],
    ['agent:\n  logging: { debg: true }', 'patchbay.yaml:2:14: unknown option agent.logging.debg'],
    ['agent:\n  ovsdb_timeout: soon', 'patchbay.yaml:2:3: agent.ovsdb_timeout: '],
    ['agent:\n  ovsdb_connection: 127.0.0.1', 'is no target: write unix:PATH'],
    ['plugin: []', 'patchbay.yaml:1:1: unknown option plugin; did you mean plugins?'],
    [
      'plugins:\n  - remove: tunels',
      'patchbay.yaml:2:5: tunels is not on the plugin list; on it are standalone, heartbeat',
    ],
    [
      'plugins:\n  - tunnels: {}\n    heartbeat: {}',
      'patchbay.yaml:2:5: one item configures one plugin, and this one names tunnels, heartbeat',
    ],
    ['plugins:\n  - 7', 'patchbay.yaml:2:5: an item of the plugin list is a name'],
    [
      'plugins:\n  - name: a\n    optoins: {}',
      'patchbay.yaml:3:5: unknown option plugins.0.optoins; did you mean options?',
    ],
    ['control_plane: nova', 'patchbay.yaml:1:1: control_plane: '],
    ['agent: x', 'patchbay.yaml:1:1: agent: '],
    ['agent:\n  host: *nobody', 'patchbay.yaml:2:9: Unresolved alias'],
    [
      'agent: &a [x,x,x,x,x,x,x,x,x,x]\nplugins: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nstock: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
      'patchbay.yaml: Excessive alias count',
    ],
    ['agent:\n\thost: x', 'patchbay.yaml:2:1: Tabs are not allowed'],
    ['agent: {}\nagent: {}', 'patchbay.yaml:2:1: Map keys must be unique'],
  ])('%j is refused with its place', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('showing the configuration', () => {
  it('gives each value with its source and no password', () => {
    const configuration = read(
      'agent: { host: c1 }\nplugins:\n  - bus: { transport_url: "rabbit://u:secret@h", password: x }',
    );
    const shown = shownConfiguration(configuration);
    expect(shown).toContainEqual({ path: 'settings.host', value: 'c1', from: 'patchbay.yaml:1' });
    expect(shown).toContainEqual({ path: 'settings.logging.debug', value: false, from: 'default' });
    expect(shown).toContainEqual({
      path: 'plugins.bus.transport_url',
      value: 'rabbit://u:***@h',
      from: 'patchbay.yaml:3',
    });
    expect(shown).toContainEqual({ path: 'plugins.bus.password', value: '***', from: 'patchbay.yaml:3' });
  });
});
