import {
  type OpenVSwitchTables,
  OvsdbSchemaError,
  OvsdbValueError,
  parseSchema,
  type Uuid,
} from '../../../core/switch/ovsdb';
import { openVSwitchSchema } from '../../../core/switch/ovsdb/fake';
import { readTransactionReply, Transaction } from '../../../core/switch/ovsdb/transaction';

const schema = parseSchema(openVSwitchSchema());
const uuid = '12345678-1234-1234-1234-123456789abc' as Uuid;

function encode(build: (t: Transaction<OpenVSwitchTables>) => void): readonly unknown[] {
  const transaction = new Transaction<OpenVSwitchTables>(schema);
  build(transaction);
  return transaction.encoded().operations;
}

describe('building a transaction', () => {
  it('encodes an insert by the schema, and refers to it by name', () => {
    const operations = encode((t) => {
      const port = t.insert('Port', {
        name: 'tap1',
        tag: 5,
        trunks: [1, 2],
        external_ids: { a: 'b' },
        interfaces: [uuid],
      });
      t.addTo('Bridge', uuid, 'ports', [port]);
    });
    expect(operations).toEqual([
      {
        op: 'insert',
        table: 'Port',
        'uuid-name': 'row0_Port',
        row: {
          name: 'tap1',
          tag: ['set', [5]],
          trunks: ['set', [1, 2]],
          external_ids: ['map', [['a', 'b']]],
          interfaces: ['set', [['uuid', uuid]]],
        },
      },
      {
        op: 'mutate',
        table: 'Bridge',
        where: [['_uuid', '==', ['uuid', uuid]]],
        mutations: [['ports', 'insert', ['set', [['named-uuid', 'row0_Port']]]]],
      },
    ]);
  });

  it('empties an optional column with undefined', () => {
    expect(encode((t) => t.update('Port', uuid, { tag: undefined }))).toMatchObject([{ row: { tag: ['set', []] } }]);
  });

  it('replaces the keys of a map that it merges into', () => {
    expect(encode((t) => t.mergeInto('Port', uuid, 'external_ids', { a: 'new' }))).toMatchObject([
      {
        mutations: [
          ['external_ids', 'delete', ['set', ['a']]],
          ['external_ids', 'insert', ['map', [['a', 'new']]]],
        ],
      },
    ]);
  });

  it('makes numbers of the keys of a plain object where the column has numbers', () => {
    expect(encode((t) => t.insert('QoS', { queues: { 7: uuid } }))).toMatchObject([
      { row: { queues: ['map', [[7, ['uuid', uuid]]]] } },
    ]);
  });

  it('selects every row only when told so', () => {
    expect(encode((t) => t.delete('QoS', 'every-row'))).toEqual([{ op: 'delete', table: 'QoS', where: [] }]);
  });

  it.each<[string, (t: Transaction<Record<string, Record<string, unknown>>>) => void, string]>([
    ['a text for a number', (t) => t.insert('Port', { tag: '5' }), 'Port.tag: "5" is no integer'],
    ['a number out of bounds', (t) => t.insert('Port', { tag: 4096 }), 'Port.tag: 4096 is no number in 0..4095'],
    ['a word that is not allowed', (t) => t.insert('Bridge', { fail_mode: 'sure' }), 'one of standalone, secure'],
    ['a name in place of a uuid', (t) => t.insert('Bridge', { ports: ['tap1'] }), 'no uuid or NamedUuid'],
    ['a number beyond what is exact', (t) => t.insert('Port', { bond_updelay: 2 ** 60 }), 'is no integer'],
    ['nothing where there must be something', (t) => t.insert('Port', { interfaces: [] }), '0 elements; it holds 1'],
    ['undefined for a scalar', (t) => t.insert('Port', { name: undefined }), 'Port.name: undefined is no string'],
    ['a text for a map', (t) => t.insert('Port', { external_ids: 'a=b' }), 'is no map of string to string'],
    ['a NUL character', (t) => t.insert('Port', { name: 'a\u0000b' }), 'NUL'],
    ['a merge into a set', (t) => t.mergeInto('Port', uuid, 'trunks', { 1: 2 }), 'Port.trunks'],
    ['a row that is named by its name', (t) => t.delete('Port', 'tap1' as Uuid), 'Port._uuid: "tap1" is no uuid'],
  ])('refuses %s where it is written', (_what, build, message) => {
    const transaction = new Transaction<Record<string, Record<string, unknown>>>(schema);
    expect(() => build(transaction)).toThrow(OvsdbValueError);
    expect(() => build(transaction)).toThrow(message);
  });

  it('refuses tables and columns that the server does not have', () => {
    const transaction = new Transaction<Record<string, Record<string, unknown>>>(schema);
    expect(() => transaction.insert('Prot', {})).toThrow(OvsdbSchemaError);
    expect(() => transaction.insert('Port', { tags: 1 })).toThrow('table Port has no column "tags"');
  });
});

describe('reading the reply to a transaction', () => {
  const transaction = new Transaction<OpenVSwitchTables>(schema);
  const port = transaction.insert('Port', { name: 'tap1', interfaces: [uuid] });
  const update = transaction.update('Port', uuid, { tag: 1 });
  const encoded = transaction.encoded();

  it('finds the uuid of an insert and the count of an update', () => {
    const result = readTransactionReply(encoded, [{ uuid: ['uuid', uuid] }, { count: 3 }]);
    expect([result.uuidOf(port), result.countOf(update)]).toEqual([uuid, 3]);
  });

  it('names the operation that failed, and its table', () => {
    const reply = [{ uuid: ['uuid', uuid] }, { error: 'constraint violation', details: 'too many' }];
    expect(() => readTransactionReply(encoded, reply)).toThrow(
      'OVSDB operation 1 (update of Port) failed: constraint violation: too many',
    );
  });

  it('names the commit where an error follows the last operation', () => {
    const reply = [{}, {}, { error: 'referential integrity violation', details: 'x' }];
    expect(() => readTransactionReply(encoded, reply)).toThrow('OVSDB operation 2 (commit) failed');
  });
});
