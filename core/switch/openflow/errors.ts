import type { FlowTableMessage } from './client';
import { EXPERIMENTER_ERROR, NICIRA_ERRORS, ONF_ERRORS, STANDARD_ERRORS, STANDARD_ERRORS_1_3 } from './error-names';
import { NICIRA, ONF } from './wire/action-types';

/** What the errors met in practice mean for who wrote the flow. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  OFPBMC_BAD_PREREQ: 'a field is matched without the fields it depends on; add eth_type or nw_proto',
  OFPBMC_BAD_FIELD: 'the switch does not know a field of the match',
  OFPBMC_BAD_VALUE: 'a value of the match is not one the field can have',
  OFPBMC_BAD_MASK: 'a field is masked that takes no such mask',
  OFPBMC_BAD_WILDCARDS: 'a value has bits outside its mask',
  OFPBMC_DUP_FIELD: 'a field is matched twice',
  OFPBAC_MATCH_INCONSISTENT:
    'an action needs something that the match does not promise; state the field it depends on in the match',
  OFPBAC_BAD_SET_ARGUMENT: 'a field is set to a value it cannot have',
  OFPBAC_BAD_SET_TYPE: 'an action sets a field that cannot be set',
  OFPBAC_BAD_OUT_PORT: 'an output names a port number that OpenFlow does not allow',
  OFPBAC_BAD_OUT_GROUP: 'an output names a group that does not exist',
  OFPBIC_BAD_TABLE_ID: 'goto_table must name a later table',
  OFPMMFC_UNKNOWN_METER: 'the meter does not exist; make it before the flow that uses it',
  OFPFMFC_TABLE_FULL: 'the table has as many flows as it takes',
  OFPGMFC_GROUP_EXISTS: 'the group exists; modify it',
  OFPGMFC_UNKNOWN_GROUP: 'the group does not exist; add it',
  OFPBFC_MSG_FAILED: 'a message of the bundle was refused, so the bundle was',
  OFPBFC_TIMEOUT: 'the bundle was open for too long without a message',
};

/** Of a flow: it names a group or a meter that the switch does not have. */
const UNKNOWN_REFERENCE = ['OFPBAC_BAD_OUT_GROUP', 'OFPMMFC_INVALID_METER', 'OFPMMFC_UNKNOWN_METER'];

/** OpenFlow 1.3.5, 7.4.4: an error of the switch, as a type, a code and the specification's name. */
export class OpenFlowError extends Error {
  readonly type: number;
  readonly code: number;
  readonly errorName: string;
  readonly explanation: string;
  /** Place, in what was sent together, of the message that was refused. */
  readonly failedIndex: number | undefined;
  /** The message that was refused. */
  readonly failedMessage: FlowTableMessage | undefined;

  constructor(
    type: number,
    code: number,
    errorName: string,
    failed?: { readonly index: number; readonly message: FlowTableMessage | undefined },
  ) {
    const explanation = EXPLANATIONS[errorName] ?? 'the switch refused the request';
    const where = failed === undefined ? '' : ` (message ${failed.index})`;
    super(`${errorName}${where}: ${explanation}`);
    this.name = 'OpenFlowError';
    this.type = type;
    this.code = code;
    this.errorName = errorName;
    this.explanation = explanation;
    this.failedIndex = failed?.index;
    this.failedMessage = failed?.message;
  }

  /** A flow was refused because it names a group or a meter that the switch does not have. */
  get isUnknownReference(): boolean {
    return UNKNOWN_REFERENCE.includes(this.errorName);
  }

  /** The same error, laid at a message's door. */
  at(index: number, message: FlowTableMessage | undefined): OpenFlowError {
    return new OpenFlowError(this.type, this.code, this.errorName, { index, message });
  }
}

/** The connection is closed, was lost or never came up; what was under way may or may not have happened. */
export class OpenFlowConnectionError extends Error {
  constructor(complaint: string, options?: ErrorOptions) {
    super(complaint, options);
    this.name = 'OpenFlowConnectionError';
  }
}

/** The error that a switch would send under that name, for a switch that is made up. @throws RangeError for a name OpenFlow 1.4 does not have. */
export function errorNamed(name: string): OpenFlowError {
  for (const [type, codes] of Object.entries(STANDARD_ERRORS)) {
    for (const [code, candidate] of Object.entries(codes))
      if (candidate === name) return new OpenFlowError(Number(type), Number(code), name);
  }
  throw new RangeError(`OpenFlow has no error ${name}`);
}

/** Reads an error message's type and code (and, of an experimenter, its type). */
export function decodeError(version: number, message: Buffer): OpenFlowError {
  const type = message.readUInt16BE(8);
  const code = message.readUInt16BE(10);
  if (type !== EXPERIMENTER_ERROR) {
    const name = (version === 4 ? STANDARD_ERRORS_1_3[type]?.[code] : undefined) ?? STANDARD_ERRORS[type]?.[code];
    return new OpenFlowError(type, code, name ?? `error type ${type} code ${code}`);
  }
  const experimenter = message.readUInt32BE(12);
  const names = experimenter === NICIRA ? NICIRA_ERRORS : experimenter === ONF ? ONF_ERRORS : {};
  return new OpenFlowError(type, code, names[code] ?? `experimenter 0x${experimenter.toString(16)} error ${code}`);
}
