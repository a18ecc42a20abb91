import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blocksOf, typed } from '../support/guide';

jest.setTimeout(1_200_000);

const ROOT = join(__dirname, '../..');
const GUIDE = 'sdk/first-extension.md';
/** Precedes what each block prints, so that a failure can be told by its block. */
const MARK = '@@ block ';

let folder: string;
let printed: readonly string[];

/** What a newcomer does who types every command of the guide, in its order, into one shell: a fresh clone, npm's registry, root. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-newcomer-'));
  const clone = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', ROOT, clone]);
  const shell = spawn('bash', [], { cwd: clone, env: newcomersEnvironment() });
  const lines: string[] = [];
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk) => lines.push(String(chunk)));
  // Job control and an end at the first failure: what a person at a terminal has.
  const manners = 'set -emo pipefail\n';
  shell.stdin.end(
    blocksOf(GUIDE)
      .map((block, index) => `${manners}echo "${MARK}${index}"\n${typed(block)}`)
      .join(''),
  );
  const status = await new Promise((resolve) => shell.on('close', resolve));
  const output = lines.join('');
  printed = output.split(new RegExp(`^${MARK}\\d+\n`, 'm')).slice(1);
  if (status === 0) return;
  const block = blocksOf(GUIDE)[printed.length - 1];
  const needs = /npm (ci|install)/.test(block?.text ?? '') ? ` This test needs npm's registry (${registry()}).` : '';
  throw new Error(`The guide failed in its block\n${block?.text}\n${printed.at(-1) ?? output}${needs}`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Jest's own variables, and npm's where it runs the tests, are not a newcomer's. */
function newcomersEnvironment(): NodeJS.ProcessEnv {
  const { JEST_WORKER_ID: _worker, NODE_ENV: _environment, PATCHBAY_TEST_SWITCH: _switch, ...others } = process.env;
  return { ...others, TMPDIR: folder };
}

function registry(): string {
  return execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** What the block printed that has these words in it. */
function printedBy(words: string): string {
  const index = blocksOf(GUIDE).findIndex(({ text }) => text.includes(words));
  return printed[index] ?? '';
}

const FLOW = /priority=200,udp,in_port=\S+,tp_dst=19 actions=drop/;

describe('who types docs/sdk/first-extension.md word by word', () => {
  it('sees as many tests pass as the page says', () => {
    expect([...printed.join('').matchAll(/^Tests: +(.*) total$/gm)].map(([, counts]) => counts)).toEqual([
      '11 passed, 11',
      '12 passed, 12',
      '12 passed, 12',
    ]);
  });

  it('ends with the extension’s flows on a real Open vSwitch', () => {
    expect(printedBy('patchbay plugins')).toMatch(/acme-port-guard +running/);
    expect(printedBy('patchbay explain')).toMatch(FLOW);
  });

  it('finds them there when the agent has stopped, and gone when it was started without the extension', () => {
    expect(printedBy('kill %1; wait\novs-ofctl')).toMatch(FLOW);
    expect(printed).toHaveLength(blocksOf(GUIDE).length);
  });
});
