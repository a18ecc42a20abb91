import { join } from 'node:path';
import { createProject } from '../../core/cli/create/project';
import { blocksOf } from '../support/guide';
import { Outside, run } from '../support/outside';

jest.setTimeout(240_000);

const ROOT = join(__dirname, '../..');
let outside: Outside;

beforeAll(async () => {
  outside = Outside.pack();
  const { status, output } = await run(join(ROOT, 'test/bed/service'), ['switch'], { cwd: ROOT });
  if (status !== 0) throw new Error(output);
});

afterAll(() => outside.remove());

it('the last step of docs/sdk/first-extension.md ends with the extension’s flows on a real Open vSwitch', async () => {
  const { folder } = createProject({
    name: 'acme-port-guard',
    parent: outside.folder,
    packages: outside.packages,
    stock: [],
  });
  outside.install(folder);
  const steps = blocksOf('sdk/first-extension.md').filter(({ notes }) => notes.includes('root'));
  const script = [
    'npx() { local program=$1; shift; "node_modules/@patchbay/agent/bin/$program" "$@"; }',
    'npm run --silent build',
    ...steps.map(({ text }) => text),
    'kill %1; wait %1 || true',
    'echo "after the stop:"; ovs-ofctl -O OpenFlow13 dump-flows br-int table=60,udp',
  ].join('\n');
  const { output } = await run('timeout', ['150', 'bash', '-c', script], { cwd: folder });
  const [running = '', after = ''] = output.split('after the stop:');
  expect(running).toMatch(/acme-port-guard +running/);
  const flow = /priority=200,udp,in_port=\S+,tp_dst=19 actions=drop/;
  expect(running).toMatch(flow);
  expect(after).toMatch(flow);
});
