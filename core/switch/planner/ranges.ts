import { type Action, type Flow, FlowNotationError, type Group, type Meter } from '@patchbay/sdk';

type Range = readonly [least: number, most: number];

const BYTE: Range = [0, 0xff];
const SHORT: Range = [0, 0xffff];
const LONG: Range = [0, 0xffff_ffff];
/** Above are numbers with a meaning of their own: OFPG_ALL and OFPG_ANY, OFPM_SLOWPATH to OFPM_ALL, OFPTT_ALL (OpenFlow 1.3.5). */
const GROUP_ID: Range = [0, 0xffff_ff00];
const METER_ID: Range = [1, 0xffff_0000];
const TABLE: Range = [0, 254];

const GROUP_KINDS: readonly string[] = ['all', 'select', 'indirect', 'ff'];
const METER_UNITS: readonly string[] = ['kbps', 'pktps'];
const BAND_KINDS: readonly string[] = ['drop', 'dscp_remark'];

/** Fields of actions that are numbers on the wire; where one is a name or a field, it is not looked at here. */
const OF_ACTIONS: { readonly [Type in Action['type']]?: readonly (readonly [field: string, range: Range])[] } = {
  output: [
    ['port', LONG],
    ['maxLength', SHORT],
  ],
  controller: [
    ['maxLength', SHORT],
    ['reason', BYTE],
    ['controllerId', SHORT],
  ],
  group: [['group', GROUP_ID]],
  meter: [['meter', METER_ID]],
  goto_table: [['table', TABLE]],
  push_vlan: [['ethertype', SHORT]],
  push_mpls: [['ethertype', SHORT]],
  pop_mpls: [['ethertype', SHORT]],
  mod_vlan_vid: [['vlan', [0, 0xfff]]],
  resubmit: [
    ['port', LONG],
    ['table', BYTE],
  ],
  ct: [
    ['zone', SHORT],
    ['table', BYTE],
  ],
  conjunction: [
    ['id', LONG],
    ['clause', [1, 64]],
    ['clauses', [1, 64]],
  ],
  learn: [
    ['table', BYTE],
    ['priority', SHORT],
    ['idleTimeout', SHORT],
    ['hardTimeout', SHORT],
    ['finIdleTimeout', SHORT],
    ['finHardTimeout', SHORT],
    ['limit', LONG],
  ],
  sample: [
    ['probability', SHORT],
    ['collectorSetId', LONG],
    ['obsDomainId', LONG],
    ['obsPointId', LONG],
  ],
  set_queue: [['queue', LONG]],
};

/**
 * A number that does not fit is cut to what fits when it is written, and means another thing; and a field of a match that is `undefined`,
 * as plain JavaScript has it for what it does not find, is left out, so that the flow matches more than was meant.
 * @throws FlowNotationError that names the field and its range.
 */
export function checkFlow({ table, priority, idleTimeout, hardTimeout, match, actions }: Flow): void {
  check('table', table, TABLE);
  check('priority', priority, SHORT);
  check('idleTimeout', idleTimeout ?? 0, SHORT);
  check('hardTimeout', hardTimeout ?? 0, SHORT);
  const fields: Readonly<Record<string, unknown>> = match;
  for (const field in fields) {
    const value = fields[field];
    if (value === undefined || value === null) {
      throw new FlowNotationError(field, `is ${value}: a field that is not to be matched must not be named`);
    }
  }
  checkActions(actions);
}

/** @throws FlowNotationError that names the field and its range. */
export function checkGroup({ group, kind, buckets }: Group): void {
  check('group', group, GROUP_ID);
  oneOf(`group ${group} kind`, kind, GROUP_KINDS);
  for (const { bucketId, weight, watchPort, watchGroup, actions } of buckets) {
    check('bucketId', bucketId ?? 0, GROUP_ID);
    check('weight', weight ?? 0, SHORT);
    if (typeof watchPort === 'number') check('watchPort', watchPort, LONG);
    check('watchGroup', watchGroup ?? 0, LONG);
    checkActions(actions);
  }
}

/** @throws FlowNotationError that names the field and its range. */
export function checkMeter({ meter, unit, bands }: Meter): void {
  check('meter', meter, METER_ID);
  oneOf(`meter ${meter} unit`, unit, METER_UNITS);
  for (const { kind, rate, burst, precedenceLevel } of bands) {
    oneOf(`meter ${meter} band kind`, kind, BAND_KINDS);
    check('rate', rate, LONG);
    check('burst', burst ?? 0, LONG);
    check('precedenceLevel', precedenceLevel ?? 0, BYTE);
  }
}

function checkActions(actions: readonly Action[]): void {
  for (const action of actions) {
    const values: Readonly<Record<string, unknown>> = action;
    for (const [field, range] of OF_ACTIONS[action.type] ?? []) {
      const value = values[field];
      if (typeof value === 'number') check(`${action.type} ${field}`, value, range);
    }
    if (action.type === 'write_actions') checkActions(action.actions);
    if (action.type === 'ct' && action.exec !== undefined) checkActions(action.exec);
  }
}

function check(field: string, value: number, [least, most]: Range): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new FlowNotationError(field, `${String(value)} is not a whole number from ${least} to ${most}`);
}

function oneOf(field: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new FlowNotationError(field, `'${value}' is none of ${known.join(', ')}`);
}
