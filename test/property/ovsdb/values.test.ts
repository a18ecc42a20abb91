import fc from 'fast-check';
import { type Atom, parseSchema, sameValue, type Value } from '../../../core/switch/ovsdb';
import { applyDifference, decodeValue, encodeDifference, encodeValue } from '../../../core/switch/ovsdb/codec';
import { JsonStream } from '../../../core/switch/ovsdb/json-stream';
import type { ColumnSchema } from '../../../core/switch/ovsdb/schema';

const COLUMN_TYPES = {
  scalar: { key: 'string' },
  optional: { key: 'integer', min: 0 },
  set: { key: 'integer', min: 0, max: 'unlimited' },
  texts: { key: 'string', min: 0, max: 'unlimited' },
  map: { key: 'string', value: 'string', min: 0, max: 'unlimited' },
  numbered: { key: 'integer', value: 'uuid', min: 0, max: 'unlimited' },
};

const schema = parseSchema({
  name: 'Test',
  tables: { T: { columns: Object.fromEntries(Object.entries(COLUMN_TYPES).map(([name, type]) => [name, { type }])) } },
});

function column(name: string): ColumnSchema {
  const found = schema.tables.get('T')?.columns.get(name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
}

const text = fc.string({ unit: 'binary' }).filter((string) => !string.includes('\u0000'));
const integer = fc.integer({ min: -50, max: 50 });
const sorted = <T extends Atom>(atoms: readonly T[]): Atom[] => [...new Set(atoms)].sort((a, b) => (a < b ? -1 : 1));

const values: { readonly [name: string]: fc.Arbitrary<Value> } = {
  scalar: text,
  optional: fc.option(integer, { nil: undefined }),
  set: fc.array(integer).map(sorted),
  texts: fc.array(text).map(sorted),
  map: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', '__proto__'), text)).map((pairs) => new Map<Atom, Atom>(pairs)),
  numbered: fc.array(fc.tuple(integer, fc.uuid())).map((pairs) => new Map<Atom, Atom>(pairs)),
};

describe.each(Object.keys(values))('a column of the kind %s', (name) => {
  const arbitrary = values[name] ?? fc.constant(undefined);
  const type = column(name);

  it('reads back what was written', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const wire: unknown = JSON.parse(JSON.stringify(encodeValue(type, value)));
        expect(sameValue(decodeValue(type, wire), value)).toBe(true);
      }),
    );
  });

  it('goes from any value to any other by the difference of the two', () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (old, next) => {
        const wire: unknown = JSON.parse(JSON.stringify(encodeDifference(type, old, next)));
        expect(sameValue(applyDifference(type, old, wire), next)).toBe(true);
      }),
    );
  });
});

describe('the stream of JSON messages', () => {
  it('gives the same messages however it is cut', () => {
    const message = fc.oneof(fc.dictionary(text, fc.jsonValue()), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 4 }),
        fc.array(fc.nat({ max: 20 }), { minLength: 1 }),
        (messages, cuts) => {
          const bytes = Buffer.from(messages.map((item) => JSON.stringify(item)).join('\n'));
          const seen: unknown[] = [];
          const stream = new JsonStream((item) => seen.push(item));
          for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
            const length = 1 + (cuts[turn % cuts.length] ?? 0);
            stream.push(bytes.subarray(start, start + length));
            start += length;
          }
          expect(seen).toEqual(messages.map((item) => JSON.parse(JSON.stringify(item))));
        },
      ),
    );
  });
});
