import { FlowNotationError } from './errors';
import { type Field, fieldNamed, RESERVED_PORTS, VLAN_PRESENT } from './fields';
import type { FieldValue, Match, MatchByName, MatchValue, PortName, PortRef, ReservedPort } from './model';
import { parseNumber, splitMask, type ValueAndMask } from './values';

/** Finds a port's OpenFlow number on the bridge of the flow; undefined while there is no such port. */
export type ResolvePort = (name: string) => number | undefined;

/** A flow names a port that the bridge does not have. */
export class UnresolvedPortError extends Error {
  readonly port: string;

  constructor(port: string) {
    super(`port '${port}' is not on the bridge: a flow that names it cannot be written yet`);
    this.name = 'UnresolvedPortError';
    this.port = port;
  }
}

/** One field of a match, ready to be encoded. */
export interface MatchedField extends ValueAndMask {
  readonly field: Field;
}

const IN_PORT = fieldNamed('in_port_oxm');
const VLAN_VID = fieldNamed('vlan_vid');
const VLAN_PCP = fieldNamed('vlan_pcp');
const VLAN_TCI = fieldNamed('vlan_tci');
const IP_DSCP = fieldNamed('ip_dscp');
const TRANSPORT: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** @throws UnresolvedPortError when the port is named and `resolve` does not know it. */
export function portNumber(port: PortRef | PortName, resolve: ResolvePort): number {
  if (typeof port === 'number') return port;
  if (typeof port === 'string') return RESERVED_PORTS[port];
  const number = resolve(port.port);
  if (number === undefined) throw new UnresolvedPortError(port.port);
  return number;
}

/** Whether a port's number may stand in the field: in_port, or a register of 32 bits. */
export function holdsPort(field: Field): boolean {
  return field === IN_PORT || /^reg\d+$/.test(field.name);
}

function whole(subject: string, value: FieldValue): number {
  const number = Number(typeof value === 'string' ? parseNumber(subject, value) : value);
  if (!Number.isInteger(number) || number < 0) throw new FlowNotationError(subject, `${number} is not a whole number`);
  return number;
}

function inPort(wanted: MatchValue, resolve: ResolvePort): MatchedField {
  if (typeof wanted === 'object' && 'port' in wanted) return { field: IN_PORT, value: portNumber(wanted, resolve) };
  if (typeof wanted === 'object') throw new FlowNotationError('in_port', 'cannot be masked');
  if (typeof wanted === 'string' && wanted in RESERVED_PORTS) {
    return { field: IN_PORT, value: RESERVED_PORTS[wanted as ReservedPort] };
  }
  return { field: IN_PORT, value: wanted };
}

function vlanFields(name: string, wanted: Exclude<MatchValue, PortName>): MatchedField[] {
  const split = splitMask(VLAN_TCI, wanted);
  const value = whole(name, split.value);
  if (name === 'dl_vlan') {
    if (value === 0xffff) return [{ field: VLAN_VID, value: 0 }];
    if (value > 0xfff)
      throw new FlowNotationError('dl_vlan', `${value} is no VLAN id; an untagged frame is vlan_vid=0`);
    const present = { field: VLAN_VID, value: value | VLAN_PRESENT };
    return [split.mask === undefined ? present : { ...present, mask: whole(name, split.mask) | VLAN_PRESENT }];
  }
  const mask = split.mask === undefined ? 0xffff : whole(name, split.mask);
  if (value === 0 && mask === 0xffff) return [{ field: VLAN_VID, value: 0 }];
  const priorityMask = (mask >> 13) & 7;
  if (priorityMask !== 0 && (priorityMask !== 7 || (mask & value & VLAN_PRESENT) === 0)) {
    return [{ field: VLAN_TCI, value, mask }];
  }
  const fields: MatchedField[] = [];
  if ((mask & 0x1fff) !== 0) fields.push({ field: VLAN_VID, value: value & mask & 0x1fff, mask: mask & 0x1fff });
  if (priorityMask === 7) fields.push({ field: VLAN_PCP, value: value >> 13 });
  return fields;
}

function fieldFor(name: string, match: MatchByName): Field {
  const number = (first: string, second: string) => {
    const value = match[first] ?? match[second];
    return typeof value === 'number' || typeof value === 'string' ? Number(value) : undefined;
  };
  if (name === 'tp_src' || name === 'tp_dst') {
    const transport = TRANSPORT[number('nw_proto', 'ip_proto') ?? -1];
    if (transport === undefined)
      throw new FlowNotationError(name, 'needs nw_proto 6 (tcp), 17 (udp) or 132 (sctp) beside it');
    return fieldNamed(transport + name.slice(2));
  }
  if ((name === 'icmp_type' || name === 'icmp_code') && number('eth_type', 'dl_type') === 0x86dd) {
    return fieldNamed(`icmpv6${name.slice(4)}`);
  }
  return fieldNamed(name);
}

/**
 * The fields a match asks for, in encoding order, ports resolved and ovs-ofctl's notations (`dl_vlan`, `vlan_tci`, `tp_dst`, `nw_tos`) brought to OpenFlow's fields.
 * @throws FlowNotationError for an unknown field, a field named twice or a value that does not fit; UnresolvedPortError.
 */
export function matchFields(match: Match, resolve: ResolvePort): MatchedField[] {
  const named: MatchByName = match;
  const fields: MatchedField[] = [];
  for (const name in named) {
    const wanted = named[name];
    // Left out, it would let the match be met by more than was meant.
    if (wanted === undefined)
      throw new FlowNotationError(name, 'is undefined: a field that is not to be matched must not be named');
    if (name === 'in_port' || name === 'in_port_oxm') {
      fields.push(inPort(wanted, resolve));
      continue;
    }
    if (typeof wanted === 'object' && 'port' in wanted) {
      const field = fieldNamed(name);
      if (!holdsPort(field)) throw new FlowNotationError(name, 'only in_port and registers take the name of a port');
      fields.push({ field, value: portNumber(wanted, resolve) });
      continue;
    }
    if (name === 'dl_vlan' || name === 'vlan_tci') {
      fields.push(...vlanFields(name, wanted));
    } else if (name === 'nw_tos') {
      fields.push({ field: IP_DSCP, value: whole(name, splitMask(IP_DSCP, wanted).value) >> 2 });
    } else {
      const field = fieldFor(name, named);
      const split = splitMask(field, wanted);
      fields.push({ field, ...split });
    }
  }
  fields.sort((left, right) => left.field.order - right.field.order);
  for (let index = 1; index < fields.length; index++) {
    const { field } = fields[index] as MatchedField;
    if (field === fields[index - 1]?.field)
      throw new FlowNotationError(field.name, 'is matched twice, under two of its names');
  }
  return fields;
}

/** Whether a match is only met by frames that carry a VLAN tag. */
export function matchHasVlan(fields: readonly MatchedField[]): boolean {
  return fields.some(({ field, value, mask }) => {
    if (field !== VLAN_VID && field !== VLAN_TCI) return false;
    return (whole(field.name, value) & (mask === undefined ? 0x1fff : whole(field.name, mask)) & VLAN_PRESENT) !== 0;
  });
}
