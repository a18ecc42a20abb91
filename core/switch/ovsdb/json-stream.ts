import { OvsdbConnectionError } from './errors';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** A full dump of a very large database is tens of megabytes; a message beyond this is a fault, not a reply. */
export const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

/**
 * Cuts a byte stream into JSON messages. JSON-RPC over OVSDB has no framing (RFC 7047 section 4): a message ends where its
 * outermost bracket closes. Works on bytes, so a character split over two chunks is whole again before it is decoded, and
 * each byte is looked at once however many chunks a message takes.
 */
export class JsonStream {
  private readonly earlier: Buffer[] = [];
  private earlierBytes = 0;
  private depth = 0;
  private insideString = false;
  private escaped = false;

  constructor(
    private readonly onMessage: (message: unknown) => void,
    private readonly maxMessageBytes: number = MAX_MESSAGE_BYTES,
  ) {}

  /** @throws OvsdbConnectionError (`protocol`) when the stream is not JSON objects or arrays; it is then unusable. */
  push(chunk: Buffer): void {
    let start = 0;
    let position = 0;
    while (position < chunk.length) {
      if (this.insideString) {
        position = this.skipString(chunk, position);
        continue;
      }
      const byte = chunk[position];
      position += 1;
      if (this.depth === 0 && byte !== OPEN_BRACE && byte !== OPEN_BRACKET) {
        if (byte === undefined || byte > SPACE) {
          throw new OvsdbConnectionError('protocol', 'the peer sent bytes that are no JSON-RPC message');
        }
        start = position;
        continue;
      }
      if (byte === QUOTE) {
        this.insideString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.depth += 1;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.depth -= 1;
        if (this.depth === 0) {
          const message = this.parse(chunk.subarray(start, position));
          start = position;
          this.onMessage(message);
        }
      }
    }
    if (this.depth > 0) this.keep(chunk.subarray(start));
  }

  private skipString(chunk: Buffer, from: number): number {
    let position = from;
    while (position < chunk.length) {
      const byte = chunk[position];
      position += 1;
      if (this.escaped) {
        this.escaped = false;
      } else if (byte === BACKSLASH) {
        this.escaped = true;
      } else if (byte === QUOTE) {
        this.insideString = false;
        return position;
      }
    }
    return position;
  }

  private keep(part: Buffer): void {
    this.earlier.push(part);
    this.earlierBytes += part.length;
    if (this.earlierBytes > this.maxMessageBytes) {
      throw new OvsdbConnectionError('protocol', `the peer sent a message of more than ${this.maxMessageBytes} bytes`);
    }
  }

  private parse(last: Buffer): unknown {
    let whole = last;
    if (this.earlier.length > 0) {
      whole = Buffer.concat([...this.earlier, last]);
      this.earlier.length = 0;
      this.earlierBytes = 0;
    }
    try {
      return JSON.parse(whole.toString('utf8'));
    } catch (cause) {
      throw new OvsdbConnectionError('protocol', 'the peer sent malformed JSON', 'unknown', { cause });
    }
  }
}
