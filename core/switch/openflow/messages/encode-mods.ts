import {
  type Flow,
  type Group,
  type Match,
  type Meter,
  matchFields,
  matchHasVlan,
  portNumber,
  RESERVED_PORTS,
  type ResolvePort,
} from '@patchbay/sdk/flow';
import type { FlowMod, FlowModFlags, FlowTableMessage, GroupMod, MeterMod } from '../client';
import { ActionEncoder } from '../wire/encode-actions';
import { writeMatchFields } from '../wire/oxm';
import { writePlainMatch } from '../wire/plain-match';
import { RecentInstructions } from '../wire/recent-instructions';
import type { WireWriter } from '../wire/writer';
import { OFPT, writeMessage } from './header';

export const ANY = 0xffffffff;
export const ALL_TABLES = 0xff;
const NO_BUFFER = 0xffffffff;
const WHOLE_COOKIE = 0xffff_ffff_ffff_ffffn;

const instructions = new RecentInstructions();

/** ofp_flow_mod_command. */
const FLOW_COMMAND = { add: 0, modify: 1, modify_strict: 2, delete: 3, delete_strict: 4 } as const;
/** ofp_flow_mod_flags. */
const FLOW_FLAG = { SEND_FLOW_REMOVED: 1, CHECK_OVERLAP: 2, RESET_COUNTS: 4 } as const;
/** ofp_group_mod_command; add_or_modify is Open vSwitch's own (OFPGC11_ADD_OR_MOD). */
const GROUP_COMMAND = { add: 0, modify: 1, delete: 2, add_or_modify: 0x8000 } as const;
/** ofp_group_type. */
const GROUP_TYPE = { all: 0, select: 1, indirect: 2, ff: 3 } as const;
/** ofp_meter_mod_command. */
const METER_COMMAND = { add: 0, modify: 1, delete: 2 } as const;
/** ofp_meter_flags. */
const METER_FLAG = { kbps: 1, pktps: 2, BURST: 4, STATS: 8 } as const;
/** ofp_meter_band_type. */
const BAND = { drop: 1, dscp_remark: 2 } as const;

interface FlowModHead {
  readonly command: keyof typeof FLOW_COMMAND;
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly flags: number;
}

function writeHead(writer: WireWriter, head: FlowModHead): void {
  writer.u64(head.cookie);
  writer.u64(head.cookieMask);
  writer.u8(head.table);
  writer.u8(FLOW_COMMAND[head.command]);
  writer.u16(head.idleTimeout);
  writer.u16(head.hardTimeout);
  writer.u16(head.priority);
  writer.u32(NO_BUFFER);
  writer.u32(ANY);
  writer.u32(ANY);
  writer.u16(head.flags);
  writer.zeros(2);
}

function flagBits(flags: FlowModFlags | undefined): number {
  return (
    (flags?.sendFlowRemoved === true ? FLOW_FLAG.SEND_FLOW_REMOVED : 0) |
    (flags?.checkOverlap === true ? FLOW_FLAG.CHECK_OVERLAP : 0) |
    (flags?.resetCounts === true ? FLOW_FLAG.RESET_COUNTS : 0)
  );
}

/** A cookie and the mask that goes with it: none asks nothing, one without mask asks for all of it. */
export function cookiePair(
  cookie: bigint | undefined,
  mask: bigint | undefined,
): { readonly cookie: bigint; readonly cookieMask: bigint } {
  return { cookie: cookie ?? 0n, cookieMask: mask ?? (cookie === undefined ? 0n : WHOLE_COOKIE) };
}

/**
 * Open vSwitch looks a strict match up by its fields, but where the whole cookie is asked for it compares all flows that have the cookie,
 * one after the other (collect_rules_strict): minutes for tens of thousands. So the highest bit is not asked for.
 */
const STRICT_COOKIE = WHOLE_COOKIE >> 1n;

function strictCookiePair(cookie: bigint | undefined, mask?: bigint): ReturnType<typeof cookiePair> {
  return cookiePair(cookie, mask ?? (cookie === undefined ? undefined : STRICT_COOKIE));
}

const DELETION = { idleTimeout: 0, hardTimeout: 0, flags: 0, priority: 0 } as const;

function writeRule(writer: WireWriter, { match, actions }: Flow, resolve: ResolvePort): void {
  const tagged = writeMatchOnly(writer, match, resolve);
  instructions.write(writer, actions, tagged, resolve);
}

/** Answers whether only frames with a VLAN tag meet it. */
function writeMatchOnly(writer: WireWriter, match: Match, resolve: ResolvePort): boolean {
  if (writePlainMatch(writer, match, resolve)) return false;
  const fields = matchFields(match, resolve);
  writeMatchFields(writer, fields);
  return matchHasVlan(fields);
}

function writeFlowMod(writer: WireWriter, mod: FlowMod, resolve: ResolvePort): void {
  switch (mod.command) {
    case 'add':
    case 'modify':
    case 'modify_strict': {
      const { flow } = mod;
      const pair = mod.command === 'modify_strict' ? strictCookiePair : cookiePair;
      const cookies = mod.command === 'add' ? { cookie: mod.cookie, cookieMask: 0n } : pair(mod.cookie, mod.cookieMask);
      writeHead(writer, {
        command: mod.command,
        table: flow.table,
        priority: flow.priority,
        idleTimeout: flow.idleTimeout ?? 0,
        hardTimeout: flow.hardTimeout ?? 0,
        flags: flagBits(mod.flags),
        ...cookies,
      });
      writeRule(writer, flow, resolve);
      return;
    }
    case 'delete': {
      const { table, match, cookie, cookieMask } = mod.filter;
      writeHead(writer, {
        command: 'delete',
        ...DELETION,
        table: table ?? ALL_TABLES,
        ...cookiePair(cookie, cookieMask),
      });
      writeMatchOnly(writer, match ?? {}, resolve);
      return;
    }
    case 'delete_strict': {
      const { table, priority, match } = mod.flow;
      writeHead(writer, {
        command: 'delete_strict',
        ...DELETION,
        table,
        priority,
        ...strictCookiePair(mod.cookie, mod.cookieMask),
      });
      writeMatchOnly(writer, match, resolve);
      return;
    }
    case 'delete_installed': {
      const { table, priority, cookie, bytes, matchFrom, matchTo } = mod.installed;
      writeHead(writer, { command: 'delete_strict', ...DELETION, table, priority, ...strictCookiePair(cookie) });
      const start = writer.length;
      writer.u16(1);
      writer.u16(4 + matchTo - matchFrom);
      writer.append(bytes.subarray(matchFrom, matchTo));
      writer.align8(start);
    }
  }
}

function writeBuckets(writer: WireWriter, group: Group, resolve: ResolvePort): void {
  for (const bucket of group.buckets) {
    const start = writer.length;
    writer.u16(0);
    writer.u16(bucket.weight ?? (group.kind === 'select' ? 1 : 0));
    writer.u32(bucket.watchPort === undefined ? RESERVED_PORTS.ANY : portNumber(bucket.watchPort, resolve));
    writer.u32(bucket.watchGroup ?? ANY);
    writer.zeros(4);
    const encoder = new ActionEncoder(writer, resolve, false);
    for (const action of bucket.actions) encoder.write(action);
    writer.setU16(start, writer.length - start);
  }
}

function writeGroupMod(writer: WireWriter, mod: GroupMod, resolve: ResolvePort): void {
  writer.u16(GROUP_COMMAND[mod.command]);
  writer.u8(mod.command === 'delete' ? 0 : GROUP_TYPE[mod.group.kind]);
  writer.u8(0);
  writer.u32(mod.command === 'delete' ? mod.group : mod.group.group);
  if (mod.command !== 'delete') writeBuckets(writer, mod.group, resolve);
}

function meterFlags(meter: Meter): number {
  const burst = meter.bands.some((band) => band.burst !== undefined) ? METER_FLAG.BURST : 0;
  return METER_FLAG[meter.unit] | burst | (meter.stats === true ? METER_FLAG.STATS : 0);
}

function writeMeterMod(writer: WireWriter, mod: MeterMod): void {
  writer.u16(METER_COMMAND[mod.command]);
  if (mod.command === 'delete') {
    writer.u16(0);
    writer.u32(mod.meter);
    return;
  }
  writer.u16(meterFlags(mod.meter));
  writer.u32(mod.meter.meter);
  for (const band of mod.meter.bands) {
    writer.u16(BAND[band.kind]);
    writer.u16(16);
    writer.u32(band.rate);
    writer.u32(band.burst ?? 0);
    writer.u8(band.kind === 'dscp_remark' ? (band.precedenceLevel ?? 0) : 0);
    writer.zeros(3);
  }
}

/** Writes one change as a whole message. @throws FlowNotationError, UnresolvedPortError. */
export function writeMod(
  writer: WireWriter,
  version: number,
  xid: number,
  message: FlowTableMessage,
  resolve: ResolvePort,
): void {
  switch (message.kind) {
    case 'flow':
      writeMessage(writer, version, OFPT.FLOW_MOD, xid, () => writeFlowMod(writer, message, resolve));
      return;
    case 'group':
      writeMessage(writer, version, OFPT.GROUP_MOD, xid, () => writeGroupMod(writer, message, resolve));
      return;
    case 'meter':
      writeMessage(writer, version, OFPT.METER_MOD, xid, () => writeMeterMod(writer, message));
  }
}
