import { FlowNotationError, parseIpv4, parseIpv6 } from '@patchbay/sdk/flow';
import { NICIRA } from '../wire/action-types';
import type { WireWriter } from '../wire/writer';

/** One direction of a connection. Addresses in text; both ends are needed before ports or ICMP say anything to the switch. */
export interface ConntrackTuple {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** Connections to forget. Open vSwitch before 3.3 does not know the mark. */
export interface ConntrackFilter {
  readonly zone?: number;
  readonly protocol?: number;
  readonly original?: ConntrackTuple;
  readonly reply?: ConntrackTuple;
  readonly mark?: number;
  readonly markMask?: number;
}

/** Nicira message subtypes. */
const NXT_CT_FLUSH_ZONE = 29;
const NXT_CT_FLUSH = 32;
/** nx_ct_flush_tlv_type and nx_ct_flush_tuple_tlv_type (Open vSwitch's nicira-ext.h). */
const TLV = { ORIGINAL: 0, REPLY: 1, ZONE: 2, MARK: 3, MARK_MASK: 4 } as const;
const TUPLE = { SOURCE: 0, DESTINATION: 1, SOURCE_PORT: 2, DESTINATION_PORT: 3 } as const;

function property(writer: WireWriter, type: number, body: () => void): void {
  const start = writer.length;
  writer.u16(type);
  writer.u16(0);
  body();
  writer.setU16(start + 2, writer.length - start);
  writer.align8(start);
}

/** An address in sixteen bytes; IPv4 as an IPv4-mapped one (RFC 4291, 2.5.5.2). */
function address(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  if (parseIpv6(text, bytes, 0)) return bytes;
  if (!parseIpv4(text, bytes, 12)) throw new FlowNotationError('conntrack', `'${text}' is not an address`);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  return bytes;
}

function tuple(
  writer: WireWriter,
  type: number,
  { source, destination, sourcePort, destinationPort }: ConntrackTuple,
): void {
  property(writer, type, () => {
    writer.zeros(4);
    if (source !== undefined) property(writer, TUPLE.SOURCE, () => writer.append(address(source)));
    if (destination !== undefined) property(writer, TUPLE.DESTINATION, () => writer.append(address(destination)));
    if (sourcePort !== undefined) property(writer, TUPLE.SOURCE_PORT, () => writer.u16(sourcePort));
    if (destinationPort !== undefined) property(writer, TUPLE.DESTINATION_PORT, () => writer.u16(destinationPort));
  });
}

export function writeConntrackZoneFlush(writer: WireWriter, zone: number): void {
  writer.u32(NICIRA);
  writer.u32(NXT_CT_FLUSH_ZONE);
  writer.zeros(6);
  writer.u16(zone);
}

export function writeConntrackFlush(writer: WireWriter, filter: ConntrackFilter): void {
  const { zone, original, reply, mark, markMask } = filter;
  writer.u32(NICIRA);
  writer.u32(NXT_CT_FLUSH);
  writer.u8(filter.protocol ?? 0);
  writer.zeros(7);
  if (original !== undefined) tuple(writer, TLV.ORIGINAL, original);
  if (reply !== undefined) tuple(writer, TLV.REPLY, reply);
  if (zone !== undefined) property(writer, TLV.ZONE, () => writer.u16(zone));
  if (mark !== undefined) property(writer, TLV.MARK, () => writer.u32(mark));
  if (markMask !== undefined) property(writer, TLV.MARK_MASK, () => writer.u32(markMask));
}
