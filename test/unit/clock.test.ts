import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** Where a time of day is written down for others to read. Whatever measures or waits goes by clocks that do not jump. */
const TELLS_THE_TIME = [
  'core/cli/print/reports.ts',
  'core/kernel/health.ts',
  'core/kernel/hooks/lines.ts',
  'core/kernel/hooks/tap-runner.ts',
  'core/kernel/log/text.ts',
  'core/rpc/context.ts',
  'core/switch/desired-store.ts',
  'core/switch/index.ts',
  'plugins/neutron/control-plane.ts',
  'plugins/port-binding/history.ts',
];

const sources = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'dist' || entry.name === 'node_modules' ? [] : sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });

test('the wall clock, which jumps, is looked at only to tell the time', () => {
  const looking = ['core', 'plugins'].flatMap(sources).filter((file) => {
    return /\bDate\.now\b|\bnew Date\(/.test(readFileSync(join(ROOT, file), 'utf8'));
  });
  expect(looking.sort()).toEqual(TELLS_THE_TIME);
});
