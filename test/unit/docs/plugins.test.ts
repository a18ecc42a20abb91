import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STOCK } from '@patchbay/plugins';
import { manifestOf } from '@patchbay/sdk';
import type { z } from 'zod';
import { AgentSettingsSchema } from '../../../core/kernel/config/settings';
import { VERSION } from '../../../core/version';
import { ROOT, read } from './pages';

const stock = Object.entries(STOCK);

describe('the stock plugins', () => {
  it.each(stock)('%s has a README that says what it owns, its hooks, its options, and how to replace it', (id) => {
    const path = `plugins/${id}/README.md`;
    expect(existsSync(join(ROOT, path))).toBe(true);
    const text = read(path);
    expect(text).toMatch(new RegExp(`^# ${id}\n`));
    expect(
      ['**On the switch**', '**Hooks**', '**Options**', '**To replace it**'].filter((part) => !text.includes(part)),
    ).toEqual([]);
  });

  it.each(stock)('%s has every option named in its README', (id, plugin) => {
    const schema = manifestOf(plugin)?.config as (z.ZodType & { readonly shape?: object }) | undefined;
    const text = read(`plugins/${id}/README.md`);
    // A family of options is written with its common part: `resource_provider_*`.
    const families = [...text.matchAll(/`(\w+_)\*`/g)].map(([, prefix = '']) => prefix);
    const missing = Object.keys(schema?.shape ?? {}).filter(
      (option) => !text.includes(`\`${option}\``) && !families.some((prefix) => option.startsWith(prefix)),
    );
    expect(missing).toEqual([]);
  });

  it('are all in the table of the README', () => {
    const rows = [...read('README.md').matchAll(/^\| \[([\w-]+)\]\(plugins\//gm)].map(([, id]) => id);
    expect([...rows].sort()).toEqual(stock.map(([id]) => id).sort());
  });
});

describe('the settings of the agent', () => {
  it('are all in the table of the configuration page, and no other', () => {
    const table = /### agent:\n([\s\S]*?)\n## /.exec(read('docs/configuration.md'))?.[1] ?? '';
    const named = table
      .split('\n')
      .map((row) => row.split('|')[1] ?? '')
      .flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(named.sort()).toEqual(Object.keys(AgentSettingsSchema.shape).sort());
  });
});

describe('the version', () => {
  const versionOf = (path: string) => (JSON.parse(read(path)) as { readonly version: string }).version;

  it('of the agent is that of package.json', () => {
    expect(VERSION).toBe(versionOf('package.json'));
    expect(VERSION).toBe(versionOf('core/package.json'));
  });

  it('is the newest of the changelog', () => {
    expect(/^## (\d+\.\d+\.\d+)/m.exec(read('CHANGELOG.md'))?.[1]).toBe(VERSION);
  });
});
