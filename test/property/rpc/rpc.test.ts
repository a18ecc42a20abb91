import fc from 'fast-check';
import { decodeVersionedObject, encodeVersionedObject, parseTransportUrl, redactTransportUrl } from '../../../core/rpc';
import { decodeMessage, encodeReply, encodeRequest } from '../../../core/rpc/envelope';
import { shapes } from '../../../core/rpc/versioned-objects/shapes';

const word = fc.string({ unit: 'grapheme', minLength: 1 });
const endpoint = fc.record({
  username: word,
  password: word,
  host: fc.constantFrom('h', 'a.b', '::1', '10.0.0.1'),
  port: fc.integer({ min: 1, max: 65535 }),
});
const written = (host: string) => (host.includes(':') ? `[${host}]` : host);

describe('transport_url', () => {
  it('with any credentials and virtual host is read back when percent-encoded', () => {
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 4 }), word, (endpoints, virtualHost) => {
        const hosts = endpoints.map(
          ({ username, password, host, port }) =>
            `${encodeURIComponent(username)}:${encodeURIComponent(password)}@${written(host)}:${port}`,
        );
        const text = `rabbit://${hosts.join(',')}/${encodeURIComponent(virtualHost)}`;
        expect(parseTransportUrl(text)).toEqual({ endpoints, virtualHost, query: {} });
      }),
    );
  });

  it('shows no password, whatever the text is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = `rabbit://${before}user:hunter2secret${after}@host/`;
        expect(redactTransportUrl(text)).not.toContain('hunter2secret');
      }),
    );
  });
});

describe('messages', () => {
  const json = fc.jsonValue();

  it('of any arguments are read back', () => {
    fc.assert(
      fc.property(fc.dictionary(word, json), fc.dictionary(word, json), (args, context) => {
        const body = encodeRequest({ method: 'm', args, version: '1.0', namespace: undefined, context });
        expect(decodeMessage(Buffer.from(body))).toMatchObject({
          kind: 'request',
          args: JSON.parse(JSON.stringify(args)),
        });
      }),
    );
  });

  it('of any result are read back', () => {
    fc.assert(
      fc.property(json, (result) => {
        const reply = decodeMessage(Buffer.from(encodeReply('id', { result })));
        expect(reply.kind === 'reply' && reply.result).toEqual(JSON.parse(JSON.stringify(result)));
      }),
    );
  });

  it('of any bytes are either read or refused by field', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          json.map((value) => Buffer.from(JSON.stringify(value))),
        ),
        (bytes) => {
          try {
            decodeMessage(Buffer.from(bytes));
          } catch (reason) {
            expect(reason).toMatchObject({ code: 'envelope-invalid', field: expect.any(String) });
          }
        },
      ),
    );
  });
});

/** Any object of a type that its shape allows, as plain data. */
function plain(type: string, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(shapes[type]?.fields ?? {}).map(
    ([name, { kind, required, type: nested, fallback }]) => {
      const values: Record<string, fc.Arbitrary<unknown>> = {
        string: fc.string(),
        integer: fc.integer(),
        boolean: fc.boolean(),
        strings: fc.array(fc.string(), { maxLength: 2 }),
        jsonText: fc.dictionary(word, fc.integer(), { maxKeys: 2 }),
        objects:
          depth > 1 || nested === undefined ? fc.constant([]) : fc.array(plain(nested, depth + 1), { maxLength: 2 }),
        object: depth > 1 || nested === undefined ? fc.constant(null) : plain(nested, depth + 1),
        any: fc.constant(null),
      };
      const value = values[kind] ?? fc.constant(null);
      return [name, required ? value : fc.oneof(value, fc.constant(fallback))] as const;
    },
  );
  return fc
    .record(Object.fromEntries(fields))
    .map((object) => (type === 'QosBandwidthLimitRule' ? { ...object, rule_type: 'bandwidth_limit' } : object));
}

describe('versioned objects', () => {
  it.each([
    'Port',
    'Network',
    'Subnet',
    'SecurityGroup',
    'AddressGroup',
    'QosPolicy',
    'Trunk',
    'LocalIPAssociation',
  ])('of type %s are read back', (type) => {
    fc.assert(
      fc.property(plain(type), (object) => {
        const primitive = JSON.parse(JSON.stringify(encodeVersionedObject(type, object)));
        expect(decodeVersionedObject(primitive)).toMatchObject({ type, object: JSON.parse(JSON.stringify(object)) });
      }),
      { numRuns: 30 },
    );
  });
});
