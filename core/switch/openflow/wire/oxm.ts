import { FIELDS, type Field, fieldNamed, type MatchedField, putValue } from '@patchbay/sdk/flow';
import { ONF } from './action-types';
import type { WireWriter } from './writer';

/** OpenFlow 1.3.5, 7.2.2: the match is a list of OXM fields. */
export const OFPMT_OXM = 1;

const byIdentity = new Map<number, Field>();
for (const field of FIELDS) {
  for (const { oxmClass, oxmField } of [field.wire, ...field.otherWire]) {
    byIdentity.set(oxmClass * 128 + oxmField, field);
  }
}

/** The field of an OXM header, or undefined. */
export function fieldOfHeader(header: number): Field | undefined {
  return byIdentity.get(header >>> 9);
}

/** OXM header of a field without mask. */
export function headerOf(field: Field): number {
  return ((field.wire.oxmClass << 16) | (field.wire.oxmField << 9) | field.bytes) >>> 0;
}

const subfieldHeaders = FIELDS.map((field) => {
  const wire = [field.wire, ...field.otherWire].find(({ oxmClass }) => oxmClass <= 1) ?? field.wire;
  return ((wire.oxmClass << 16) | (wire.oxmField << 9) | field.bytes) >>> 0;
});

/** OXM header under which Nicira actions name a field: its NXM identity where it has one. */
export function subfieldHeaderOf(field: Field): number {
  return subfieldHeaders[field.order] ?? headerOf(field);
}

/** Writes one OXM field; a mask of all ones is left off, a mask of all zeros writes nothing. */
export function writeField(writer: WireWriter, { field, value, mask }: MatchedField): void {
  const width = field.bytes;
  const header = headerOf(field);
  writer.u32(header);
  if (mask === undefined) {
    const { buffer, at } = writer.reserve(width);
    putValue(field, value, buffer, at);
    return;
  }
  const { buffer, at } = writer.reserve(2 * width);
  putValue(field, value, buffer, at);
  putValue(field, mask, buffer, at + width);
  const spare = width * 8 - field.bits;
  let ones = true;
  let zeros = true;
  for (let index = 0; index < width; index++) {
    const bits = buffer[at + width + index] ?? 0;
    const unused = Math.min(8, Math.max(0, spare - 8 * index));
    if (bits !== 0xff >> unused) ones = false;
    if (bits !== 0) zeros = false;
    buffer[at + index] = (buffer[at + index] ?? 0) & bits;
  }
  if (zeros) {
    writer.truncate(at - 4);
  } else if (ones) {
    writer.truncate(at + width);
  } else {
    writer.setU32(at - 4, ((header & ~0xff) | 0x100 | (2 * width)) >>> 0);
  }
}

/** Writes an ofp_match with its padding. */
export function writeMatchFields(writer: WireWriter, fields: readonly MatchedField[]): void {
  const start = writer.length;
  writer.u16(OFPMT_OXM);
  writer.u16(0);
  for (const field of fields) writeField(writer, field);
  writer.setU16(start + 2, writer.length - start);
  writer.align8(start);
}

/** One OXM field as found on the wire: where its value and, if it has one, its mask lie. */
export interface WireField {
  readonly header: number;
  readonly field: Field | undefined;
  readonly value: Buffer;
  readonly mask: Buffer | undefined;
}

/** tcp_flags as OpenFlow 1.3's ONF extension (EXT-109), which Open vSwitch speaks on 1.3 and 1.4. */
const ONF_TCP_FLAGS = 42;
const TCP_FLAGS = fieldNamed('tcp_flags');

function onfField(header: number, experimenter: number): Field | undefined {
  return experimenter === ONF && ((header >>> 9) & 0x7f) === ONF_TCP_FLAGS ? TCP_FLAGS : undefined;
}

/** Reads the OXM fields between two offsets. An experimenter's field carries its experimenter in front of the value. */
export function readFields(bytes: Buffer, from: number, to: number): WireField[] {
  const fields: WireField[] = [];
  let at = from;
  while (at + 4 <= to) {
    const header = bytes.readUInt32BE(at);
    const length = header & 0xff;
    const experimenter = header >>> 16 === 0xffff;
    const body = at + 4 + (experimenter ? 4 : 0);
    const end = at + 4 + length;
    const masked = (header & 0x100) !== 0;
    const width = masked ? (end - body) / 2 : end - body;
    const field = experimenter ? onfField(header, bytes.readUInt32BE(at + 4)) : fieldOfHeader(header);
    fields.push({
      header,
      field: field !== undefined && field.bytes === width ? field : undefined,
      value: bytes.subarray(body, body + width),
      mask: masked ? bytes.subarray(body + width, end) : undefined,
    });
    at = end;
  }
  return fields;
}

/** Padded length of the ofp_match at `at`, and the bounds of its fields. */
export function matchBounds(
  bytes: Buffer,
  at: number,
): { readonly from: number; readonly to: number; readonly end: number } {
  const length = bytes.readUInt16BE(at + 2);
  return { from: at + 4, to: at + length, end: at + ((length + 7) & ~7) };
}
