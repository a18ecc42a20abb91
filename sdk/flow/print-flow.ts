import { FlowNotationError } from './errors';
import { fieldNamed, findField, protocol } from './fields';
import type { Action, FieldValue, Flow, LearnSpec, Match, MatchByName, MatchValue, NatSpec } from './model';
import { formatPort } from './port-text';
import { formatSubfield } from './subfield';

type ActionOf<Type extends Action['type']> = Extract<Action, { readonly type: Type }>;

function formatValue(name: string, value: FieldValue): string {
  if (typeof value === 'string') return value;
  const notation = findField(name)?.notation ?? 'decimal';
  if (notation === 'decimal' || notation === 'port' || name.startsWith('dl_vlan')) return String(value);
  if (notation === 'ethernet') return (value.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
  if (notation === 'ipv4') return [24, 16, 8, 0].map((shift) => (Number(value) >>> shift) & 0xff).join('.');
  if (notation === 'ipv6') return (value.toString(16).padStart(32, '0').match(/..../g) ?? []).join(':');
  return `0x${value.toString(16)}`;
}

function formatMatchValue(name: string, value: MatchValue): string {
  if (typeof value !== 'object') return formatValue(name, value);
  if ('port' in value) return formatPort(value);
  return `${formatValue(name, value.value)}/${formatValue(name, value.mask)}`;
}

const SHORTHANDS = Object.entries(protocol).filter(([, fields]) => 'nw_proto' in fields);

/** The match in ovs-ofctl's words; protocols by shorthand where one says it all. */
export function printMatch(match: Match): string {
  const ethType = match.eth_type ?? match.dl_type;
  const ipProto = match.nw_proto ?? match.ip_proto;
  const both = SHORTHANDS.find(
    ([, fields]) => fields.eth_type === ethType && 'nw_proto' in fields && fields.nw_proto === ipProto,
  );
  const alone = Object.entries(protocol).find(([, fields]) => fields.eth_type === ethType && !('nw_proto' in fields));
  const shorthand = both?.[0] ?? alone?.[0];
  const said = new Set(
    shorthand === undefined
      ? []
      : both === undefined
        ? ['eth_type', 'dl_type']
        : ['eth_type', 'dl_type', 'nw_proto', 'ip_proto'],
  );
  const parts = shorthand === undefined ? [] : [shorthand];
  const named: MatchByName = match;
  const names = Object.keys(named).filter((name) => !said.has(name) && named[name] !== undefined);
  const order = (name: string) => findField(name)?.order ?? -1;
  const dependsOnType = new Set(['eth_type', 'dl_type']);
  names.sort(
    (left, right) => Number(dependsOnType.has(right)) - Number(dependsOnType.has(left)) || order(left) - order(right),
  );
  for (const name of names) {
    const value = named[name];
    if (value !== undefined) parts.push(`${name}=${formatMatchValue(name, value)}`);
  }
  return parts.join(',');
}

function printNat(nat: NatSpec): string {
  const bracket = (address: string) => (address.includes(':') ? `[${address}]` : address);
  const range = (low: string | number | undefined, high: string | number | undefined) =>
    high === undefined || high === low ? `${low ?? ''}` : `${low}-${high}`;
  const flags = (['persistent', 'hash', 'random'] as const).filter((flag) => nat[flag] === true);
  const parts: string[] = [];
  if (nat.direction !== undefined) {
    const addresses = range(nat.addressMin && bracket(nat.addressMin), nat.addressMax && bracket(nat.addressMax));
    const ports = nat.portMin === undefined ? '' : `:${range(nat.portMin, nat.portMax)}`;
    parts.push(addresses === '' && ports === '' ? nat.direction : `${nat.direction}=${addresses}${ports}`);
  }
  parts.push(...flags);
  return parts.length === 0 ? 'nat' : `nat(${parts.join(',')})`;
}

function printCt(ct: ActionOf<'ct'>): string {
  const parts = [
    ct.commit === true ? 'commit' : '',
    ct.force === true ? 'force' : '',
    ct.table === undefined ? '' : `table=${ct.table}`,
    ct.zone === undefined ? '' : `zone=${typeof ct.zone === 'number' ? ct.zone : formatSubfield(ct.zone)}`,
    ct.nat === undefined ? '' : printNat(ct.nat),
    ct.exec === undefined || ct.exec.length === 0 ? '' : `exec(${ct.exec.map(printAction).join(',')})`,
    ct.alg === undefined ? '' : `alg=${ct.alg}`,
  ];
  return `ct(${parts.filter((part) => part !== '').join(',')})`;
}

function printLearnSpec(spec: LearnSpec): string {
  if (spec.kind === 'output') return `output:${formatSubfield(spec.source)}`;
  const target = formatSubfield(spec.target);
  const source = 'value' in spec.source ? formatImmediate(spec.source.value) : formatSubfield(spec.source);
  return spec.kind === 'load' ? `load:${source}->${target}` : `${target}=${source}`;
}

/** A value on its way into a subfield, always readable as a number where it is one. */
function formatImmediate(value: FieldValue): string {
  return typeof value === 'string' ? value : `0x${value.toString(16)}`;
}

function printLearn(learn: ActionOf<'learn'>): string {
  const setting = (name: string, value: number | undefined) => (value === undefined ? [] : [`${name}=${value}`]);
  return `learn(${[
    `table=${learn.table}`,
    ...setting('idle_timeout', learn.idleTimeout),
    ...setting('hard_timeout', learn.hardTimeout),
    ...setting('fin_idle_timeout', learn.finIdleTimeout),
    ...setting('fin_hard_timeout', learn.finHardTimeout),
    ...setting('priority', learn.priority),
    ...(learn.cookie === undefined ? [] : [`cookie=0x${learn.cookie.toString(16)}`]),
    ...setting('limit', learn.limit),
    ...(learn.sendFlowRemoved === true ? ['send_flow_rem'] : []),
    ...(learn.deleteLearned === true ? ['delete_learned'] : []),
    ...learn.specs.map(printLearnSpec),
  ].join(',')})`;
}

function dotted(bytes: string): string {
  return (bytes.replaceAll('.', '').match(/../g) ?? []).join('.');
}

function printController(action: ActionOf<'controller'>): string {
  const { maxLength, controllerId, reason, userdata } = action;
  if ((controllerId ?? 0) === 0 && (reason ?? 1) === 1 && userdata === undefined) return `CONTROLLER:${maxLength}`;
  const parts = [
    ...(maxLength === 0xffff ? [] : [`max_len=${maxLength}`]),
    ...(controllerId === undefined ? [] : [`id=${controllerId}`]),
    ...(reason === undefined
      ? []
      : [`reason=${['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'][reason] ?? reason}`]),
    ...(userdata === undefined ? [] : [`userdata=${dotted(userdata)}`]),
  ];
  return `controller(${parts.join(',')})`;
}

function printFinTimeout({ idleTimeout, hardTimeout }: ActionOf<'fin_timeout'>): string {
  const parts = [
    ...(idleTimeout === undefined ? [] : [`idle_timeout=${idleTimeout}`]),
    ...(hardTimeout === undefined ? [] : [`hard_timeout=${hardTimeout}`]),
  ];
  return `fin_timeout(${parts.join(',')})`;
}

function printSetField(action: ActionOf<'set_field'>): string {
  const { name } = fieldNamed(action.field);
  const mask = action.mask === undefined ? '' : `/${formatValue(name, action.mask)}`;
  const value = typeof action.value === 'object' ? formatPort(action.value) : formatValue(name, action.value);
  return `set_field:${value}${mask}->${name}`;
}

/** One action in ovs-ofctl's words. @throws FlowNotationError for a `raw` action, which has none. */
export function printAction(action: Action): string {
  switch (action.type) {
    case 'output':
      return typeof action.port === 'string' ? action.port : `output:${formatPort(action.port)}`;
    case 'output_set':
      return [...action.ports]
        .sort()
        .map((port) => `output:${formatPort({ port })}`)
        .join(',');
    case 'output_field':
      return `output:${formatSubfield(action.source)}`;
    case 'controller':
      return printController(action);
    case 'group':
      return `group:${action.group}`;
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
      return `${action.type}:0x${action.ethertype.toString(16)}`;
    case 'mod_vlan_vid':
      return `mod_vlan_vid:${action.vlan}`;
    case 'set_field':
      return printSetField(action);
    case 'dec_ttl':
      return action.controllerIds === undefined ? 'dec_ttl' : `dec_ttl(${action.controllerIds.join(',')})`;
    case 'push':
      return `push:${formatSubfield(action.source)}`;
    case 'pop':
      return `pop:${formatSubfield(action.target)}`;
    case 'check_pkt_larger':
      return `check_pkt_larger(${action.length})->${formatSubfield(action.target)}`;
    case 'clone':
      return `clone(${action.actions.map(printAction).join(',')})`;
    case 'fin_timeout':
      return printFinTimeout(action);
    case 'load':
      return `load:${formatImmediate(action.value)}->${formatSubfield(action.target)}`;
    case 'move':
      return `move:${formatSubfield(action.source)}->${formatSubfield(action.target)}`;
    case 'resubmit': {
      const port = action.port === undefined ? '' : formatPort(action.port);
      return `resubmit(${port},${action.table ?? ''}${action.ct === true ? ',ct' : ''})`;
    }
    case 'ct':
      return printCt(action);
    case 'conjunction':
      return `conjunction(${action.id},${action.clause}/${action.clauses})`;
    case 'learn':
      return printLearn(action);
    case 'note':
      return `note:${dotted(action.bytes)}`;
    case 'sample':
      return `sample(probability=${action.probability},collector_set_id=${action.collectorSetId},obs_domain_id=${action.obsDomainId},obs_point_id=${action.obsPointId})`;
    case 'set_queue':
      return `set_queue:${action.queue}`;
    case 'meter':
      return `meter:${action.meter}`;
    case 'goto_table':
      return `goto_table:${action.table}`;
    case 'write_metadata':
      return `write_metadata:0x${action.value.toString(16)}${action.mask === undefined ? '' : `/0x${action.mask.toString(16)}`}`;
    case 'write_actions':
      return `write_actions(${action.actions.map(printAction).join(',')})`;
    case 'raw':
      throw new FlowNotationError('raw', `has no words in ovs-ofctl: ${action.bytes}`);
    default:
      return action.type;
  }
}

/** Where OpenFlow executes an instruction (OpenFlow 1.3.5, 5.9); ovs-ofctl wants them in that order. */
const RANK: Partial<Record<Action['type'], number>> = {
  meter: 0,
  clear_actions: 2,
  write_actions: 3,
  write_metadata: 4,
  goto_table: 5,
};

/** The action list in ovs-ofctl's words. */
export function printActions(actions: readonly Action[]): string {
  if (actions.length === 0) return 'drop';
  return [...actions]
    .sort((left, right) => (RANK[left.type] ?? 1) - (RANK[right.type] ?? 1))
    .map(printAction)
    .join(',');
}

/** A flow as `ovs-ofctl add-flow` takes it. */
export function printFlow(flow: Flow, cookie?: bigint): string {
  const parts = [
    ...(cookie === undefined ? [] : [`cookie=0x${cookie.toString(16)}`]),
    `table=${flow.table}`,
    `priority=${flow.priority}`,
    ...(flow.idleTimeout === undefined ? [] : [`idle_timeout=${flow.idleTimeout}`]),
    ...(flow.hardTimeout === undefined ? [] : [`hard_timeout=${flow.hardTimeout}`]),
  ];
  const match = printMatch(flow.match);
  if (match !== '') parts.push(match);
  return `${parts.join(',')} actions=${printActions(flow.actions)}`;
}
