import fc from 'fast-check';
import {
  convert,
  normalizeSection,
  OsloConfigError,
  OsloReader,
  parseIni,
  substitute,
  ValueMistake,
} from '../../../core/config/oslo';

const scrap = fc.constantFrom(
  '[',
  ']',
  '=',
  ':',
  '#',
  ';',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '"',
  "'",
  '$',
  '${',
  '}',
  '\\',
  ',',
  'a',
  'ovs',
  '1',
  'DEFAULT',
  '﻿',
);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(scrap, { maxLength: 60 }).map((parts) => parts.join('')),
);
const key = fc.stringMatching(/^[a-z][a-z_]{0,8}$/);
const plainValue = fc.stringMatching(/^[a-zA-Z0-9./,:@-]{0,16}$/);

test('any text is either read or refused with a place in it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        const lines = text.split(/\r\n|\r|\n/).length;
        for (const { line } of parseIni(text, 'f').assignments) expect(line).toBeLessThanOrEqual(lines);
      } catch (problem) {
        if (!(problem instanceof OsloConfigError)) throw problem;
        expect(problem.message).toMatch(/^f:\d+: /);
      }
    }),
    { numRuns: 500 },
  );
});

test('what is written is what is read, in order, with its line', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, key, plainValue), { maxLength: 10 }), (rows) => {
      const text = rows.map(([section, name, value]) => `[${section}]\n${name} = ${value}\n`).join('');
      expect(parseIni(text, 'f').assignments).toEqual(
        rows.map(([section, name, value], place) => ({ section, key: name, value, line: 2 * place + 2 })),
      );
    }),
  );
});

test('any text is a value of each type or a mistake that is told', () => {
  const kinds = ['string', 'boolean', 'integer', 'float', 'port', 'ip', 'list', 'dict'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), anyText, (kind, text) => {
      try {
        convert({ kind }, text);
      } catch (problem) {
        expect(problem).toBeInstanceOf(ValueMistake);
      }
    }),
    { numRuns: 500 },
  );
});

test('a list reads back as it is written', () => {
  const item = fc.stringMatching(/^[a-z0-9.:-]{1,8}$/);
  fc.assert(
    fc.property(fc.array(item), (items) => {
      expect(convert({ kind: 'list' }, items.join(' , '))).toEqual(items);
    }),
  );
});

test('text whose dollar signs are all doubled refers to nothing', () => {
  fc.assert(
    fc.property(
      anyText.filter((text) => !text.includes('\\$')),
      (text) => {
        const refuse = (): string => {
          throw new Error('referred to something');
        };
        expect(substitute(text.replaceAll('$', '$$$$'), refuse)).toBe(text);
      },
    ),
  );
});

test('the last file that sets an option decides', () => {
  const options = [{ section: 'ovs', name: 'bridge', type: { kind: 'string' }, default: 'none' }] as const;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('ovs', 'OVS', 'Ovs', 'agent'), plainValue), { maxLength: 6 }),
      (rows) => {
        const files = rows.map(([section, value], place) => parseIni(`[${section}]\nbridge = ${value}\n`, `${place}`));
        const expected = rows.findLast(([section]) => normalizeSection(section) === 'ovs')?.[1] ?? 'none';
        expect(new OsloReader({ files, options }).get('ovs', 'bridge').value).toBe(expected);
      },
    ),
  );
});
