import { FIELDS, type Flow, fieldNamed, matchFields, matchHasVlan, type ResolvePort } from '@patchbay/sdk/flow';
import { canonicalInstructions } from './wire/canonical-actions';
import { writeInstructions } from './wire/encode-actions';
import { fieldOfHeader, matchBounds, readFields, type WireField, writeMatchFields } from './wire/oxm';
import { WireWriter } from './wire/writer';

/**
 * A flow in the one form that the switch's rewriting leaves unchanged. Two flows with the same key are the same flow to the switch; with the same body too, they
 * do the same. Strings of bytes (latin-1): compare them, do not read them.
 */
export interface CanonicalFlow {
  /** Bridge, table, priority and match. */
  readonly key: string;
  /** Instructions and timeouts. */
  readonly body: string;
}

const IN_PORT = fieldNamed('in_port_oxm').order;
const NXM_IN_PORT = fieldNamed('in_port').order;
const VLAN_TCI = fieldNamed('vlan_tci').order;
const VLAN_VID = fieldNamed('vlan_vid').order;
const VLAN_PCP = fieldNamed('vlan_pcp').order;
const IP_DSCP = fieldNamed('ip_dscp').order;
const IP_TOS = fieldNamed('nw_tos').order;
const REGISTER = fieldNamed('reg0').order;
const WIDE_REGISTER = fieldNamed('xreg0').order;
const WIDEST_REGISTER = fieldNamed('xxreg0').order;
const PACKET_MARK = fieldNamed('pkt_mark').order;

/** One field of a match in canonical terms; without a mask all bits count. */
export interface MatchEntry {
  readonly order: number;
  readonly value: Buffer;
  readonly mask: Buffer | undefined;
}

function number(bytes: Buffer): number {
  return bytes.readUIntBE(0, bytes.length);
}

function bytesOf(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}

/** Splits xreg and xxreg matches into the registers they overlay, as the switch does. */
function splitRegister(order: number, value: Buffer, mask: Buffer | undefined): MatchEntry[] {
  const wide = order >= WIDEST_REGISTER ? 4 : 2;
  const first = REGISTER + (order - (wide === 4 ? WIDEST_REGISTER : WIDE_REGISTER)) * wide;
  return Array.from({ length: wide }, (_, index) => ({
    order: first + index,
    value: value.subarray(index * 4, index * 4 + 4),
    mask: mask?.subarray(index * 4, index * 4 + 4),
  }));
}

/** A match's fields with the switch's own rewriting done, in order. */
export function matchEntries(found: readonly WireField[]): MatchEntry[] {
  const list: MatchEntry[] = [];
  let tci = 0;
  let tciMask = 0;
  for (const { field, value, mask, header } of found) {
    const order = field?.order ?? FIELDS.length + header;
    if (order === VLAN_VID || order === VLAN_TCI) {
      const bits = mask === undefined ? (order === VLAN_VID ? 0x1fff : 0xffff) : number(mask);
      tci |= number(value) & bits;
      tciMask |= bits;
    } else if (order === VLAN_PCP) {
      tci |= number(value) << 13;
      tciMask |= 0xe000;
    } else if (order === NXM_IN_PORT) {
      const port = number(value);
      list.push({ order: IN_PORT, value: bytesOf(port >= 0xff00 ? port + 0xffff0000 : port, 4), mask: undefined });
    } else if (order === IP_TOS) {
      list.push({ order: IP_DSCP, value: bytesOf(number(value) >> 2, 1), mask: undefined });
    } else if (order >= WIDE_REGISTER && order < PACKET_MARK) {
      list.push(...splitRegister(order, value, mask));
    } else {
      list.push({ order, value, mask });
    }
  }
  if (tciMask !== 0) {
    const untagged = (tciMask & 0x1000) !== 0 && (tci & 0x1fff & tciMask) === 0 && (tciMask & 0x1fff) === 0x1fff;
    const mask = untagged ? 0x1fff : tciMask;
    list.push({ order: VLAN_TCI, value: bytesOf(tci & mask, 2), mask: mask === 0xffff ? undefined : bytesOf(mask, 2) });
  }
  return list.sort((left, right) => left.order - right.order);
}

/** Canonical text of the match whose OXM fields lie between two offsets. */
export function canonicalMatch(bytes: Buffer, from: number, to: number): string {
  return plainMatch(bytes, from, to) ?? rewrittenMatch(bytes, from, to);
}

/** Of a match without fields that the switch rewrites, which is nearly every one, straight from the bytes. Undefined for another. */
function plainMatch(bytes: Buffer, from: number, to: number): string | undefined {
  const orders: number[] = [];
  const texts: string[] = [];
  for (let at = from; at + 4 <= to; ) {
    const header = bytes.readUInt32BE(at);
    const end = at + 4 + (header & 0xff);
    const field = fieldOfHeader(header);
    const masked = (header & 0x100) !== 0;
    if (field === undefined || isRewritten(field.order) || end - at - 4 !== field.bytes * (masked ? 2 : 1)) return;
    const mask = masked ? { bytes, at: at + 4 + field.bytes } : undefined;
    // In place: the switch has an order of its own, and there are few fields.
    let place = orders.length;
    while (place > 0 && (orders[place - 1] ?? 0) > field.order) place -= 1;
    orders.splice(place, 0, field.order);
    texts.splice(place, 0, entryText(field.order, bytes, at + 4, field.bytes, mask));
    at = end;
  }
  return texts.join('');
}

function isRewritten(order: number): boolean {
  switch (order) {
    case VLAN_VID:
    case VLAN_TCI:
    case VLAN_PCP:
    case NXM_IN_PORT:
    case IP_TOS:
      return true;
    default:
      return order >= WIDE_REGISTER && order < PACKET_MARK;
  }
}

function rewrittenMatch(bytes: Buffer, from: number, to: number): string {
  return matchEntries(readFields(bytes, from, to))
    .map(({ order, value, mask }) =>
      entryText(order, value, 0, value.length, mask === undefined ? undefined : { bytes: mask, at: 0 }),
    )
    .join('');
}

/** One field: its order, and its value with its mask. Nothing where the mask leaves nothing to match. */
function entryText(
  order: number,
  bytes: Buffer,
  at: number,
  width: number,
  mask: { readonly bytes: Buffer; readonly at: number } | undefined,
): string {
  const name = String.fromCharCode(order & 0xff, order >> 8);
  if (mask === undefined) return `${name}=${bytesText(bytes, at, width)}`;
  const spare = order === VLAN_TCI ? 0 : width * 8 - (FIELDS[order]?.bits ?? width * 8);
  let zeros = true;
  let ones = true;
  let masked = '';
  for (let index = 0; index < width; index++) {
    const byte = mask.bytes[mask.at + index] ?? 0;
    const unused = Math.min(8, Math.max(0, spare - 8 * index));
    if (byte !== 0xff >> unused) ones = false;
    if (byte !== 0) zeros = false;
    masked += String.fromCharCode((bytes[at + index] ?? 0) & byte);
  }
  if (zeros) return '';
  if (ones) return `${name}=${bytesText(bytes, at, width)}`;
  return `${name}/${masked}${bytesText(mask.bytes, mask.at, width)}`;
}

/** Bytes as a string; without a call out of JavaScript for the widths that most fields have. */
function bytesText(bytes: Buffer, at: number, width: number): string {
  const byte = (index: number): number => bytes[at + index] ?? 0;
  if (width === 4) return String.fromCharCode(byte(0), byte(1), byte(2), byte(3));
  if (width === 2) return String.fromCharCode(byte(0), byte(1));
  if (width === 1) return String.fromCharCode(byte(0));
  return bytes.toString('latin1', at, at + width);
}

export function canonicalKey(bridge: string, table: number, priority: number, match: string): string {
  return `${bridge}/${table}/${priority}/${match}`;
}

/** Canonical body from the instructions between two offsets. */
export function canonicalBody(
  idleTimeout: number,
  hardTimeout: number,
  bytes: Buffer,
  from: number,
  to: number,
): string {
  return `${idleTimeout}/${hardTimeout}/${canonicalInstructions(bytes, from, to)}`;
}

const scratch = new WireWriter(65536);

/**
 * The canonical form of a flow that is wanted; equal to that of the same flow read back from the switch.
 * @throws FlowNotationError for a flow that cannot be encoded; UnresolvedPortError when a port it names is not on the bridge.
 */
export function canonicalFlow(flow: Flow, resolve: ResolvePort): CanonicalFlow {
  scratch.clear();
  const fields = matchFields(flow.match, resolve);
  writeMatchFields(scratch, fields);
  const instructions = scratch.length;
  writeInstructions(scratch, flow.actions, matchHasVlan(fields), resolve);
  const bytes = scratch.view();
  const { from, to } = matchBounds(bytes, 0);
  return {
    key: canonicalKey(flow.bridge, flow.table, flow.priority, canonicalMatch(bytes, from, to)),
    body: canonicalBody(flow.idleTimeout ?? 0, flow.hardTimeout ?? 0, bytes, instructions, bytes.length),
  };
}
