import { HEADER_LENGTH } from './messages/header';

/** Cuts a stream of bytes into OpenFlow messages by the length in their header. */
export class MessageFramer {
  private rest: Buffer | undefined;

  /** Calls `each` with every message completed by these bytes. @throws RangeError for a length that no message can have. */
  push(chunk: Buffer, each: (message: Buffer) => void): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (at + HEADER_LENGTH <= bytes.length) {
      const length = bytes.readUInt16BE(at + 2);
      if (length < HEADER_LENGTH) throw new RangeError(`an OpenFlow message of ${length} bytes`);
      if (at + length > bytes.length) break;
      each(bytes.subarray(at, at + length));
      at += length;
    }
    this.rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }
}
