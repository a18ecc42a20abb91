import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPrivateSwitch } from '../../../core/switch/private/private-switch';
import { until } from '../../support/bed-command';

jest.setTimeout(60_000);

/** Processes whose command line has the text in it. */
function running(text: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

it('a switch of a test’s own ends with the process that started it, however that one ends', async () => {
  const built = join(__dirname, '../../../core/dist/switch/private/private-switch.js');
  const script = `require(${JSON.stringify(built)}).startPrivateSwitch().then(({ runDir }) => console.log(runDir)); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const runDir = await new Promise<string>((resolve) =>
    child.stdout.once('data', (text) => resolve(String(text).trim())),
  );
  expect(running(runDir)).toHaveLength(2);
  child.kill('SIGKILL');
  await until(() => running(runDir).length === 0, { what: 'its daemons are gone' });
});

it('a machine without Open vSwitch is told what to install, and nothing is left in its temporary folder', async () => {
  const { PATH, TMPDIR } = process.env;
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bare-'));
  Object.assign(process.env, { PATH: '/nowhere', TMPDIR: folder });
  try {
    await expect(startPrivateSwitch()).rejects.toThrow(/Install openvswitch-switch/);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    process.env.PATH = PATH;
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true });
  }
});
