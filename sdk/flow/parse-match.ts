import { FlowNotationError } from './errors';
import { findField, protocol } from './fields';
import type { MatchValue } from './model';
import { parsePort } from './port-text';
import { parseNumber } from './values';

const ADDRESS = new Set(['ethernet', 'ipv4', 'ipv6', 'ct_state', 'tcp_flags', 'frag']);

/** A field's value: a number where it is one, text where the notation has its own. */
function parseFieldText(name: string, text: string): MatchValue {
  if (name === 'in_port' || name === 'in_port_oxm') {
    const port = parsePort(text);
    return port;
  }
  if (/^"[^"]+"$/.test(text)) return { port: text.slice(1, -1) };
  const notation = findField(name)?.notation ?? 'decimal';
  const slash = text.indexOf('/');
  if (ADDRESS.has(notation) && !/^(0x[0-9a-fA-F]+|[0-9]+)(\/|$)/.test(text)) return text;
  if (slash < 0) return parseNumber(name, text);
  if (notation === 'ipv4' || notation === 'ipv6') return text;
  return { value: parseNumber(name, text.slice(0, slash)), mask: parseNumber(name, text.slice(slash + 1)) };
}

/**
 * Takes one `name=value` or shorthand (`tcp`, `ip`) of ovs-ofctl text into a match. Field aliases come out under their first name, save dl_vlan.
 * @throws FlowNotationError for an unknown field.
 */
export function addMatchText(match: Record<string, MatchValue>, name: string, text: string, hasValue: boolean): void {
  if (!hasValue) {
    if (!(name in protocol))
      throw new FlowNotationError(name, 'is neither a protocol shorthand nor a field with a value');
    Object.assign(match, protocol[name as keyof typeof protocol]);
    return;
  }
  const field = findField(name);
  const own = name === 'dl_vlan' || name === 'tp_src' || name === 'tp_dst';
  if (field === undefined && !own)
    throw new FlowNotationError(name, 'no such field; the names are those of ovs-fields(7)');
  const key = own || field === undefined ? name : field.name === 'in_port_oxm' ? 'in_port' : field.name;
  match[key] = parseFieldText(key, text);
}

const TRANSPORT: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Brings the fields that ovs-ofctl reads by their neighbours (`tp_dst`, `icmp_type`) to their own names. */
export function settleMatch(match: Record<string, MatchValue>): void {
  const rename = (from: string, to: string) => {
    const value = match[from];
    if (value === undefined) return;
    delete match[from];
    match[to] = value;
  };
  const transport = TRANSPORT[Number(match.nw_proto ?? -1)];
  if (transport !== undefined) {
    rename('tp_src', `${transport}_src`);
    rename('tp_dst', `${transport}_dst`);
  }
  if (match.eth_type === protocol.ipv6.eth_type) {
    rename('icmp_type', 'icmpv6_type');
    rename('icmp_code', 'icmpv6_code');
  }
}
