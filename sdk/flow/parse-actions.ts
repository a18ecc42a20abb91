import { FlowNotationError } from './errors';
import { fieldNamed, findField } from './fields';
import type { Action, FieldValue, MatchValue, NatSpec, Subfield } from './model';
import { parseLearn } from './parse-learn';
import { parsePort, reservedPort } from './port-text';
import { splitOutside, splitPair } from './split-text';
import { parseSubfield } from './subfield';
import { parseNumber } from './values';

const number = (subject: string, text: string) => Number(parseNumber(subject, text));

function arrow(subject: string, text: string): readonly [string, string] {
  const at = text.lastIndexOf('->');
  if (at < 0) throw new FlowNotationError(subject, `'${text}' lacks ->`);
  return [text.slice(0, at).trim(), text.slice(at + 2).trim()];
}

function fieldValue(fieldName: string, text: string): FieldValue {
  const field = fieldNamed(fieldName);
  if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text)) return parseNumber(field.name, text);
  return text;
}

function setField(text: string): Action {
  const [value, name] = arrow('set_field', text);
  const field = fieldNamed(name.replace(/\[\]$/, ''));
  const slash = value.indexOf('/');
  if (/^"[^"]+"$/.test(value)) return { type: 'set_field', field: field.name, value: { port: value.slice(1, -1) } };
  if (slash < 0) return { type: 'set_field', field: field.name, value: fieldValue(field.name, value) };
  return {
    type: 'set_field',
    field: field.name,
    value: fieldValue(field.name, value.slice(0, slash)),
    mask: fieldValue(field.name, value.slice(slash + 1)),
  };
}

function parseNat(text: string): NatSpec {
  const nat: { -readonly [Key in keyof NatSpec]: NatSpec[Key] } = {};
  for (const piece of splitOutside(text)) {
    const { name, value } = splitPair(piece);
    if (name === 'persistent' || name === 'hash' || name === 'random') nat[name] = true;
    else if (name !== 'src' && name !== 'dst') throw new FlowNotationError('nat', `no setting '${name}'`);
    else {
      nat.direction = name;
      const parts =
        /^(?:\[([^\]]+)\](?:-\[([^\]]+)\])?|([0-9.]+)(?:-([0-9.]+))?|([0-9a-fA-F:]*::?[0-9a-fA-F:.]+)(?:-([0-9a-fA-F:.]+))?)?(?::(\d+)(?:-(\d+))?)?$/.exec(
          value,
        );
      if (parts === null) throw new FlowNotationError('nat', `'${value}' is not a range such as 10.0.0.1-10.0.0.9:80`);
      const low = parts[1] ?? parts[3] ?? parts[5];
      const high = parts[2] ?? parts[4] ?? parts[6];
      if (low !== undefined) nat.addressMin = low;
      if (high !== undefined) nat.addressMax = high;
      if (parts[7] !== undefined) nat.portMin = Number(parts[7]);
      if (parts[8] !== undefined) nat.portMax = Number(parts[8]);
    }
  }
  return nat;
}

type Ct = { -readonly [Key in keyof Extract<Action, { type: 'ct' }>]: Extract<Action, { type: 'ct' }>[Key] };

function parseCt(text: string, match: Readonly<Record<string, MatchValue>>): Action {
  const ct: Ct = { type: 'ct' };
  for (const piece of splitOutside(text)) {
    const { name, value } = splitPair(piece);
    if (name === 'commit' || name === 'force') ct[name] = true;
    else if (name === 'table') ct.table = number('ct', value);
    else if (name === 'zone') ct.zone = /^[0-9]/.test(value) ? number('ct', value) : parseSubfield(value);
    else if (name === 'nat') ct.nat = parseNat(value);
    else if (name === 'exec') ct.exec = parseActions(value, match);
    else if (name === 'alg' && (value === 'ftp' || value === 'tftp')) ct.alg = value;
    else throw new FlowNotationError('ct', `no setting '${piece}'`);
  }
  return ct;
}

function parseResubmit(value: string): Action {
  const parts = value.split(',').map((part) => part.trim());
  const [port = '', table = '', ct] = parts;
  return {
    type: 'resubmit',
    ...(port === '' || reservedPort(port) === 'IN_PORT' ? {} : { port: parsePort(port) }),
    ...(table === '' ? {} : { table: number('resubmit', table) }),
    ...(ct === 'ct' ? { ct: true } : {}),
  };
}

function parseController(value: string, mark: string): Action {
  if (mark !== '(') return { type: 'controller', maxLength: value === '' ? 0xffff : number('controller', value) };
  const settings: Record<string, number | string> = {};
  let maxLength = 0xffff;
  for (const piece of splitOutside(value)) {
    const pair = splitPair(piece);
    if (pair.name === 'max_len') maxLength = number('controller', pair.value);
    else if (pair.name === 'id') settings.controllerId = number('controller', pair.value);
    else if (pair.name === 'userdata') settings.userdata = pair.value;
    else if (pair.name === 'reason') settings.reason = reason(pair.value);
    else throw new FlowNotationError('controller', `no setting '${piece}'`);
  }
  return { type: 'controller', maxLength, ...settings };
}

const REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'];

function reason(text: string): number {
  const at = REASONS.indexOf(text);
  return at < 0 ? number('controller', text) : at;
}

function subfieldPair(text: string): { readonly source: Subfield; readonly target: Subfield } {
  const [from, to] = arrow('move', text);
  return { source: parseSubfield(from), target: parseSubfield(to) };
}

function parseSample(value: string): Action {
  const settings = Object.fromEntries(
    splitOutside(value).map((piece) => [splitPair(piece).name, splitPair(piece).value]),
  );
  const of = (name: string) => number('sample', settings[name] ?? '0');
  return {
    type: 'sample',
    probability: of('probability'),
    collectorSetId: of('collector_set_id'),
    obsDomainId: of('obs_domain_id'),
    obsPointId: of('obs_point_id'),
  };
}

/** Old set actions and the field each sets; `#` is the transport of the match. */
const OLD_SETS: Readonly<Record<string, string>> = {
  mod_dl_src: 'eth_src',
  mod_dl_dst: 'eth_dst',
  mod_nw_src: 'ip_src',
  mod_nw_dst: 'ip_dst',
  mod_nw_ttl: 'nw_ttl',
  mod_nw_ecn: 'nw_ecn',
  mod_vlan_pcp: 'vlan_pcp',
  set_vlan_pcp: 'vlan_pcp',
  mod_tp_src: '#_src',
  mod_tp_dst: '#_dst',
  set_tunnel: 'tun_id',
  set_tunnel64: 'tun_id',
  set_mpls_label: 'mpls_label',
  set_mpls_tc: 'mpls_tc',
  set_mpls_ttl: 'mpls_ttl',
};

const PLAIN = ['pop_vlan', 'ct_clear', 'pop_queue', 'exit', 'clear_actions', 'dec_mpls_ttl'] as const;

function oldSet(name: string, value: string, match: Readonly<Record<string, MatchValue>>): Action {
  const transport = { 6: 'tcp', 17: 'udp', 132: 'sctp' }[Number(match.nw_proto ?? 0)] ?? 'tcp';
  const field = fieldNamed((OLD_SETS[name] ?? '').replace('#', transport)).name;
  return { type: 'set_field', field, value: fieldValue(field, value) };
}

/** `check_pkt_larger(1500)->reg0[0]`. */
function parseCheckLarger(text: string): Action {
  const parts = /^check_pkt_larger\((\d+)\)->(.+)$/i.exec(text);
  if (parts === null) throw new FlowNotationError('check_pkt_larger', `'${text}' is not of the form (1500)->reg0[0]`);
  return { type: 'check_pkt_larger', length: Number(parts[1]), target: parseSubfield(parts[2] ?? '') };
}

function parseFinTimeout(text: string): Action {
  const timeouts: { idleTimeout?: number; hardTimeout?: number } = {};
  for (const piece of splitOutside(text)) {
    const { name, value } = splitPair(piece);
    if (name === 'idle_timeout') timeouts.idleTimeout = number('fin_timeout', value);
    else if (name === 'hard_timeout') timeouts.hardTimeout = number('fin_timeout', value);
    else throw new FlowNotationError('fin_timeout', `no setting '${piece}'`);
  }
  return { type: 'fin_timeout', ...timeouts };
}

/** What ovs-ofctl makes of it for OpenFlow 1.1 and later. */
function parseEnqueue(value: string): readonly Action[] {
  const [port, queue, ...more] = value.split(/[:,]/).map((part) => part.trim());
  if (port === undefined || queue === undefined || more.length > 0)
    throw new FlowNotationError('enqueue', `'${value}' is not a port and a queue, such as 1:2`);
  return [
    { type: 'set_queue', queue: number('enqueue', queue) },
    { type: 'output', port: parsePort(port) },
    { type: 'pop_queue' },
  ];
}

function parseDecTtl(value: string): Action {
  if (value.trim() === '') return { type: 'dec_ttl' };
  return { type: 'dec_ttl', controllerIds: splitOutside(value).map((id) => number('dec_ttl', id)) };
}

function parseAction(
  text: string,
  match: Readonly<Record<string, MatchValue>>,
): Action | readonly Action[] | undefined {
  const { name: written, value, mark } = splitPair(text);
  const name = written.toLowerCase();
  const plain = PLAIN.find((type) => type === name);
  if (plain !== undefined) return { type: plain };
  if (name in OLD_SETS) return oldSet(name, value, match);
  switch (name) {
    case 'drop':
      return undefined;
    case 'dec_ttl':
      return parseDecTtl(value);
    case 'enqueue':
      return parseEnqueue(value);
    case 'push':
      return { type: name, source: parseSubfield(value) };
    case 'pop':
      return { type: name, target: parseSubfield(value) };
    case 'check_pkt_larger':
      return parseCheckLarger(text);
    case 'fin_timeout':
      return parseFinTimeout(value);
    case 'clone':
      return { type: name, actions: parseActions(value, match) };
    case 'strip_vlan':
      return { type: 'pop_vlan' };
    case 'mod_vlan_vid':
      return { type: 'mod_vlan_vid', vlan: number(name, value) };
    case 'set_vlan_vid':
      return { type: 'set_field', field: 'vlan_vid', value: number(name, value) | 0x1000 };
    case 'mod_nw_tos':
      return { type: 'set_field', field: 'ip_dscp', value: number(name, value) >> 2 };
    case 'output': {
      const isField = /[[\]]/.test(value) || (findField(value) !== undefined && !/^[0-9]/.test(value));
      return isField
        ? { type: 'output_field', source: parseSubfield(value) }
        : { type: 'output', port: parsePort(value) };
    }
    case 'controller':
      return parseController(value, mark);
    case 'group':
    case 'meter':
      return name === 'group' ? { type: name, group: number(name, value) } : { type: name, meter: number(name, value) };
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
      return { type: name, ethertype: number(name, value) };
    case 'set_field':
      return setField(value);
    case 'load': {
      const [from, to] = arrow(name, value);
      const target = parseSubfield(to);
      return { type: 'load', value: fieldValue(target.field, from), target };
    }
    case 'move':
      return { type: 'move', ...subfieldPair(value) };
    case 'resubmit':
      return mark === ':' ? { type: 'resubmit', port: parsePort(value) } : parseResubmit(value);
    case 'ct':
      return parseCt(value, match);
    case 'conjunction': {
      const parts = /^(\d+)\s*,\s*(\d+)\/(\d+)$/.exec(value);
      if (parts === null) throw new FlowNotationError(name, `'${value}' is not of the form 7,1/2`);
      return { type: name, id: Number(parts[1]), clause: Number(parts[2]), clauses: Number(parts[3]) };
    }
    case 'learn':
      return parseLearn(value);
    case 'note':
      return { type: name, bytes: value };
    case 'sample':
      return parseSample(value);
    case 'set_queue':
      return { type: name, queue: number(name, value) };
    case 'goto_table':
      return { type: name, table: number(name, value) };
    case 'write_metadata': {
      const [wanted = '', mask] = value.split('/');
      const metadata = { type: name, value: BigInt(parseNumber(name, wanted)) } as const;
      return mask === undefined ? metadata : { ...metadata, mask: BigInt(parseNumber(name, mask)) };
    }
    case 'write_actions':
      return { type: name, actions: parseActions(value, match) };
    default:
      if (mark === '' || mark === ':') {
        const reserved = reservedPort(name);
        if (reserved !== undefined) return { type: 'output', port: reserved };
        if (mark === '' && /^("[^"]+"|[0-9]+)$/.test(text)) return { type: 'output', port: parsePort(text) };
      }
      throw new FlowNotationError(written, 'no such action; the names are those of ovs-actions(7)');
  }
}

/** A comma-separated action list; `drop` or nothing is the empty list. The match says what `mod_tp_dst` is about. */
export function parseActions(text: string, match: Readonly<Record<string, MatchValue>> = {}): Action[] {
  return splitOutside(text)
    .flatMap((piece) => parseAction(piece, match))
    .filter((action) => action !== undefined);
}
