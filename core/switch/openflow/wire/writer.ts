/** Appends big-endian numbers to a buffer that grows by doubling. */
export class WireWriter {
  private bytes: Buffer;
  /** Bytes written. */
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  /** Makes room and gives the buffer to write into. */
  private room(count: number): Buffer {
    const needed = this.length + count;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    return this.bytes;
  }

  /** Reserves `count` bytes of whatever was there, and returns the buffer with the offset of the first. */
  reserve(count: number): { readonly buffer: Buffer; readonly at: number } {
    const buffer = this.room(count);
    const at = this.length;
    this.length += count;
    return { buffer, at };
  }

  u8(value: number): void {
    this.room(1)[this.length++] = value;
  }

  u16(value: number): void {
    const buffer = this.room(2);
    buffer[this.length++] = value >>> 8;
    buffer[this.length++] = value;
  }

  u32(value: number): void {
    const buffer = this.room(4);
    buffer[this.length++] = value >>> 24;
    buffer[this.length++] = value >>> 16;
    buffer[this.length++] = value >>> 8;
    buffer[this.length++] = value;
  }

  u64(value: bigint): void {
    this.room(8).writeBigUInt64BE(value, this.length);
    this.length += 8;
  }

  zeros(count: number): void {
    this.room(count).fill(0, this.length, this.length + count);
    this.length += count;
  }

  append(bytes: Uint8Array): void {
    this.room(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Pads with zeros so that the bytes since `start` are a multiple of eight. */
  align8(start: number): void {
    const over = (this.length - start) & 7;
    if (over !== 0) this.zeros(8 - over);
  }

  setU16(at: number, value: number): void {
    this.bytes.writeUInt16BE(value, at);
  }

  setU32(at: number, value: number): void {
    this.bytes.writeUInt32BE(value, at);
  }

  /** Drops what was written after `length`. */
  truncate(length: number): void {
    this.length = length;
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written, without a copy: valid until the next write. */
  view(from = 0): Buffer {
    return this.bytes.subarray(from, this.length);
  }

  /** What was written, in a buffer of its own; the writer starts anew. */
  take(): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 0;
    return taken;
  }
}
