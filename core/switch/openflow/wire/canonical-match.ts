import { FIELDS, fieldNamed } from '@patchbay/sdk/flow';
import { fieldOfHeader, readFields, type WireField } from './oxm';

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

/** Says that an entry is of a field without a name, whose header follows. No named field has this order. */
const UNNAMED = 0xff;
const PLAIN = 0x3d;
const MASKED = 0x2f;

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

/** Whether the switch gives the field back as another one, or together with another one. */
export function isRewritten(order: number): boolean {
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

// Where the fields of the match at hand lie, by ascending order: one match is put at a time, so that nothing is made for each.
const orders: number[] = [];
const headers: number[] = [];

/** Puts the match whose OXM fields lie between two offsets into `out`, in canonical form. Answers where it ends. */
export function putMatch(out: Buffer, start: number, bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at + 4 <= to; ) {
    const header = bytes.readUInt32BE(at);
    const field = fieldOfHeader(header);
    const length = header & 0xff;
    const masked = (header & 0x100) !== 0;
    if (field === undefined || isRewritten(field.order) || length !== field.bytes * (masked ? 2 : 1)) {
      return putRewritten(out, start, bytes, from, to);
    }
    // In place: the switch has an order of its own, and there are few fields.
    let place = count++;
    for (; place > 0 && (orders[place - 1] ?? 0) > field.order; place--) {
      orders[place] = orders[place - 1] ?? 0;
      headers[place] = headers[place - 1] ?? 0;
    }
    orders[place] = field.order;
    headers[place] = at;
    at += 4 + length;
  }
  let end = start;
  for (let index = 0; index < count; index++) {
    const at = headers[index] ?? 0;
    const masked = ((bytes[at + 2] ?? 0) & 1) !== 0;
    const width = (bytes[at + 3] ?? 0) >> (masked ? 1 : 0);
    end = putEntry(out, end, orders[index] ?? 0, bytes, at + 4, width, masked ? bytes : undefined, at + 4 + width);
  }
  return end;
}

function putRewritten(out: Buffer, start: number, bytes: Buffer, from: number, to: number): number {
  let end = start;
  for (const { order, value, mask } of matchEntries(readFields(bytes, from, to))) {
    end = putEntry(out, end, order, value, 0, value.length, mask, 0);
  }
  return end;
}

/** One field: its order, and its value with its mask. Nothing where the mask leaves nothing to match. */
function putEntry(
  out: Buffer,
  start: number,
  order: number,
  value: Buffer,
  at: number,
  width: number,
  mask: Buffer | undefined,
  maskAt: number,
): number {
  let end = start;
  if (order < UNNAMED) out[end++] = order;
  else {
    out[end] = UNNAMED;
    end = out.writeUInt32BE(order >>> 0, end + 1);
  }
  const kind = end++;
  if (mask !== undefined) {
    const spare = order === VLAN_TCI ? 0 : width * 8 - (FIELDS[order]?.bits ?? width * 8);
    let zeros = true;
    let ones = true;
    for (let index = 0; index < width; index++) {
      const byte = mask[maskAt + index] ?? 0;
      const unused = Math.min(8, Math.max(0, spare - 8 * index));
      if (byte !== 0xff >> unused) ones = false;
      if (byte !== 0) zeros = false;
    }
    if (zeros) return start;
    if (!ones) {
      out[kind] = MASKED;
      for (let index = 0; index < width; index++) {
        const byte = mask[maskAt + index] ?? 0;
        out[end + index] = (value[at + index] ?? 0) & byte;
        out[end + width + index] = byte;
      }
      return end + 2 * width;
    }
  }
  out[kind] = PLAIN;
  for (let index = 0; index < width; index++) out[end + index] = value[at + index] ?? 0;
  return end + width;
}
