import { FlowNotationError } from '@patchbay/sdk/flow';
import type { WireWriter } from '../wire/writer';

/** Wire versions (OpenFlow 1.3.5 and 1.4.1, 7.1). */
export const OF13 = 4;
export const OF14 = 5;

/** Message types (ofp_type). */
export const OFPT = {
  HELLO: 0,
  ERROR: 1,
  ECHO_REQUEST: 2,
  ECHO_REPLY: 3,
  EXPERIMENTER: 4,
  FEATURES_REQUEST: 5,
  FEATURES_REPLY: 6,
  SET_CONFIG: 9,
  PACKET_IN: 10,
  FLOW_REMOVED: 11,
  PORT_STATUS: 12,
  PACKET_OUT: 13,
  FLOW_MOD: 14,
  GROUP_MOD: 15,
  MULTIPART_REQUEST: 18,
  MULTIPART_REPLY: 19,
  BARRIER_REQUEST: 20,
  BARRIER_REPLY: 21,
  ROLE_REQUEST: 24,
  ROLE_REPLY: 25,
  GET_ASYNC_REQUEST: 26,
  GET_ASYNC_REPLY: 27,
  SET_ASYNC: 28,
  METER_MOD: 29,
  BUNDLE_CONTROL: 33,
  BUNDLE_ADD_MESSAGE: 34,
} as const;

/** Multipart types (ofp_multipart_type). */
export const OFPMP = {
  DESC: 0,
  FLOW: 1,
  GROUP_DESC: 7,
  METER_CONFIG: 10,
  METER_FEATURES: 11,
  TABLE_FEATURES: 12,
  PORT_DESC: 13,
  FLOW_MONITOR: 16,
  EXPERIMENTER: 0xffff,
} as const;

export const HEADER_LENGTH = 8;
/** The length of a message has 16 bits. */
const LONGEST = 0xffff;

/** Writes a message around what `body` writes. */
export function writeMessage(writer: WireWriter, version: number, type: number, xid: number, body?: () => void): void {
  const start = writer.length;
  writer.u8(version);
  writer.u8(type);
  writer.u16(0);
  writer.u32(xid);
  body?.();
  const length = writer.length - start;
  if (length > LONGEST)
    throw new FlowNotationError('message', `would take ${length} bytes; OpenFlow has room for ${LONGEST}`);
  writer.setU16(start + 2, length);
}
