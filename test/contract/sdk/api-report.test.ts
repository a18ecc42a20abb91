import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiReport } from '../../support/api-report';

jest.setTimeout(600_000);

const ROOT = join(__dirname, '../../..');

it.each([
  ['@patchbay/sdk', 'sdk/index.ts', 'sdk/api-report.md'],
  ['@patchbay/testing', 'sdk/testing/index.ts', 'sdk/testing/api-report.md'],
])('the public surface of %s is the one that was agreed', (title, entry, file) => {
  const report = apiReport(title, entry);
  if (process.env.UPDATE_API_REPORT === '1') writeFileSync(join(ROOT, file), report);
  expect(report).toBe(readFileSync(join(ROOT, file), 'utf8'));
});
