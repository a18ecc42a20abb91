import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, writeBlock } from '../../support/guide';
import { Outside, run } from '../../support/outside';

jest.setTimeout(240_000);

const ROOT = join(__dirname, '../../..');
let outside: Outside;

beforeAll(() => {
  outside = Outside.pack();
});

afterAll(() => outside.remove());

it('the first extension of docs/sdk/first-extension.md comes out as the page says, in an empty folder', async () => {
  const empty = join(outside.folder, 'empty');
  mkdirSync(empty);
  const project = join(empty, 'acme-port-guard');
  let printed = '';
  // What is said to be done once, the clone, this repository is; what needs root is test/system's.
  const steps = blocksOf('sdk/first-extension.md').filter(
    ({ notes }) => !notes.includes('once') && !notes.includes('root'),
  );
  for (const block of steps) {
    if (block.language !== 'sh') {
      writeBlock(block, project);
      continue;
    }
    for (const line of block.text.trim().split('\n')) {
      if (line.startsWith('cd ')) continue;
      // Without a registry: the same tarballs, and the repository's own third parties.
      if (line === 'npm install') {
        outside.install(project);
        continue;
      }
      const env = { ...process.env, PATCHBAY: join(ROOT) };
      const words = line.replace('"$PATCHBAY/packages"', `"${outside.packages}"`);
      const { status, output } = await run('bash', ['-ec', words], { cwd: existsSync(project) ? project : empty, env });
      if (status !== 0) throw new Error(`${line}\n${output}`);
      printed += output;
    }
  }
  expect([...printed.matchAll(/^Tests: +(.*) total$/gm)].map(([, counts]) => counts)).toEqual([
    '11 passed, 11',
    '12 passed, 12',
    '12 passed, 12',
  ]);
});
