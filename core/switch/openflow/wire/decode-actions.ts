import { type Action, RESERVED_PORTS } from '@patchbay/sdk/flow';
import { NICIRA, NO_TABLE, NXAST, OFPAT, OFPIT } from './action-types';
import { bytesToNumber, decodeValue, type PortNameOf, portRef, widenPort } from './decode-match';
import { decodeController2, decodeCt, decodeLearn } from './decode-nicira';
import { readPacked, readSubfield } from './decode-subfield';
import { fieldOfHeader } from './oxm';

function decodeSetField(bytes: Buffer, at: number): Action | undefined {
  const header = bytes.readUInt32BE(at);
  const field = fieldOfHeader(header);
  if (field === undefined) return undefined;
  const masked = (header & 0x100) !== 0;
  const width = (header & 0xff) / (masked ? 2 : 1);
  const value = decodeValue(field, bytes.subarray(at + 4, at + 4 + width));
  if (!masked) return { type: 'set_field', field: field.name, value };
  return {
    type: 'set_field',
    field: field.name,
    value,
    mask: decodeValue(field, bytes.subarray(at + 4 + width, at + 4 + 2 * width)),
  };
}

function decodeNicira(bytes: Buffer, at: number, end: number, nameOf: PortNameOf): Action | undefined {
  const subtype = bytes.readUInt16BE(at + 8);
  switch (subtype) {
    case NXAST.RESUBMIT:
    case NXAST.RESUBMIT_TABLE:
    case NXAST.RESUBMIT_TABLE_CT: {
      const port = portRef(widenPort(bytes.readUInt16BE(at + 10)), nameOf);
      const table = subtype === NXAST.RESUBMIT ? NO_TABLE : (bytes[at + 12] ?? NO_TABLE);
      return {
        type: 'resubmit',
        ...(port === 'IN_PORT' ? {} : { port }),
        ...(table === NO_TABLE ? {} : { table }),
        ...(subtype === NXAST.RESUBMIT_TABLE_CT ? { ct: true } : {}),
      };
    }
    case NXAST.REG_LOAD: {
      const target = readPacked(bytes, at + 10, at + 12);
      return target === undefined
        ? undefined
        : { type: 'load', value: bytesToNumber(bytes.subarray(at + 16, at + 24)), target };
    }
    case NXAST.REG_LOAD2:
      return decodeSetField(bytes, at + 10);
    case NXAST.REG_MOVE: {
      const width = bytes.readUInt16BE(at + 10);
      const source = readSubfield(bytes, at + 16, bytes.readUInt16BE(at + 12), width);
      const target = readSubfield(bytes, at + 20, bytes.readUInt16BE(at + 14), width);
      return source === undefined || target === undefined ? undefined : { type: 'move', source, target };
    }
    case NXAST.OUTPUT_REG:
    case NXAST.OUTPUT_REG2: {
      const source = readPacked(bytes, at + 10, subtype === NXAST.OUTPUT_REG ? at + 12 : at + 14);
      return source === undefined ? undefined : { type: 'output_field', source };
    }
    case NXAST.STACK_PUSH: {
      const source = readSubfield(bytes, at + 12, bytes.readUInt16BE(at + 10), bytes.readUInt16BE(at + 16));
      return source === undefined ? undefined : { type: 'push', source };
    }
    case NXAST.STACK_POP: {
      const target = readSubfield(bytes, at + 12, bytes.readUInt16BE(at + 10), bytes.readUInt16BE(at + 16));
      return target === undefined ? undefined : { type: 'pop', target };
    }
    case NXAST.CHECK_PKT_LARGER: {
      const target = readSubfield(bytes, at + 14, bytes.readUInt16BE(at + 12), 1);
      return target === undefined
        ? undefined
        : { type: 'check_pkt_larger', length: bytes.readUInt16BE(at + 10), target };
    }
    case NXAST.FIN_TIMEOUT: {
      const [idleTimeout, hardTimeout] = [bytes.readUInt16BE(at + 10), bytes.readUInt16BE(at + 12)];
      return {
        type: 'fin_timeout',
        ...(idleTimeout === 0 ? {} : { idleTimeout }),
        ...(hardTimeout === 0 ? {} : { hardTimeout }),
      };
    }
    case NXAST.DEC_TTL_CNT_IDS: {
      const ids = Array.from({ length: bytes.readUInt16BE(at + 10) }, (_, id) => bytes.readUInt16BE(at + 16 + 2 * id));
      return { type: 'dec_ttl', controllerIds: ids };
    }
    case NXAST.CLONE:
      return { type: 'clone', actions: decodeActions(bytes, at + 16, end, nameOf) };
    case NXAST.CONJUNCTION:
      return {
        type: 'conjunction',
        id: bytes.readUInt32BE(at + 12),
        clause: (bytes[at + 10] ?? 0) + 1,
        clauses: bytes[at + 11] ?? 0,
      };
    case NXAST.CT:
      return decodeCt(bytes, at, end, (from, to) => decodeActions(bytes, from, to, nameOf));
    case NXAST.LEARN:
    case NXAST.LEARN2:
      return decodeLearn(bytes, at, end, subtype === NXAST.LEARN2);
    case NXAST.CT_CLEAR:
      return { type: 'ct_clear' };
    case NXAST.EXIT:
      return { type: 'exit' };
    case NXAST.POP_QUEUE:
      return { type: 'pop_queue' };
    case NXAST.NOTE:
      return { type: 'note', bytes: bytes.toString('hex', at + 10, end) };
    case NXAST.CONTROLLER:
      return {
        type: 'controller',
        maxLength: bytes.readUInt16BE(at + 10),
        controllerId: bytes.readUInt16BE(at + 12),
        reason: bytes[at + 14] ?? 0,
      };
    case NXAST.CONTROLLER2:
      return decodeController2(bytes, at, end);
    case NXAST.SAMPLE:
      return {
        type: 'sample',
        probability: bytes.readUInt16BE(at + 10),
        collectorSetId: bytes.readUInt32BE(at + 12),
        obsDomainId: bytes.readUInt32BE(at + 16),
        obsPointId: bytes.readUInt32BE(at + 20),
      };
    default:
      return undefined;
  }
}

function decodeAction(bytes: Buffer, at: number, end: number, nameOf: PortNameOf): Action | undefined {
  switch (bytes.readUInt16BE(at)) {
    case OFPAT.OUTPUT: {
      const number = bytes.readUInt32BE(at + 4);
      if (number === RESERVED_PORTS.CONTROLLER) return { type: 'controller', maxLength: bytes.readUInt16BE(at + 8) };
      return { type: 'output', port: portRef(number, nameOf) };
    }
    case OFPAT.PUSH_VLAN:
      return { type: 'push_vlan', ethertype: bytes.readUInt16BE(at + 4) };
    case OFPAT.POP_VLAN:
      return { type: 'pop_vlan' };
    case OFPAT.PUSH_MPLS:
      return { type: 'push_mpls', ethertype: bytes.readUInt16BE(at + 4) };
    case OFPAT.POP_MPLS:
      return { type: 'pop_mpls', ethertype: bytes.readUInt16BE(at + 4) };
    case OFPAT.SET_QUEUE:
      return { type: 'set_queue', queue: bytes.readUInt32BE(at + 4) };
    case OFPAT.GROUP:
      return { type: 'group', group: bytes.readUInt32BE(at + 4) };
    case OFPAT.DEC_NW_TTL:
      return { type: 'dec_ttl' };
    case OFPAT.DEC_MPLS_TTL:
      return { type: 'dec_mpls_ttl' };
    case OFPAT.SET_NW_TTL:
      return { type: 'set_field', field: 'nw_ttl', value: bytes[at + 4] ?? 0 };
    case OFPAT.SET_MPLS_TTL:
      return { type: 'set_field', field: 'mpls_ttl', value: bytes[at + 4] ?? 0 };
    case OFPAT.SET_FIELD:
      return decodeSetField(bytes, at + 4);
    case OFPAT.EXPERIMENTER:
      return bytes.readUInt32BE(at + 4) === NICIRA ? decodeNicira(bytes, at, end, nameOf) : undefined;
    default:
      return undefined;
  }
}

/** The actions between two offsets; those without words in the model as `raw`. */
export function decodeActions(bytes: Buffer, from: number, to: number, nameOf: PortNameOf): Action[] {
  const actions: Action[] = [];
  let at = from;
  while (at + 8 <= to) {
    const end = at + bytes.readUInt16BE(at + 2);
    if (end <= at) break;
    actions.push(decodeAction(bytes, at, end, nameOf) ?? { type: 'raw', bytes: bytes.toString('hex', at, end) });
    at = end;
  }
  return actions;
}

/** A flow's instructions as one list of actions. */
export function decodeInstructions(bytes: Buffer, from: number, to: number, nameOf: PortNameOf): Action[] {
  const actions: Action[] = [];
  let at = from;
  while (at + 8 <= to) {
    const end = at + bytes.readUInt16BE(at + 2);
    if (end <= at) break;
    switch (bytes.readUInt16BE(at)) {
      case OFPIT.METER:
        actions.push({ type: 'meter', meter: bytes.readUInt32BE(at + 4) });
        break;
      case OFPIT.APPLY_ACTIONS:
        actions.push(...decodeActions(bytes, at + 8, end, nameOf));
        break;
      case OFPIT.CLEAR_ACTIONS:
        actions.push({ type: 'clear_actions' });
        break;
      case OFPIT.WRITE_ACTIONS:
        actions.push({ type: 'write_actions', actions: decodeActions(bytes, at + 8, end, nameOf) });
        break;
      case OFPIT.WRITE_METADATA: {
        const mask = bytes.readBigUInt64BE(at + 16);
        const value = bytes.readBigUInt64BE(at + 8);
        actions.push(
          mask === 0xffff_ffff_ffff_ffffn ? { type: 'write_metadata', value } : { type: 'write_metadata', value, mask },
        );
        break;
      }
      case OFPIT.GOTO_TABLE:
        actions.push({ type: 'goto_table', table: bytes[at + 4] ?? 0 });
        break;
      default:
        break;
    }
    at = end;
  }
  return actions;
}
