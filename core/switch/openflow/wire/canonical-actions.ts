import { fieldNamed } from '@patchbay/sdk/flow';
import { NAT_RANGE, NICIRA, NO_TABLE, NXAST, OFPAT, OFPIT } from './action-types';
import { fieldOfHeader } from './oxm';

const CONTROLLER = 0xfffffffd;
const VLAN_VID = fieldNamed('vlan_vid');
const NW_TTL = fieldNamed('nw_ttl').order;
const MPLS_TTL = fieldNamed('mpls_ttl').order;

/** A field header as the number of its field, so that OXM and NXM headers of one field compare equal. */
function headerText(bytes: Buffer, at: number): string {
  const header = bytes.readUInt32BE(at);
  const field = fieldOfHeader(header);
  return field === undefined ? bytes.toString('latin1', at, at + 4) : `#${field.order}.`;
}

/** A set of some bits of a field, the same for set_field, load and masked set_field: the bits they set and to what. */
function setText(order: number, value: bigint, mask: bigint): string {
  return `S${order},${(value & mask).toString(36)},${mask.toString(36)};`;
}

function hexNumber(bytes: Buffer, from: number, to: number): bigint {
  return to - from <= 6 ? BigInt(bytes.readUIntBE(from, to - from)) : BigInt(`0x${bytes.toString('hex', from, to)}`);
}

/** Numbers of four bytes at most need no bigint; the text is the same. */
function setFieldText(bytes: Buffer, at: number): string | undefined {
  const header = bytes.readUInt32BE(at);
  const field = fieldOfHeader(header);
  if (field === undefined) return undefined;
  const masked = (header & 0x100) !== 0;
  const width = (header & 0xff) / (masked ? 2 : 1);
  const value = at + 4;
  if (!masked && width <= 4) {
    const mask = 2 ** field.bits - 1;
    return `S${field.order},${bytes.readUIntBE(value, width).toString(36)},${mask.toString(36)};`;
  }
  const mask = masked ? hexNumber(bytes, value + width, value + 2 * width) : (1n << BigInt(field.bits)) - 1n;
  return setText(field.order, hexNumber(bytes, value, value + width), mask);
}

function loadText(bytes: Buffer, at: number): string | undefined {
  const packed = bytes.readUInt16BE(at + 10);
  const field = fieldOfHeader(bytes.readUInt32BE(at + 12));
  if (field === undefined) return undefined;
  const offset = BigInt(packed >> 6);
  const width = BigInt((packed & 63) + 1);
  const mask = ((1n << width) - 1n) << offset;
  const value = bytes.readBigUInt64BE(at + 16) << offset;
  if (field === VLAN_VID && width === 12n) return setText(field.order, value | 0x1000n, mask | 0x1000n);
  return setText(field.order, value, mask);
}

function learnText(bytes: Buffer, at: number, end: number, subtype: number): string {
  let text = `L${subtype},${bytes.toString('latin1', at + 10, at + 32)}`;
  let spec = at + 32;
  if (subtype === NXAST.LEARN2) {
    const limit = bytes.readUInt32BE(at + 32);
    const result = (bytes.readUInt16BE(at + 24) & 4) !== 0;
    if (result) return bytes.toString('latin1', at, end);
    if (limit === 0) text = `L${NXAST.LEARN},${bytes.toString('latin1', at + 10, at + 32)}`;
    else text += `${limit},`;
    spec = at + 40;
  }
  while (spec + 2 <= end) {
    const head = bytes.readUInt16BE(spec);
    if (head === 0) break;
    const width = head & 0x7ff;
    text += bytes.toString('latin1', spec, spec + 2);
    spec += 2;
    if ((head & 0x2000) !== 0) {
      const length = 2 * Math.ceil(width / 16);
      text += bytes.toString('latin1', spec, spec + length);
      spec += length;
    } else {
      text += headerText(bytes, spec) + bytes.toString('latin1', spec + 4, spec + 6);
      spec += 6;
    }
    if ((head & 0x1800) !== 0x1000) {
      text += headerText(bytes, spec) + bytes.toString('latin1', spec + 4, spec + 6);
      spec += 6;
    }
  }
  return `${text};`;
}

/** An upper bound equal to the lower one says nothing, and the switch may leave it off or put it in. */
function natText(bytes: Buffer, at: number): string {
  const flags = bytes.readUInt16BE(at + 12);
  const present = bytes.readUInt16BE(at + 14);
  let position = at + 16;
  let text = `N${flags},`;
  for (const [minimum, maximum, width] of [
    [NAT_RANGE.IPV4_MIN, NAT_RANGE.IPV4_MAX, 4],
    [NAT_RANGE.IPV6_MIN, NAT_RANGE.IPV6_MAX, 16],
    [NAT_RANGE.PORT_MIN, NAT_RANGE.PORT_MAX, 2],
  ] as const) {
    let low = '';
    let high = '';
    if ((present & minimum) !== 0) {
      low = bytes.toString('latin1', position, position + width);
      position += width;
    }
    if ((present & maximum) !== 0) {
      high = bytes.toString('latin1', position, position + width);
      position += width;
    }
    text += `${low}-${high === low ? '' : high},`;
  }
  return `${text};`;
}

function ctText(bytes: Buffer, at: number, end: number): string {
  const source = bytes.readUInt32BE(at + 12);
  const zone = source === 0 ? '' : headerText(bytes, at + 12);
  return `C${bytes.readUInt16BE(at + 10)},${zone}${bytes.toString('latin1', at + 16, at + 19)}${bytes.toString('latin1', at + 22, at + 24)}(${canonicalActions(bytes, at + 24, end)});`;
}

function niciraText(bytes: Buffer, at: number, end: number): string | undefined {
  const subtype = bytes.readUInt16BE(at + 8);
  switch (subtype) {
    case NXAST.RESUBMIT:
      return `R${NXAST.RESUBMIT_TABLE},${bytes.readUInt16BE(at + 10)},${NO_TABLE};`;
    case NXAST.RESUBMIT_TABLE:
    case NXAST.RESUBMIT_TABLE_CT:
      return `R${subtype},${bytes.readUInt16BE(at + 10)},${bytes[at + 12]};`;
    case NXAST.REG_LOAD:
      return loadText(bytes, at);
    case NXAST.REG_LOAD2:
      return setFieldText(bytes, at + 10);
    case NXAST.REG_MOVE:
      return `M${bytes.toString('latin1', at + 10, at + 16)}${headerText(bytes, at + 16)}${headerText(bytes, at + 20)};`;
    case NXAST.OUTPUT_REG:
      return `O${bytes.readUInt16BE(at + 10)},${headerText(bytes, at + 12)};`;
    case NXAST.OUTPUT_REG2:
      return `O${bytes.readUInt16BE(at + 10)},${headerText(bytes, at + 14)};`;
    case NXAST.LEARN:
    case NXAST.LEARN2:
      return learnText(bytes, at, end, subtype);
    case NXAST.CT:
      return ctText(bytes, at, end);
    case NXAST.NAT:
      return natText(bytes, at);
    case NXAST.STACK_PUSH:
    case NXAST.STACK_POP:
      return `T${subtype},${bytes.readUInt16BE(at + 10)},${headerText(bytes, at + 12)}${bytes.readUInt16BE(at + 16)};`;
    case NXAST.CHECK_PKT_LARGER:
      return `G${bytes.readUInt16BE(at + 10)},${bytes.readUInt16BE(at + 12)},${headerText(bytes, at + 14)};`;
    case NXAST.CLONE:
      return `D(${canonicalActions(bytes, at + 16, end)});`;
    default:
      return undefined;
  }
}

function actionText(bytes: Buffer, at: number, end: number): string | undefined {
  switch (bytes.readUInt16BE(at)) {
    case OFPAT.OUTPUT: {
      const port = bytes.readUInt32BE(at + 4);
      return port === CONTROLLER ? `K${bytes.readUInt16BE(at + 8)};` : `P${port};`;
    }
    case OFPAT.SET_FIELD:
      return setFieldText(bytes, at + 4);
    case OFPAT.SET_NW_TTL:
      return setText(NW_TTL, BigInt(bytes[at + 4] ?? 0), 0xffn);
    case OFPAT.SET_MPLS_TTL:
      return setText(MPLS_TTL, BigInt(bytes[at + 4] ?? 0), 0xffn);
    case OFPAT.EXPERIMENTER:
      return bytes.readUInt32BE(at + 4) === NICIRA ? niciraText(bytes, at, end) : undefined;
    default:
      return undefined;
  }
}

/** Canonical text of an action list: equal for lists that the switch would store alike. A list of conjunctions is a set, so it is sorted. */
export function canonicalActions(bytes: Buffer, from: number, to: number): string {
  const texts: string[] = [];
  let conjunctions = true;
  let at = from;
  while (at + 8 <= to) {
    const end = at + bytes.readUInt16BE(at + 2);
    if (end <= at) break;
    conjunctions &&=
      end - at === 16 &&
      bytes.readUInt16BE(at) === OFPAT.EXPERIMENTER &&
      bytes.readUInt16BE(at + 8) === NXAST.CONJUNCTION;
    texts.push(actionText(bytes, at, end) ?? bytes.toString('latin1', at, end));
    at = end;
  }
  if (conjunctions) texts.sort();
  return texts.join('');
}

/** Canonical text of a list of instructions, whatever their order on the wire. */
export function canonicalInstructions(bytes: Buffer, from: number, to: number): string {
  let meter = '';
  let apply = '';
  let rest = '';
  let goto = '';
  let at = from;
  while (at + 8 <= to) {
    const type = bytes.readUInt16BE(at);
    const end = at + bytes.readUInt16BE(at + 2);
    if (end <= at) break;
    switch (type) {
      case OFPIT.METER:
        meter = `meter${bytes.readUInt32BE(at + 4)};`;
        break;
      case OFPIT.APPLY_ACTIONS:
        apply = canonicalActions(bytes, at + 8, end);
        break;
      case OFPIT.GOTO_TABLE:
        goto = `goto${bytes[at + 4]}`;
        break;
      case OFPIT.WRITE_ACTIONS:
        rest = `${rest}write(${canonicalActions(bytes, at + 8, end)});`;
        break;
      case OFPIT.CLEAR_ACTIONS:
        rest = `clear;${rest}`;
        break;
      default:
        rest += bytes.toString('latin1', at, end);
    }
    at = end;
  }
  return meter + apply + rest + goto;
}
