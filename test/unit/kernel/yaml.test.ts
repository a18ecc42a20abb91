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
    expect(() => read('agent:\n  reserved_cookies: [mine]')).toThrow(/is no cookie, such as 0x1a2b/);
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
