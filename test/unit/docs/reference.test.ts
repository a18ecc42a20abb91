import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hooksReference, sdkReference } from '../../support/reference-pages';

const DOCS = join(__dirname, '../../../docs');

/** What stands by hand above it stays. `UPDATE_PAGES=1` writes the rest anew. */
it.each([
  ['hooks.md', '## Families', hooksReference],
  ['sdk/reference.md', '## Manifest and plugin', sdkReference],
])('docs/%s has what the SDK’s sources say', (page, heading, reference) => {
  const file = join(DOCS, page);
  const [byHand = ''] = readFileSync(file, 'utf8').split(`${heading}\n`);
  const whole = `${byHand}${heading}\n\n${reference()}\n`;
  if (process.env.UPDATE_PAGES === '1') writeFileSync(file, whole);
  expect(readFileSync(file, 'utf8')).toBe(whole);
});
