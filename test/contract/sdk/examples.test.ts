import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Outside, run } from '../../support/outside';

jest.setTimeout(600_000);

const EXAMPLES = join(__dirname, '../../../sdk/examples');
const names = readdirSync(EXAMPLES).sort();

let outside: Outside;

beforeAll(() => {
  outside = Outside.pack();
  for (const name of names) outside.example(name);
});

afterAll(() => outside.remove());

describe.each(names)('the example %s, outside the repository', (name) => {
  const node = (program: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const cwd = join(outside.folder, name);
    return run(process.execPath, [join(cwd, 'node_modules', program), ...words], {
      cwd,
      env: { ...process.env, ...env },
    });
  };

  it('is built', async () => {
    expect(await node('typescript/bin/tsc', ['-p', '.'])).toEqual({ status: 0, output: '' });
  });

  it.each(['memory', 'ovs'])('passes its tests on the switch %s', async (backend) => {
    const { status, output } = await node('jest/bin/jest.js', [], { PATCHBAY_TEST_SWITCH: backend });
    if (status !== 0) throw new Error(output);
    expect(output).toMatch(/Tests: +\d+ passed/);
  });

  it('passes its tests, the contract among them, in a worker', async () => {
    const { status, output } = await node('jest/bin/jest.js', [], { PATCHBAY_TEST_ISOLATION: 'worker' });
    if (status !== 0) throw new Error(output);
    expect(output).toMatch(/Tests: +\d+ passed/);
  });
});

it('the agent takes the examples from the plugin list by their packages’ names', async () => {
  const operator = join(outside.folder, 'operator');
  mkdirSync(operator);
  const packages = names.map((name) => [`patchbay-example-${name}`, join(outside.folder, name)] as const);
  outside.install(operator, Object.fromEntries(packages));
  // The plan of the kernel is what `patchbay run` does first: every module loaded, every manifest checked, every order computed.
  const script = `
    const { createKernel } = require('@patchbay/agent/testing');
    const { STOCK } = require('@patchbay/plugins');
    const plugins = ${JSON.stringify([
      ['neutron', {}],
      ['integration-bridge', {}],
      ['bridge-mappings', {}],
      ['heartbeat', {}],
      ['patchbay-example-port-mirror', { capture_port: 'capture' }],
      ['patchbay-example-port-rate-limit', { packets_per_second: 1000 }],
      ['patchbay-example-heartbeat-to-file', { file: '/run/heartbeat.json' }],
      [
        'patchbay-example-bonded-bridge-mappings',
        { uplinks: { physnet1: { bridge: 'br-bond', bond: 'bond0', members: ['nic1', 'nic2'] } } },
      ],
    ])}.map(([name, options]) => ({ name, options, from: 'here' }));
    const kernel = createKernel({
      settings: { state_dir: __dirname },
      plugins,
      stock: new Map(Object.entries(STOCK)),
      loggerOf: () => ({}),
      configDir: process.cwd(),
      agentServices: { identity: { version: '0.1.0' } },
    });
    kernel.plan().then(({ plugins, replaced, errors }) => {
      console.log(JSON.stringify({ ids: plugins.map(({ id }) => id).sort(), replaced, errors }));
    });`;
  const { output } = await run(process.execPath, ['-e', script], { cwd: operator });
  expect(JSON.parse(output)).toEqual({
    ids: [
      'acme-bonded-bridge-mappings',
      'acme-heartbeat',
      'acme-port-mirror',
      'acme-port-rate-limit',
      'integration-bridge',
      'neutron',
    ],
    replaced: { 'bridge-mappings': 'acme-bonded-bridge-mappings', heartbeat: 'acme-heartbeat' },
    errors: [],
  });
});
