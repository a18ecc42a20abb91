import { OvsdbConnectionError } from '../../../core/switch/ovsdb';
import { JsonStream } from '../../../core/switch/ovsdb/json-stream';

describe('cutting a byte stream into JSON messages', () => {
  function read(chunks: readonly (string | Buffer)[], maxMessageBytes?: number): unknown[] {
    const messages: unknown[] = [];
    const stream = new JsonStream((message) => messages.push(message), maxMessageBytes);
    for (const chunk of chunks) stream.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return messages;
  }

  it('finds several messages in one chunk', () => {
    expect(read(['{"a":1}{"b":[2]} \n [3]'])).toEqual([{ a: 1 }, { b: [2] }, [3]]);
  });

  it('puts a message together that comes byte by byte, its characters split', () => {
    const bytes = Buffer.from('{"name":"Zürich – 東京"}{"next":true}');
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual([{ name: 'Zürich – 東京' }, { next: true }]);
  });

  it('takes brackets, quotes and backslashes inside strings for text', () => {
    const message = { text: '}]{["\\"}\\\\', other: ['\\', '"'] };
    expect(read([JSON.stringify(message), JSON.stringify([message])])).toEqual([message, [message]]);
  });

  it('refuses what is no message', () => {
    expect(() => read(['HTTP/1.1 400 Bad Request'])).toThrow(OvsdbConnectionError);
    expect(() => read(['}'])).toThrow(OvsdbConnectionError);
    expect(() => read(['{"a":}'])).toThrow('malformed JSON');
  });

  it('refuses a message that does not end', () => {
    expect(() => read(['{"a":"', 'x'.repeat(50), 'x'.repeat(60)], 100)).toThrow('more than 100 bytes');
  });
});
