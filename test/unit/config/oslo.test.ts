import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConfigSource,
  convert,
  findConfigFiles,
  type OptionDeclaration,
  OsloReader,
  parseIni,
  readConfigFiles,
  substitute,
} from '../../../core/config/oslo';

const options: readonly OptionDeclaration[] = [
  { section: 'DEFAULT', name: 'host', type: { kind: 'string' }, default: null },
  { section: 'ovs', name: 'local_ip', type: { kind: 'ip' }, default: null },
  { section: 'ovs', name: 'bridge', type: { kind: 'string' }, default: 'br-int', deprecated: [{ name: 'old_bridge' }] },
];
const reader = (texts: readonly string[], more: object = {}) =>
  new OsloReader({ files: texts.map((text, place) => parseIni(text, `/${place}.ini`)), options, ...more });

describe('an ini file', () => {
  test('knows the line of each value', () => {
    const { value, origin } = reader(['# head\n\n[OVS]\nlocal_ip = 192.0.2.1\n']).get('ovs', 'local_ip');
    expect([value, origin]).toEqual([
      '192.0.2.1',
      { kind: 'file', file: '/0.ini', line: 4, section: 'OVS', key: 'local_ip' },
    ]);
  });

  test('joins continued lines by line feeds, and a comment ends them', () => {
    expect(parseIni('[a]\nk = 1\n  2\n\t3\n# end\n', 'f').assignments).toEqual([
      { section: 'a', key: 'k', value: '1\n2\n3', line: 2 },
    ]);
  });

  test.each([
    ['[ovs\n', 'f:1: a section has to end with "]"'],
    ['[]\n', 'f:1: the section has no name'],
    ['[a]\nlocal_ip\n', 'f:2: no "=" or ":"'],
    ['[a]\n= 1\n', 'f:2: nothing before'],
    ['[a]\n  local_ip = 1\n', 'f:2: the line starts with a blank'],
    ['\nhost = a\n[a]\n', 'f:2: an option stands before the first [section]'],
  ])('that is malformed (%j) is refused with its line', (text, message) => {
    expect(() => parseIni(text, 'f')).toThrow(message);
  });
});

describe('precedence', () => {
  test('a later file outweighs an earlier one, by an older name too', () => {
    expect(reader(['[ovs]\nbridge = a', '[ovs]\nold_bridge = b']).get('ovs', 'bridge').value).toBe('b');
  });

  test('the environment outweighs files, the command line outweighs the environment', () => {
    const environment = { OS_DEFAULT__HOST: 'from-environment' };
    const file = '[DEFAULT]\nhost = from-file';
    expect(reader([file], { environment }).get('DEFAULT', 'host')).toEqual({
      value: 'from-environment',
      origin: { kind: 'environment', variable: 'OS_DEFAULT__HOST' },
    });
    expect(reader([file], { environment, commandLine: { host: 'typed' } }).get('DEFAULT', 'host').value).toBe('typed');
  });

  test('[default] in small letters is not [DEFAULT]', () => {
    expect(reader(['[default]\nhost = a']).get('DEFAULT', 'host').value).toBeNull();
  });
});

describe('substitution', () => {
  test('puts in other values and keeps dollar signs that are escaped', () => {
    expect(substitute('$a-$$b-\\$c-$5', (name) => `<${name}>`)).toBe('<a>-$b-$c-$5');
  });

  test('a reference to what nobody knows is refused, with the place', () => {
    expect(() => reader(['[DEFAULT]\nhost = $nothing']).get('DEFAULT', 'host')).toThrow(
      '/0.ini:2: [DEFAULT] host: there is no option "nothing"',
    );
  });

  test('a circle is refused', () => {
    expect(() => reader(['[DEFAULT]\nhost = $ovs.bridge\n[ovs]\nbridge = $host']).get('DEFAULT', 'host')).toThrow(
      'refers to itself',
    );
  });

  test('a circle through options that nobody declares is refused', () => {
    expect(() => reader(['[DEFAULT]\nhost = $x\nx = $y\ny = $x']).get('DEFAULT', 'host')).toThrow('refers to itself');
  });

  test('an option that only the files know is put in', () => {
    expect(reader(['[DEFAULT]\nsite = north\nhost = a-$site']).get('DEFAULT', 'host').value).toBe('a-north');
  });
});

describe('a value of the wrong type is refused', () => {
  test.each([
    [{ kind: 'boolean' }, 'maybe', 'no boolean'],
    [{ kind: 'integer', min: 0 }, '-1', 'below 0'],
    [{ kind: 'port' }, '65536', 'above 65535'],
    [{ kind: 'ip' }, '192.0.2.1/24', 'prefix length'],
    [{ kind: 'dict' }, 'a', 'has no colon'],
    [{ kind: 'dict' }, 'a:1,a:2', 'given twice'],
    [{ kind: 'string', choices: ['system', 'netdev'] }, 'dpdk', 'none of system, netdev'],
  ] as const)('%j: %s', (type, text, message) => {
    expect(() => convert(type, text)).toThrow(message);
  });
});

describe('the search for files', () => {
  const root = mkdtempSync(join(tmpdir(), 'patchbay-config-'));
  const write = (path: string, text = '[DEFAULT]\n') => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const find = (sources: readonly ConfigSource[]) =>
    findConfigFiles({
      sources,
      project: 'neutron',
      program: 'agent',
      root,
      environment: { HOME: join(root, 'home') },
    }).map((path) => path.slice(root.length + 1));
  beforeAll(() => {
    write('etc/neutron/neutron.conf');
    write('etc/neutron.conf');
    write('home/.neutron/agent.conf');
    write('etc/neutron/agent.conf.d/b.conf');
    write('etc/neutron/agent.conf.d/a.conf');
    write('etc/neutron/agent.conf.d/c.ini');
    write('given/z.conf');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test('without a file or directory takes the first of each name, then the directories', () => {
    expect(find([])).toEqual([
      'etc/neutron/neutron.conf',
      'home/.neutron/agent.conf',
      'etc/neutron/agent.conf.d/a.conf',
      'etc/neutron/agent.conf.d/b.conf',
    ]);
  });

  test('with a file still takes the default directories, before it', () => {
    expect(find([{ kind: 'file', path: join(root, 'x.conf') }])).toEqual([
      'etc/neutron/agent.conf.d/a.conf',
      'etc/neutron/agent.conf.d/b.conf',
      'x.conf',
    ]);
  });

  test('keeps the order of the command line', () => {
    const directory = { kind: 'directory', path: join(root, 'given') } as const;
    const file = { kind: 'file', path: join(root, 'x.conf') } as const;
    expect(find([directory, file])).toEqual(['given/z.conf', 'x.conf']);
    expect(find([file, directory])).toEqual(['x.conf', 'given/z.conf']);
  });

  test('refuses a directory that is not there', () => {
    expect(() => find([{ kind: 'directory', path: join(root, 'nowhere') }])).toThrow('is not there');
  });

  test('refuses a file in the place of a directory', () => {
    writeFileSync(join(root, 'plain'), '');
    expect(() => find([{ kind: 'directory', path: join(root, 'plain') }])).toThrow(
      /configuration directory .* cannot be read \(ENOTDIR\)/,
    );
  });

  test('names every file that cannot be read', () => {
    const paths = [join(root, 'one'), join(root, 'two')];
    expect(() => readConfigFiles(paths)).toThrow(/one.*two/);
  });

  test('refuses what is no UTF-8', () => {
    writeFileSync(join(root, 'latin.conf'), Buffer.from([0x5b, 0xe9, 0x5d]));
    expect(() => readConfigFiles([join(root, 'latin.conf')])).toThrow('is not UTF-8');
  });
});
