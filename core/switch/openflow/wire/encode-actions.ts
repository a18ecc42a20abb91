import {
  type Action,
  FlowNotationError,
  fieldNamed,
  portNumber,
  RESERVED_PORTS,
  type ResolvePort,
  UnresolvedPortError,
  VLAN_PRESENT,
} from '@patchbay/sdk/flow';
import { NXAST, OFPAT, OFPIT, REASON_ACTION } from './action-types';
import {
  beginNicira,
  endAction,
  hexBytes,
  writeCheckLarger,
  writeClone,
  writeConjunction,
  writeController,
  writeCt,
  writeDecTtl,
  writeEmptyNicira,
  writeFinTimeout,
  writeLearn,
  writeLoad,
  writeMove,
  writeNote,
  writeOutputField,
  writeResubmit,
  writeSample,
  writeStack,
} from './encode-nicira';
import { writeField } from './oxm';
import type { WireWriter } from './writer';

const VLAN_VID = fieldNamed('vlan_vid');
/** Ethertype of an 802.1Q tag. */
const TPID = 0x8100;

/** Encodes one list of actions: knows, on the way, whether the packet carries a VLAN tag. */
export class ActionEncoder {
  constructor(
    private readonly writer: WireWriter,
    private readonly resolve: ResolvePort,
    private tagged: boolean,
  ) {}

  private short(type: number, value: number): void {
    const start = this.writer.length;
    this.writer.u16(type);
    this.writer.u16(8);
    this.writer.u16(value);
    this.writer.align8(start);
  }

  private word(type: number, value: number): void {
    this.writer.u16(type);
    this.writer.u16(8);
    this.writer.u32(value);
  }

  private output(port: number, maxLength: number): void {
    const { writer } = this;
    writer.u16(OFPAT.OUTPUT);
    writer.u16(16);
    writer.u32(port);
    writer.u16(maxLength);
    writer.zeros(6);
  }

  private outputSet(names: readonly string[]): void {
    const numbers = names.map((name) => this.resolve(name)).filter((number) => number !== undefined);
    const [first] = names;
    if (numbers.length === 0) {
      if (first === undefined) throw new FlowNotationError('output_set', 'is empty: such a flow is not written at all');
      throw new UnresolvedPortError(first);
    }
    for (const number of [...new Set(numbers)].sort((left, right) => left - right)) this.output(number, 0);
  }

  private setField(action: Extract<Action, { type: 'set_field' }>, resolve: ResolvePort): void {
    const field = fieldNamed(action.field);
    const { writer } = this;
    const { mask } = action;
    const value = typeof action.value === 'object' ? portNumber(action.value, resolve) : action.value;
    if (field === VLAN_VID && mask === undefined) {
      this.setVlan(Number(value));
    } else if (mask === undefined) {
      const start = writer.length;
      writer.u16(OFPAT.SET_FIELD);
      writer.u16(0);
      writeField(writer, { field, value });
      endAction(writer, start);
    } else {
      const start = beginNicira(writer, NXAST.REG_LOAD2);
      writeField(writer, { field, value, mask });
      if (writer.length === start + 10)
        throw new FlowNotationError(action.field, 'set_field with an empty mask sets nothing');
      endAction(writer, start);
    }
  }

  private setVlan(vid: number): void {
    const { writer } = this;
    const start = writer.length;
    writer.u16(OFPAT.SET_FIELD);
    writer.u16(0);
    writeField(writer, { field: VLAN_VID, value: vid | VLAN_PRESENT });
    endAction(writer, start);
  }

  /** What they do to the packet's tag is undone after them. */
  private nested(actions: readonly Action[]): void {
    const encoder = new ActionEncoder(this.writer, this.resolve, this.tagged);
    for (const inner of actions) encoder.write(inner);
  }

  /** Writes one action. Instructions are not actions: `writeInstructions` takes them. */
  write(action: Action): void {
    const { writer, resolve } = this;
    switch (action.type) {
      case 'output': {
        const number = portNumber(action.port, resolve);
        this.output(number, number === RESERVED_PORTS.CONTROLLER ? (action.maxLength ?? 0xffff) : 0);
        return;
      }
      case 'output_set':
        this.outputSet(action.ports);
        return;
      case 'output_field':
        writeOutputField(writer, action.source);
        return;
      case 'controller':
        if (
          action.userdata === undefined &&
          (action.controllerId ?? 0) === 0 &&
          (action.reason ?? REASON_ACTION) === REASON_ACTION
        ) {
          this.output(RESERVED_PORTS.CONTROLLER, action.maxLength);
        } else {
          writeController(writer, action);
        }
        return;
      case 'group':
        this.word(OFPAT.GROUP, action.group);
        return;
      case 'set_queue':
        this.word(OFPAT.SET_QUEUE, action.queue);
        return;
      case 'push_vlan':
        this.short(OFPAT.PUSH_VLAN, action.ethertype);
        this.tagged = true;
        return;
      case 'pop_vlan':
        this.short(OFPAT.POP_VLAN, 0);
        this.tagged = false;
        return;
      case 'mod_vlan_vid':
        if (!this.tagged) this.short(OFPAT.PUSH_VLAN, TPID);
        this.tagged = true;
        this.setVlan(action.vlan);
        return;
      case 'push_mpls':
        this.short(OFPAT.PUSH_MPLS, action.ethertype);
        return;
      case 'pop_mpls':
        this.short(OFPAT.POP_MPLS, action.ethertype);
        return;
      case 'dec_ttl':
        if (action.controllerIds === undefined) this.short(OFPAT.DEC_NW_TTL, 0);
        else writeDecTtl(writer, action.controllerIds);
        return;
      case 'dec_mpls_ttl':
        this.short(OFPAT.DEC_MPLS_TTL, 0);
        return;
      case 'push':
        writeStack(writer, NXAST.STACK_PUSH, action.source);
        return;
      case 'pop':
        writeStack(writer, NXAST.STACK_POP, action.target);
        return;
      case 'check_pkt_larger':
        writeCheckLarger(writer, action);
        return;
      case 'fin_timeout':
        writeFinTimeout(writer, action);
        return;
      case 'clone':
        writeClone(writer, () => this.nested(action.actions));
        return;
      case 'set_field':
        this.setField(action, resolve);
        return;
      case 'load':
        writeLoad(writer, action);
        return;
      case 'move':
        writeMove(writer, action);
        return;
      case 'resubmit':
        writeResubmit(writer, action, resolve);
        return;
      case 'ct':
        writeCt(writer, action, (nested) => this.nested(nested));
        return;
      case 'ct_clear':
        writeEmptyNicira(writer, NXAST.CT_CLEAR);
        return;
      case 'exit':
        writeEmptyNicira(writer, NXAST.EXIT);
        return;
      case 'pop_queue':
        writeEmptyNicira(writer, NXAST.POP_QUEUE);
        return;
      case 'conjunction':
        writeConjunction(writer, action);
        return;
      case 'learn':
        writeLearn(writer, action);
        return;
      case 'note':
        writeNote(writer, action);
        return;
      case 'sample':
        writeSample(writer, action);
        return;
      case 'raw':
        writer.append(hexBytes('raw', action.bytes));
        return;
      default:
        throw new FlowNotationError(action.type, 'is an instruction and stands at the top of a flow only');
    }
  }
}

const INSTRUCTIONS: ReadonlySet<Action['type']> = new Set([
  'meter',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
]);

function writeInstruction(writer: WireWriter, action: Action, resolve: ResolvePort): void {
  const start = writer.length;
  switch (action.type) {
    case 'meter':
      writer.u16(OFPIT.METER);
      writer.u16(8);
      writer.u32(action.meter);
      return;
    case 'clear_actions':
      writer.u16(OFPIT.CLEAR_ACTIONS);
      writer.u16(8);
      writer.zeros(4);
      return;
    case 'write_actions': {
      writer.u16(OFPIT.WRITE_ACTIONS);
      writer.u16(0);
      writer.zeros(4);
      const encoder = new ActionEncoder(writer, resolve, false);
      for (const inner of action.actions) encoder.write(inner);
      writer.setU16(start + 2, writer.length - start);
      return;
    }
    case 'write_metadata':
      writer.u16(OFPIT.WRITE_METADATA);
      writer.u16(24);
      writer.zeros(4);
      writer.u64(action.mask === undefined ? action.value : action.value & action.mask);
      writer.u64(action.mask ?? 0xffff_ffff_ffff_ffffn);
      return;
    case 'goto_table':
      writer.u16(OFPIT.GOTO_TABLE);
      writer.u16(8);
      writer.u8(action.table);
      writer.zeros(3);
      return;
    default:
      return;
  }
}

/**
 * Writes a flow's actions as instructions, in the order of their execution (OpenFlow 1.3.5, 5.9): meter, apply-actions, clear-actions,
 * write-actions, write-metadata, goto-table. No action: no instruction.
 * @throws FlowNotationError, UnresolvedPortError.
 */
export function writeInstructions(
  writer: WireWriter,
  actions: readonly Action[],
  tagged: boolean,
  resolve: ResolvePort,
): void {
  for (const action of actions) if (action.type === 'meter') writeInstruction(writer, action, resolve);
  const start = writer.length;
  let encoder: ActionEncoder | undefined;
  for (const action of actions) {
    if (INSTRUCTIONS.has(action.type)) continue;
    if (encoder === undefined) {
      writer.u16(OFPIT.APPLY_ACTIONS);
      writer.zeros(6);
      encoder = new ActionEncoder(writer, resolve, tagged);
    }
    encoder.write(action);
  }
  if (encoder !== undefined) writer.setU16(start + 2, writer.length - start);
  for (const type of ['clear_actions', 'write_actions', 'write_metadata', 'goto_table'] as const) {
    for (const action of actions) if (action.type === type) writeInstruction(writer, action, resolve);
  }
}
