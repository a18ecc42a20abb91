import {
  type Action,
  type FieldValue,
  formatIpv4,
  formatIpv6,
  type LearnSpec,
  type NatSpec,
  type Subfield,
} from '@patchbay/sdk/flow';
import {
  ALG_PORTS,
  CONTROLLER_PROPERTY,
  CT_FLAG,
  LEARN_FLAG,
  LEARN_SPEC,
  NAT_FLAG,
  NAT_RANGE,
  NO_TABLE,
  NXAST,
  REASON_ACTION,
} from './action-types';
import { bytesToNumber } from './decode-match';
import { readPacked, readSubfield } from './decode-subfield';

function decodeNat(bytes: Buffer, at: number): NatSpec {
  const flags = bytes.readUInt16BE(at + 12);
  const present = bytes.readUInt16BE(at + 14);
  let position = at + 16;
  const next = (bit: number, width: number): Buffer | undefined => {
    if ((present & bit) === 0) return undefined;
    position += width;
    return bytes.subarray(position - width, position);
  };
  const ipv4Min = next(NAT_RANGE.IPV4_MIN, 4);
  const ipv4Max = next(NAT_RANGE.IPV4_MAX, 4);
  const ipv6Min = next(NAT_RANGE.IPV6_MIN, 16);
  const ipv6Max = next(NAT_RANGE.IPV6_MAX, 16);
  const portMin = next(NAT_RANGE.PORT_MIN, 2)?.readUInt16BE(0);
  const portMax = next(NAT_RANGE.PORT_MAX, 2)?.readUInt16BE(0);
  const addressMin = ipv4Min === undefined ? ipv6Min && formatIpv6(ipv6Min) : formatIpv4(ipv4Min);
  const addressMax = ipv4Max === undefined ? ipv6Max && formatIpv6(ipv6Max) : formatIpv4(ipv4Max);
  const direction = (flags & NAT_FLAG.SRC) !== 0 ? 'src' : (flags & NAT_FLAG.DST) !== 0 ? 'dst' : undefined;
  return {
    ...(direction === undefined ? {} : { direction }),
    ...(addressMin === undefined ? {} : { addressMin }),
    ...(addressMax === undefined ? {} : { addressMax }),
    ...(portMin === undefined ? {} : { portMin }),
    ...(portMax === undefined ? {} : { portMax }),
    ...((flags & NAT_FLAG.PERSISTENT) === 0 ? {} : { persistent: true }),
    ...((flags & NAT_FLAG.HASH) === 0 ? {} : { hash: true }),
    ...((flags & NAT_FLAG.RANDOM) === 0 ? {} : { random: true }),
  };
}

/** A ct action; undefined when its zone is in a field that is not in the table. `decodeList` reads what is nested in it. */
export function decodeCt(
  bytes: Buffer,
  at: number,
  end: number,
  decodeList: (from: number, to: number) => Action[],
): Action | undefined {
  const flags = bytes.readUInt16BE(at + 10);
  const immediate = bytes.readUInt16BE(at + 16);
  const zone = bytes.readUInt32BE(at + 12) === 0 ? immediate : readPacked(bytes, at + 16, at + 12);
  if (zone === undefined) return undefined;
  const table = bytes[at + 18] ?? NO_TABLE;
  const port = bytes.readUInt16BE(at + 22);
  const alg = port === ALG_PORTS.ftp ? 'ftp' : port === ALG_PORTS.tftp ? 'tftp' : undefined;
  let nested = at + 24;
  let nat: NatSpec | undefined;
  if (nested + 10 <= end && bytes.readUInt16BE(nested) === 0xffff && bytes.readUInt16BE(nested + 8) === NXAST.NAT) {
    nat = decodeNat(bytes, nested);
    nested += bytes.readUInt16BE(nested + 2);
  }
  const exec = decodeList(nested, end);
  return {
    type: 'ct',
    ...((flags & CT_FLAG.COMMIT) === 0 ? {} : { commit: true }),
    ...((flags & CT_FLAG.FORCE) === 0 ? {} : { force: true }),
    ...(zone === 0 ? {} : { zone }),
    ...(table === NO_TABLE ? {} : { table }),
    ...(nat === undefined ? {} : { nat }),
    ...(exec.length === 0 ? {} : { exec }),
    ...(alg === undefined ? {} : { alg }),
  };
}

/** A learn action; undefined when it names a field that is not in the table or stores its result. */
export function decodeLearn(bytes: Buffer, at: number, end: number, second: boolean): Action | undefined {
  const flags = bytes.readUInt16BE(at + 24);
  if ((flags & LEARN_FLAG.WRITE_RESULT) !== 0) return undefined;
  const specs: LearnSpec[] = [];
  let spec = at + (second ? 40 : 32);
  while (spec + 2 <= end) {
    const head = bytes.readUInt16BE(spec);
    if (head === 0) break;
    const width = head & LEARN_SPEC.WIDTH_MASK;
    spec += 2;
    let source: Subfield | { readonly value: FieldValue } | undefined;
    if ((head & LEARN_SPEC.IMMEDIATE) !== 0) {
      const length = 2 * Math.ceil(width / 16);
      source = { value: bytesToNumber(bytes.subarray(spec, spec + length)) };
      spec += length;
    } else {
      source = readSubfield(bytes, spec, bytes.readUInt16BE(spec + 4), width);
      spec += 6;
    }
    const kind = head & LEARN_SPEC.DESTINATION_MASK;
    if (source === undefined) return undefined;
    if (kind === LEARN_SPEC.OUTPUT) {
      if ('value' in source) return undefined;
      specs.push({ kind: 'output', source });
      continue;
    }
    const target = readSubfield(bytes, spec, bytes.readUInt16BE(spec + 4), width);
    spec += 6;
    if (target === undefined) return undefined;
    specs.push({ kind: kind === LEARN_SPEC.LOAD ? 'load' : 'match', target, source });
  }
  const seconds = (offset: number) => bytes.readUInt16BE(at + offset);
  const cookie = bytes.readBigUInt64BE(at + 16);
  return {
    type: 'learn',
    table: bytes[at + 26] ?? 0,
    priority: seconds(14),
    ...(cookie === 0n ? {} : { cookie }),
    ...(seconds(10) === 0 ? {} : { idleTimeout: seconds(10) }),
    ...(seconds(12) === 0 ? {} : { hardTimeout: seconds(12) }),
    ...(seconds(28) === 0 ? {} : { finIdleTimeout: seconds(28) }),
    ...(seconds(30) === 0 ? {} : { finHardTimeout: seconds(30) }),
    specs,
    ...((flags & LEARN_FLAG.SEND_FLOW_REMOVED) === 0 ? {} : { sendFlowRemoved: true }),
    ...((flags & LEARN_FLAG.DELETE_LEARNED) === 0 ? {} : { deleteLearned: true }),
    ...(second ? { limit: bytes.readUInt32BE(at + 32) } : {}),
  };
}

/** A controller action with properties; undefined when it has one that the model has no words for. */
export function decodeController2(bytes: Buffer, at: number, end: number): Action | undefined {
  let maxLength = 0xffff;
  let controllerId = 0;
  let reason: number = REASON_ACTION;
  let userdata = '';
  let property = at + 16;
  while (property + 4 <= end) {
    const length = bytes.readUInt16BE(property + 2);
    if (length < 4) break;
    switch (bytes.readUInt16BE(property)) {
      case CONTROLLER_PROPERTY.MAX_LENGTH:
        maxLength = bytes.readUInt16BE(property + 4);
        break;
      case CONTROLLER_PROPERTY.CONTROLLER_ID:
        controllerId = bytes.readUInt16BE(property + 4);
        break;
      case CONTROLLER_PROPERTY.REASON:
        reason = bytes[property + 4] ?? REASON_ACTION;
        break;
      case CONTROLLER_PROPERTY.USERDATA:
        userdata = bytes.toString('hex', property + 4, property + length);
        break;
      default:
        return undefined;
    }
    property += (length + 7) & ~7;
  }
  return { type: 'controller', maxLength, controllerId, reason, userdata };
}
