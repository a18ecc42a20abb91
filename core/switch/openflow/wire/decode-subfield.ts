import { type Subfield, subfieldOf } from '@patchbay/sdk/flow';
import { fieldOfHeader } from './oxm';

/** The subfield that a header, an offset and a width name; undefined for a field that is not in the table. */
export function readSubfield(bytes: Buffer, headerAt: number, offset: number, width: number): Subfield | undefined {
  const field = fieldOfHeader(bytes.readUInt32BE(headerAt));
  return field === undefined ? undefined : subfieldOf(field, offset, width);
}

/** The same, where offset and width share 16 bits: ten of offset, six of width less one (nicira-ext's ofs_nbits). */
export function readPacked(bytes: Buffer, packedAt: number, headerAt: number): Subfield | undefined {
  const packed = bytes.readUInt16BE(packedAt);
  return readSubfield(bytes, headerAt, packed >> 6, (packed & 63) + 1);
}
