import {
  type Action,
  type Field,
  type FieldValue,
  FlowNotationError,
  type LearnSpec,
  type NatSpec,
  parseIpv4,
  parseIpv6,
  portNumber,
  type ResolvePort,
  type Subfield,
  subfieldBits,
  valueBytes,
} from '@patchbay/sdk/flow';
import {
  ALG_PORTS,
  CONTROLLER_PROPERTY,
  CT_FLAG,
  LEARN_FLAG,
  LEARN_SPEC,
  NAT_FLAG,
  NAT_RANGE,
  NICIRA,
  NO_TABLE,
  NXAST,
  OFPAT,
  REASON_ACTION,
} from './action-types';
import { subfieldHeaderOf } from './oxm';
import type { WireWriter } from './writer';

type ActionOf<Type extends Action['type']> = Extract<Action, { readonly type: Type }>;

/** Port number that a Nicira action has only sixteen bits for: reserved ports keep their low half (OpenFlow 1.0's numbers). */
function port16(subject: string, number: number): number {
  if (number < 0xff00 || number >= 0xffffff00) return number & 0xffff;
  throw new FlowNotationError(subject, `port ${number} does not fit in sixteen bits`);
}

/** Starts a Nicira action and returns where it starts. */
export function beginNicira(writer: WireWriter, subtype: number): number {
  const start = writer.length;
  writer.u16(OFPAT.EXPERIMENTER);
  writer.u16(0);
  writer.u32(NICIRA);
  writer.u16(subtype);
  return start;
}

/** Pads an action to eight bytes and writes its length. */
export function endAction(writer: WireWriter, start: number): void {
  writer.align8(start);
  writer.setU16(start + 2, writer.length - start);
}

export function writeEmptyNicira(writer: WireWriter, subtype: number): void {
  const start = beginNicira(writer, subtype);
  writer.zeros(6);
  endAction(writer, start);
}

/** Offset and width packed as Nicira actions have them. */
export function packBits(offset: number, width: number): number {
  return (offset << 6) | (width - 1);
}

/** The value in a 64-bit field of the wire, checked against the subfield's width. */
function loadValue(subject: string, value: FieldValue, width: number): bigint {
  const number = BigInt(value);
  if (number < 0n || number >> BigInt(width) !== 0n)
    throw new FlowNotationError(subject, `${value} does not fit in ${width} bits`);
  return number;
}

/** A value in a field's notation as a number. */
function numberOf(field: Field, value: FieldValue): bigint {
  if (typeof value !== 'string') return BigInt(value);
  return BigInt(`0x${Buffer.from(valueBytes(field, value)).toString('hex')}`);
}

export function writeLoad(writer: WireWriter, action: ActionOf<'load'>): void {
  const { field, offset, width } = subfieldBits(action.target);
  const value = numberOf(field, action.value);
  if (width > 64) throw new FlowNotationError(field.name, 'load takes 64 bits at most; use set_field');
  const start = beginNicira(writer, NXAST.REG_LOAD);
  writer.u16(packBits(offset, width));
  writer.u32(subfieldHeaderOf(field));
  writer.u64(loadValue(field.name, value, width));
  endAction(writer, start);
}

export function writeMove(writer: WireWriter, action: ActionOf<'move'>): void {
  const source = subfieldBits(action.source);
  const target = subfieldBits(action.target);
  if (source.width !== target.width) {
    throw new FlowNotationError(
      'move',
      `${source.width} bits of ${source.field.name} do not fit ${target.width} of ${target.field.name}`,
    );
  }
  const start = beginNicira(writer, NXAST.REG_MOVE);
  writer.u16(source.width);
  writer.u16(source.offset);
  writer.u16(target.offset);
  writer.u32(subfieldHeaderOf(source.field));
  writer.u32(subfieldHeaderOf(target.field));
  endAction(writer, start);
}

/** A stack entry, in 24 bytes: offset, field, width. */
export function writeStack(writer: WireWriter, subtype: number, subfield: Subfield): void {
  const { field, offset, width } = subfieldBits(subfield);
  const start = beginNicira(writer, subtype);
  writer.u16(offset);
  writer.u32(subfieldHeaderOf(field));
  writer.u16(width);
  writer.zeros(6);
  endAction(writer, start);
}

export function writeCheckLarger(writer: WireWriter, action: ActionOf<'check_pkt_larger'>): void {
  const { field, offset, width } = subfieldBits(action.target);
  if (width !== 1) throw new FlowNotationError('check_pkt_larger', `sets one bit; ${field.name} gives ${width}`);
  const start = beginNicira(writer, NXAST.CHECK_PKT_LARGER);
  writer.u16(action.length);
  writer.u16(offset);
  writer.u32(subfieldHeaderOf(field));
  writer.zeros(6);
  endAction(writer, start);
}

export function writeFinTimeout(writer: WireWriter, action: ActionOf<'fin_timeout'>): void {
  const start = beginNicira(writer, NXAST.FIN_TIMEOUT);
  writer.u16(action.idleTimeout ?? 0);
  writer.u16(action.hardTimeout ?? 0);
  endAction(writer, start);
}

export function writeDecTtl(writer: WireWriter, controllerIds: readonly number[]): void {
  if (controllerIds.length === 0) throw new FlowNotationError('dec_ttl', 'names no controller: leave the list out');
  const start = beginNicira(writer, NXAST.DEC_TTL_CNT_IDS);
  writer.u16(controllerIds.length);
  writer.zeros(4);
  for (const id of controllerIds) writer.u16(id);
  endAction(writer, start);
}

export function writeClone(writer: WireWriter, writeNested: () => void): void {
  const start = beginNicira(writer, NXAST.CLONE);
  writer.zeros(6);
  writeNested();
  endAction(writer, start);
}

export function writeOutputField(writer: WireWriter, source: Subfield): void {
  const { field, offset, width } = subfieldBits(source);
  const start = beginNicira(writer, NXAST.OUTPUT_REG);
  writer.u16(packBits(offset, width));
  writer.u32(subfieldHeaderOf(field));
  writer.u16(0xffff);
  writer.zeros(6);
  endAction(writer, start);
}

export function writeResubmit(writer: WireWriter, action: ActionOf<'resubmit'>, resolve: ResolvePort): void {
  const start = beginNicira(writer, action.ct === true ? NXAST.RESUBMIT_TABLE_CT : NXAST.RESUBMIT_TABLE);
  writer.u16(port16('resubmit', portNumber(action.port ?? 'IN_PORT', resolve)));
  writer.u8(action.table ?? NO_TABLE);
  endAction(writer, start);
}

function writeNat(writer: WireWriter, nat: NatSpec): void {
  const start = beginNicira(writer, NXAST.NAT);
  const flags =
    (nat.direction === 'src' ? NAT_FLAG.SRC : 0) |
    (nat.direction === 'dst' ? NAT_FLAG.DST : 0) |
    (nat.persistent === true ? NAT_FLAG.PERSISTENT : 0) |
    (nat.hash === true ? NAT_FLAG.HASH : 0) |
    (nat.random === true ? NAT_FLAG.RANDOM : 0);
  writer.zeros(2);
  writer.u16(flags);
  const ranges = writer.length;
  writer.u16(0);
  let present = 0;
  for (const [text, ipv4, ipv6] of [
    [nat.addressMin, NAT_RANGE.IPV4_MIN, NAT_RANGE.IPV6_MIN],
    [nat.addressMax === nat.addressMin ? undefined : nat.addressMax, NAT_RANGE.IPV4_MAX, NAT_RANGE.IPV6_MAX],
  ] as const) {
    if (text === undefined) continue;
    const bytes = new Uint8Array(text.includes(':') ? 16 : 4);
    if (!(bytes.length === 16 ? parseIpv6(text, bytes, 0) : parseIpv4(text, bytes, 0))) {
      throw new FlowNotationError('nat', `'${text}' is not an address`);
    }
    present |= bytes.length === 16 ? ipv6 : ipv4;
    writer.append(bytes);
  }
  if (nat.portMin !== undefined) {
    present |= NAT_RANGE.PORT_MIN;
    writer.u16(nat.portMin);
    if (nat.portMax !== undefined && nat.portMax !== nat.portMin) {
      present |= NAT_RANGE.PORT_MAX;
      writer.u16(nat.portMax);
    }
  }
  writer.setU16(ranges, present);
  endAction(writer, start);
}

export function writeCt(
  writer: WireWriter,
  action: ActionOf<'ct'>,
  writeNested: (actions: readonly Action[]) => void,
): void {
  const start = beginNicira(writer, NXAST.CT);
  writer.u16((action.commit === true ? CT_FLAG.COMMIT : 0) | (action.force === true ? CT_FLAG.FORCE : 0));
  if (typeof action.zone === 'object') {
    const { field, offset, width } = subfieldBits(action.zone);
    if (width !== 16) throw new FlowNotationError('ct', `a zone is 16 bits; ${field.name} gives ${width}`);
    writer.u32(subfieldHeaderOf(field));
    writer.u16(packBits(offset, width));
  } else {
    writer.u32(0);
    writer.u16(action.zone ?? 0);
  }
  writer.u8(action.table ?? NO_TABLE);
  writer.zeros(3);
  writer.u16(action.alg === undefined ? 0 : ALG_PORTS[action.alg]);
  if (action.nat !== undefined) writeNat(writer, action.nat);
  writeNested(action.exec ?? []);
  endAction(writer, start);
}

function writeLearnSpec(writer: WireWriter, spec: LearnSpec): void {
  if (spec.kind === 'output') {
    const { field, offset, width } = subfieldBits(spec.source);
    writer.u16(LEARN_SPEC.OUTPUT | width);
    writer.u32(subfieldHeaderOf(field));
    writer.u16(offset);
    return;
  }
  const target = subfieldBits(spec.target);
  const kind = spec.kind === 'load' ? LEARN_SPEC.LOAD : 0;
  if ('value' in spec.source) {
    writer.u16(kind | LEARN_SPEC.IMMEDIATE | target.width);
    const bytes = 2 * Math.ceil(target.width / 16);
    const value = loadValue(target.field.name, numberOf(target.field, spec.source.value), target.width);
    writer.append(Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex'));
  } else {
    const source = subfieldBits(spec.source);
    if (source.width !== target.width) {
      throw new FlowNotationError(
        'learn',
        `${source.width} bits of ${source.field.name} do not fit ${target.width} of ${target.field.name}`,
      );
    }
    writer.u16(kind | target.width);
    writer.u32(subfieldHeaderOf(source.field));
    writer.u16(source.offset);
  }
  writer.u32(subfieldHeaderOf(target.field));
  writer.u16(target.offset);
}

/** OpenFlow's default priority (OFP_DEFAULT_PRIORITY), which ovs-ofctl gives a learned flow too. */
const DEFAULT_PRIORITY = 0x8000;

export function writeLearn(writer: WireWriter, action: ActionOf<'learn'>): void {
  const start = beginNicira(writer, action.limit === undefined ? NXAST.LEARN : NXAST.LEARN2);
  writer.u16(action.idleTimeout ?? 0);
  writer.u16(action.hardTimeout ?? 0);
  writer.u16(action.priority ?? DEFAULT_PRIORITY);
  writer.u64(action.cookie ?? 0n);
  writer.u16(
    (action.sendFlowRemoved === true ? LEARN_FLAG.SEND_FLOW_REMOVED : 0) |
      (action.deleteLearned === true ? LEARN_FLAG.DELETE_LEARNED : 0),
  );
  writer.u8(action.table);
  writer.u8(0);
  writer.u16(action.finIdleTimeout ?? 0);
  writer.u16(action.finHardTimeout ?? 0);
  if (action.limit !== undefined) {
    writer.u32(action.limit);
    writer.zeros(4);
  }
  for (const spec of action.specs) writeLearnSpec(writer, spec);
  endAction(writer, start);
}

/** Bytes written as hexadecimal, with or without dots between them. */
export function hexBytes(subject: string, text: string): Buffer {
  const digits = text.replaceAll('.', '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits))
    throw new FlowNotationError(subject, `'${text}' is not pairs of hexadecimal digits`);
  return Buffer.from(digits, 'hex');
}

export function writeNote(writer: WireWriter, action: ActionOf<'note'>): void {
  const start = beginNicira(writer, NXAST.NOTE);
  writer.append(hexBytes('note', action.bytes));
  if (writer.length === start + 10) writer.zeros(6);
  endAction(writer, start);
}

export function writeSample(writer: WireWriter, action: ActionOf<'sample'>): void {
  const start = beginNicira(writer, NXAST.SAMPLE);
  writer.u16(action.probability);
  writer.u32(action.collectorSetId);
  writer.u32(action.obsDomainId);
  writer.u32(action.obsPointId);
  endAction(writer, start);
}

export function writeController(writer: WireWriter, action: ActionOf<'controller'>): void {
  if (action.userdata === undefined) {
    const start = beginNicira(writer, NXAST.CONTROLLER);
    writer.u16(action.maxLength);
    writer.u16(action.controllerId ?? 0);
    writer.u8(action.reason ?? REASON_ACTION);
    endAction(writer, start);
    return;
  }
  const start = beginNicira(writer, NXAST.CONTROLLER2);
  writer.zeros(6);
  const property = (type: number, write: () => void) => {
    const at = writer.length;
    writer.u16(type);
    writer.u16(0);
    write();
    writer.setU16(at + 2, writer.length - at);
    writer.align8(at);
  };
  if (action.maxLength !== 0xffff) property(CONTROLLER_PROPERTY.MAX_LENGTH, () => writer.u16(action.maxLength));
  const { controllerId = 0, reason = REASON_ACTION, userdata } = action;
  if (controllerId !== 0) property(CONTROLLER_PROPERTY.CONTROLLER_ID, () => writer.u16(controllerId));
  if (reason !== REASON_ACTION) property(CONTROLLER_PROPERTY.REASON, () => writer.u8(reason));
  property(CONTROLLER_PROPERTY.USERDATA, () => writer.append(hexBytes('userdata', userdata)));
  endAction(writer, start);
}

export function writeConjunction(writer: WireWriter, action: ActionOf<'conjunction'>): void {
  const start = beginNicira(writer, NXAST.CONJUNCTION);
  writer.u8(action.clause - 1);
  writer.u8(action.clauses);
  writer.u32(action.id);
  endAction(writer, start);
}
