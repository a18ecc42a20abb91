import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hooksReference } from '../../../core/kernel/hooks/reference';

it('docs/hooks.md has the table that the SDK’s hooks make', () => {
  const page = readFileSync(join(__dirname, '../../../docs/hooks.md'), 'utf8');
  const table = page.split('\n').filter((line) => line.startsWith('|'));
  expect(table.join('\n')).toBe(hooksReference());
});
