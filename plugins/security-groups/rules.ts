import type { Direction, Ethertype, SecurityGroup, SecurityGroupRule } from '@patchbay/sdk';
import ipaddr from 'ipaddr.js';
import { type AddressSetName, addressGroupSet, securityGroupSet } from './address-sets';
import { ICMP, ICMP6, PORT_PROTOCOLS, protocolNumber } from './protocols';

/** What a rule says of the packet beside its addresses. */
export type Traffic =
  | { readonly kind: 'any' }
  | { readonly kind: 'protocol'; readonly protocol: number }
  /** Destination ports of TCP, UDP or SCTP. */
  | { readonly kind: 'ports'; readonly protocol: number; readonly first: number; readonly last: number }
  | { readonly kind: 'icmp'; readonly protocol: number; readonly type: number; readonly code: number | null };

/** Who is at the other end. */
export type Remote =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** A security group's members or an address group's addresses. */
  | { readonly kind: 'set'; readonly set: AddressSetName };

/** A security group's rule in terms that flows can be made of. All rules allow. */
export interface Rule {
  readonly id: string;
  readonly securityGroupId: string;
  /** A rule of a stateful group allows the replies too; one of a stateless group allows what it says and nothing else. */
  readonly stateful: boolean;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  readonly traffic: Traffic;
  readonly remote: Remote;
}

/** A rule that cannot be made into flows. It allows nothing. */
export interface Inexpressible {
  readonly id: string;
  readonly reason: string;
}

export interface GroupRules {
  readonly group: Pick<SecurityGroup, 'id' | 'name' | 'stateful'>;
  readonly rules: readonly Rule[];
  readonly inexpressible: readonly Inexpressible[];
}

/** The rules of one group. Those that are as they were the last time are the same objects again. */
export class RuleReader {
  private known: ReadonlyMap<string, Rule | string> = new Map();
  private latest: { readonly group: SecurityGroup; readonly rules: GroupRules } | undefined;

  /** The same answer to the same group: it is asked for by port after port. */
  read(group: SecurityGroup): GroupRules {
    if (this.latest?.group !== group) this.latest = { group, rules: this.readAnew(group) };
    return this.latest.rules;
  }

  private readAnew(group: SecurityGroup): GroupRules {
    const read = new Map<string, Rule | string>();
    const rules: Rule[] = [];
    const inexpressible: Inexpressible[] = [];
    for (const written of group.rules) {
      const text = JSON.stringify([written, group.stateful]);
      const rule = this.known.get(text) ?? ruleOf(written, group.stateful);
      read.set(text, rule);
      if (typeof rule === 'string') inexpressible.push({ id: written.id, reason: rule });
      else rules.push(rule);
    }
    this.known = read;
    return { group: { id: group.id, name: group.name, stateful: group.stateful }, rules, inexpressible };
  }
}

/** The rule, or why there is none. */
function ruleOf(rule: SecurityGroupRule, stateful: boolean): Rule | string {
  const traffic = trafficOf(rule);
  if (typeof traffic === 'string') return traffic;
  const remote = remoteOf(rule);
  if (typeof remote === 'string') return remote;
  const { id, securityGroupId, direction, ethertype } = rule;
  return { id, securityGroupId, stateful, direction, ethertype, traffic, remote };
}

function trafficOf({ protocol: written, ethertype, portRangeMin, portRangeMax }: SecurityGroupRule): Traffic | string {
  const protocol = protocolNumber(written, ethertype);
  if (protocol === undefined) return `there is no protocol "${written}"`;
  const first = portRangeMin === -1 ? null : portRangeMin;
  const last = portRangeMax === -1 ? null : portRangeMax;
  if (protocol === null) return first === null && last === null ? { kind: 'any' } : 'ports without a protocol';
  if (protocol === (ethertype === 'IPv4' ? ICMP : ICMP6)) {
    if (first === null) return last === null ? { kind: 'protocol', protocol } : 'an ICMP code without a type';
    if (first > 255 || (last ?? 0) > 255) return `ICMP type ${first}, code ${last}: both are 0 to 255`;
    return { kind: 'icmp', protocol, type: first, code: last };
  }
  if (first === null && last === null) return { kind: 'protocol', protocol };
  if (!PORT_PROTOCOLS.has(protocol)) return `Open vSwitch cannot match ports of protocol ${written}`;
  const from = first ?? last ?? 0;
  const to = last ?? from;
  if (from < 0 || to > 65535 || from > to) return `${from} to ${to} is no range of ports`;
  return { kind: 'ports', protocol, first: from, last: to };
}

function remoteOf({
  ethertype,
  remoteIpPrefix,
  remoteGroupId,
  remoteAddressGroupId,
}: SecurityGroupRule): Remote | string {
  if (remoteGroupId !== null) return { kind: 'set', set: securityGroupSet(remoteGroupId) };
  if (remoteAddressGroupId !== null) return { kind: 'set', set: addressGroupSet(remoteAddressGroupId) };
  if (remoteIpPrefix === null) return { kind: 'anyone' };
  const text = remoteIpPrefix.includes('/') ? remoteIpPrefix : `${remoteIpPrefix}/${ethertype === 'IPv4' ? 32 : 128}`;
  if (!ipaddr.isValidCIDR(text)) return `"${remoteIpPrefix}" is no prefix`;
  const [address, length] = ipaddr.parseCIDR(text);
  if ((address.kind() === 'ipv4') !== (ethertype === 'IPv4')) return `${remoteIpPrefix} is no prefix of ${ethertype}`;
  return length === 0 ? { kind: 'anyone' } : { kind: 'prefix', prefix: text };
}
