import '../../support/no-terminal';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STOCK } from '@patchbay/plugins';
import { CliErrors } from '../../../core/cli/errors';
import { ExitStatus, exitStatusOf } from '../../../core/cli/exit-status';
import type { ProgramParts } from '../../../core/cli/parts';
import { runProgram } from '../../../core/cli/program';
import { KernelError } from '../../../core/kernel/errors';
import { switchErrors } from '../../../core/switch/errors';
import { StandaloneErrors } from '../../../plugins/standalone/errors';

const folder = mkdtempSync(join(tmpdir(), 'patchbay-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command with the given words: what it printed, and its status or error. */
async function patchbay(...words: readonly string[]) {
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const unused = () => {
    throw new Error('no agent is made in these tests');
  };
  const parts: ProgramParts = {
    stock: { plugins: STOCK, lists: { standalone: ['standalone', 'heartbeat'], neutron: ['neutron'] } },
    version: '9.9.9',
    createHost: unused,
    planAlone: unused,
    print,
    complain: print,
  };
  const write = [jest.spyOn(process.stdout, 'write'), jest.spyOn(process.stderr, 'write')].map((spy) =>
    spy.mockImplementation((text) => {
      printed.push(String(text));
      return true;
    }),
  );
  try {
    const outcome = await runProgram(['node', 'patchbay', ...words], parts).then(
      (status) => ({ status }),
      (error: unknown) => ({ error, status: exitStatusOf(error) }),
    );
    return { ...outcome, output: printed.join('\n') };
  } finally {
    for (const spy of write) spy.mockRestore();
  }
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the patchbay command', () => {
  it('prints its version and ends well', async () => {
    expect(await patchbay('--version')).toMatchObject({
      status: ExitStatus.done,
      output: expect.stringContaining('9.9.9'),
    });
  });

  it('names every exit status in its help', async () => {
    const { output, status } = await patchbay('--help');
    expect(status).toBe(ExitStatus.done);
    for (const code of Object.values(ExitStatus)) expect(output).toMatch(new RegExp(`\\b${code} [a-z]`));
  });

  it.each([
    [['frobnicate']],
    [['explain']],
    [['run', '--konfig', 'x']],
  ])('refuses %j as a wrong command line', async (words) => {
    expect((await patchbay(...words)).status).toBe(ExitStatus.usage);
  });

  it('says that a configuration is good, and which plugins it comes to', async () => {
    const path = file('good.yaml', 'plugins: [{ standalone: { networks: {} } }]');
    expect(await patchbay('config', 'check', '--config', path)).toEqual({
      status: ExitStatus.done,
      output: 'good: standalone, heartbeat',
    });
  });

  it('refuses a configuration by file, line and nearest name, with a status that the unit does not restart on', async () => {
    const path = file('bad.yaml', 'agent:\n  hots: demo\n');
    const { status, output } = await patchbay('config', 'check', '--config', path);
    expect(status).toBe(ExitStatus.configuration);
    expect(output).toMatch(/bad\.yaml:2:.*unknown option agent\.hots.*"?host"?/);
  });

  it('refuses an option that no stock plugin has with the nearest that it has', async () => {
    const path = file('near.yaml', 'plugins:\n  - bridge-mappings: { bridge_mapings: { physnet1: br-ex } }\n');
    const { status, output } = await patchbay('config', 'check', '--config', path);
    expect(status).toBe(ExitStatus.configuration);
    expect(output).toMatch(/near\.yaml:2\).*did you mean bridge_mappings\?/);
  });

  it('reads the networks file too, from the folder of the configuration, and tells each mistake by line and field', async () => {
    file(
      'networks.yaml',
      'networks:\n  blue: { type: vxlan, id: 100 }\nports:\n  p1: { network: blue, mac: nonsense }\n',
    );
    const path = file('names-networks.yaml', 'plugins: [{ standalone: { networks: networks.yaml } }]');
    const { status, output } = await patchbay('config', 'check', '--config', path);
    expect(status).toBe(ExitStatus.configuration);
    expect(output).toMatch(/^refused: standalone \(.*names-networks\.yaml:1\): .*networks\.yaml:4: ports\.p1\.mac: /m);
  });

  it('refuses a networks file that is not there', async () => {
    const path = file('names-nothing.yaml', 'plugins: [{ standalone: { networks: elsewhere/networks.yaml } }]');
    const { status, output } = await patchbay('config', 'check', '--config', path);
    expect(status).toBe(ExitStatus.configuration);
    expect(output).toContain(join(folder, 'elsewhere/networks.yaml'));
  });

  it('refuses a plugin that asks for more packets than the configuration allows', async () => {
    const sdk = JSON.stringify(require.resolve('@patchbay/sdk'));
    const manifest =
      "{ id: 'dns', summary: 'Answers', sdk: '^1.0.0', onFailure: 'degrade', packetIns: { perSecond: 1500, burst: 10 } }";
    file('dns.js', `class Dns {}\nrequire(${sdk}).plugin(${manifest})(Dns);\nexports.Dns = Dns;`);
    const list = 'plugins: [{ standalone: { networks: {} } }, ./dns.js]\n';
    const { status, output } = await patchbay('config', 'check', '--config', file('dns.yaml', list));
    expect(status).toBe(ExitStatus.configuration);
    expect(output).toMatch(/^refused: PB-PACKET-INS-REFUSED: dns \(.*dns\.yaml:1\) asks for 1500 packets a second/m);
    const allowed = file('allowed.yaml', `agent: { packet_in_ceiling: 1500 }\n${list}`);
    expect((await patchbay('config', 'check', '--config', allowed)).status).toBe(ExitStatus.done);
  });

  describe('of a plugin of another package', () => {
    const standalone = 'standalone: { networks: {} }';
    /** Checks a list with one more plugin of this manifest, whose constructor asks for the token. */
    const checked = async (name: string, manifest: string, token?: string, more = '') => {
      const sdk = JSON.stringify(require.resolve('@patchbay/sdk'));
      const asks = token === undefined ? '' : `sdk.use(sdk.providedToken('${token}'))(Own, undefined, 0);\n`;
      const whole = `{ id: '${name}', summary: 'Own', sdk: '^1.0.0', onFailure: 'degrade', ${manifest} }`;
      const lines = ['class Own { constructor(one) {} }', `const sdk = require(${sdk});`, asks];
      file(`${name}.js`, `${lines.join('\n')}sdk.plugin(${whole})(Own);\nexports.Own = Own;`);
      const list = `plugins: [{ ${standalone} }, ${more} ./${name}.js]\n`;
      return patchbay('config', 'check', '--config', file(`${name}.yaml`, list));
    };

    it('warns that nobody provides what it requires, and does not count it good', async () => {
      const { status, output } = await checked('lacks', "requires: ['tunnels']", 'identity');
      expect(status).toBe(ExitStatus.done);
      expect(output).toMatch(/^warning: PB-MISSING-REQUIREMENT: lacks requires plugin tunnels.*without it$/m);
      expect(output).toMatch(/^good: standalone, heartbeat$/m);
    });

    it('warns of a token of its constructor that nobody provides', async () => {
      const { status, output } = await checked('asks', '', 'rpc');
      expect(status).toBe(ExitStatus.done);
      expect(output).toMatch(
        /^warning: PB-MISSING-REQUIREMENT: asks requires token rpc.*neutron could; .*without it$/m,
      );
    });

    it('refuses such a token where the agent cannot do without the plugin', async () => {
      const { status, output } = await checked('vital', "onFailure: 'abort'", 'rpc');
      expect(status).toBe(ExitStatus.configuration);
      expect(output).toMatch(/^refused: PB-MISSING-REQUIREMENT: vital requires token rpc/m);
    });

    it('warns of neighbours that nobody is, with the nearest name', async () => {
      const { status, output } = await checked('misspelt', "after: ['local-vlans'], before: ['tunnels']", 'identity');
      expect(status).toBe(ExitStatus.done);
      expect(output).toMatch(/^warning: .*misspelt wants to come after local-vlans, .*did you mean local-vlan\?$/m);
      expect(output).toMatch(/^good: .*misspelt\.js$/m);
      expect(output.match(/warning/g)).toHaveLength(1);
    });

    it('says whom it replaces', async () => {
      const { status, output } = await checked(
        'own',
        "replaces: 'local-vlan'",
        'identity',
        '{ local-vlan: { first: 5 } },',
      );
      expect(status).toBe(ExitStatus.done);
      expect(output).toMatch(
        /^replaced: local-vlan \(.*own\.yaml:1\) is replaced by own; its options have no effect$/m,
      );
      expect(output).toMatch(/^good: standalone, heartbeat, \S*own\.js$/m);
    });
  });

  it('runs nothing on a configuration that cannot be read', async () => {
    const { status, output } = await patchbay('run', '--config', join(folder, 'missing.yaml'));
    expect(status).toBe(ExitStatus.configuration);
    expect(output).toMatch(/PB-CONFIGURATION-INVALID: .*missing\.yaml: cannot be read \(ENOENT\)/);
  });

  it('says that no agent runs where nobody answers on the admin socket', async () => {
    const { status, error } = (await patchbay('status', '--run-dir', folder)) as { status: number; error: Error };
    expect(status).toBe(ExitStatus.notRunning);
    expect(error.message).toContain(`no agent answers on ${join(folder, 'patchbay.sock')}`);
  });
});

describe('exit statuses', () => {
  it('takes a plugin that failed over bad input for a refused configuration', () => {
    const failure = KernelError.pluginFailed({}, StandaloneErrors.badNetworks());
    expect(exitStatusOf(failure)).toBe(ExitStatus.configuration);
  });

  it('leaves an agent that another try may help to the service manager', () => {
    expect(exitStatusOf(switchErrors.unreachable())).toBe(ExitStatus.failed);
    expect(exitStatusOf(CliErrors.alreadyRunning())).toBe(ExitStatus.failed);
    expect(exitStatusOf(new Error('anything'))).toBe(ExitStatus.failed);
  });
});
