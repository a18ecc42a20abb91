import type { FieldName, SubfieldText } from './field-names';
import type { Action, FieldValue, Flow, Match, NatSpec, PortName, PortRef, Subfield } from './model';
import { parseFlow } from './parse-flow';
import { fixed, seal } from './sealed';
import { parseSubfield } from './subfield';

type ActionOf<Type extends Action['type']> = Extract<Action, { readonly type: Type }>;

const EVERYTHING: Match = fixed({});

export interface FlowDraft {
  readonly bridge: string;
  /** 0 when absent. */
  readonly table?: number;
  readonly priority: number;
  readonly match?: Match;
  /** Absent or empty: drop. */
  readonly actions?: readonly Action[];
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
}

/** A flow with its defaults filled in. Nobody can change it afterwards: kept and stated again, it costs no copy. */
export function flow(draft: FlowDraft): Flow {
  return seal({ table: 0, match: EVERYTHING, actions: drop, ...draft });
}

/** A port by its name on the flow's bridge. */
export const port = (name: string): PortName => fixed({ port: name });

const bits = (subfield: Subfield | SubfieldText): Subfield =>
  typeof subfield === 'string' ? parseSubfield(subfield) : subfield;
const target = (to: PortRef | string): PortRef =>
  typeof to === 'string' && !RESERVED.has(to) ? port(to) : (to as PortRef);
const RESERVED: ReadonlySet<string> = new Set(['IN_PORT', 'NORMAL', 'FLOOD', 'ALL', 'CONTROLLER', 'LOCAL']);

// What these make nobody can change: flows have it without a copy.

/** No action at all. */
export const drop: readonly Action[] = fixed([]);
/** What many flows do, as one list: none of them needs a copy. */
export const actionList = (...actions: readonly Action[]): readonly Action[] => fixed([...actions]);
/** To a port: its name, its number or a reserved port. */
export const output = (to: PortRef | string): ActionOf<'output'> => fixed({ type: 'output', port: target(to) });
/** To each of the named ports that exists. */
export const outputSet = (ports: readonly string[]): ActionOf<'output_set'> => fixed({ type: 'output_set', ports });
export const normal: ActionOf<'output'> = fixed({ type: 'output', port: 'NORMAL' });
/** To the controller, at most so many bytes of the frame. */
export const toController = (maxLength = 0xffff): ActionOf<'controller'> => fixed({ type: 'controller', maxLength });
/** Sets a whole field, or the bits of a mask. A register takes a port's name for its number: `setField('reg5', port('tap1'))`. */
export const setField = (field: FieldName, value: FieldValue | PortName, mask?: FieldValue): ActionOf<'set_field'> =>
  fixed(mask === undefined ? { type: 'set_field', field, value } : { type: 'set_field', field, value, mask });
/** Rewrites the VLAN id of a frame that has a tag. */
export const setVlan = (vlan: number): ActionOf<'set_field'> => setField('vlan_vid', vlan | 0x1000);
/** Puts an 802.1Q tag in front. Follow with `setVlan`. */
export const pushVlan: ActionOf<'push_vlan'> = fixed({ type: 'push_vlan', ethertype: 0x8100 });
export const popVlan: ActionOf<'pop_vlan'> = fixed({ type: 'pop_vlan' });
/** Puts an MPLS label in front, for unicast unless told. Follow with `setField('mpls_label', …)`. */
export const pushMpls = (ethertype = 0x8847): ActionOf<'push_mpls'> => fixed({ type: 'push_mpls', ethertype });
/** Takes the first MPLS label off; what is behind it is of that Ethernet type. */
export const popMpls = (ethertype: number): ActionOf<'pop_mpls'> => fixed({ type: 'pop_mpls', ethertype });
export const decMplsTtl: ActionOf<'dec_mpls_ttl'> = fixed({ type: 'dec_mpls_ttl' });
/** Of IPv4 the TTL, of IPv6 the hop limit. */
export const decTtl: ActionOf<'dec_ttl'> = fixed({ type: 'dec_ttl' });
/** `load('reg3[0]', 1)`. */
export const load = (into: Subfield | SubfieldText, value: FieldValue): ActionOf<'load'> =>
  fixed({ type: 'load', value, target: bits(into) });
export const move = (source: Subfield | SubfieldText, into: Subfield | SubfieldText): ActionOf<'move'> =>
  fixed({ type: 'move', source: bits(source), target: bits(into) });
/** Sets one bit, `checkPacketLarger(1500, 'reg0[0]')`: whether the frame, without its VLAN tag, has more bytes. */
export const checkPacketLarger = (length: number, into: Subfield | SubfieldText): ActionOf<'check_pkt_larger'> =>
  fixed({ type: 'check_pkt_larger', length, target: bits(into) });
/** A field, or part of one, onto the packet's stack. */
export const pushField = (source: Subfield | SubfieldText): ActionOf<'push'> =>
  fixed({ type: 'push', source: bits(source) });
/** The topmost entry off the packet's stack. */
export const popField = (into: Subfield | SubfieldText): ActionOf<'pop'> => fixed({ type: 'pop', target: bits(into) });
/** Does the actions to a copy: what they change is as before after them. */
export const clone = (...actions: readonly Action[]): ActionOf<'clone'> =>
  fixed({ type: 'clone', actions: [...actions] });
/** Looks the packet up again in a table, as if it had come in by its own port or the one given. */
export const resubmit = (table: number, from?: PortRef): ActionOf<'resubmit'> =>
  fixed(from === undefined ? { type: 'resubmit', table } : { type: 'resubmit', table, port: from });
export const gotoTable = (table: number): ActionOf<'goto_table'> => fixed({ type: 'goto_table', table });
export const meter = (id: number): ActionOf<'meter'> => fixed({ type: 'meter', meter: id });
export const group = (id: number): ActionOf<'group'> => fixed({ type: 'group', group: id });
export const setQueue = (queue: number): ActionOf<'set_queue'> => fixed({ type: 'set_queue', queue });

export interface CtSettings {
  readonly commit?: boolean;
  readonly force?: boolean;
  /** A zone number or where it stands: `'reg6[0..15]'`. */
  readonly zone?: number | Subfield | SubfieldText;
  readonly table?: number;
  readonly nat?: NatSpec;
  readonly exec?: readonly Action[];
  readonly alg?: 'ftp' | 'tftp';
}

/** Sends the packet through connection tracking. */
export function ct({ zone, ...rest }: CtSettings): ActionOf<'ct'> {
  if (zone === undefined) return fixed({ type: 'ct', ...rest });
  return fixed({ type: 'ct', ...rest, zone: typeof zone === 'string' ? parseSubfield(zone) : zone });
}

export const ctClear: ActionOf<'ct_clear'> = fixed({ type: 'ct_clear' });
/** One clause of a conjunctive match; clauses count from 1. */
export const conjunction = (id: number, clause: number, clauses: number): ActionOf<'conjunction'> =>
  fixed({ type: 'conjunction', id, clause, clauses });
export const learn = (settings: Omit<ActionOf<'learn'>, 'type'>): ActionOf<'learn'> =>
  fixed({ type: 'learn', ...settings });

/** A flow in ovs-ofctl's words: ``flowText('br-int')`table=60,priority=100,in_port="${name}" actions=drop` ``. */
export function flowText(
  bridge: string,
): (strings: TemplateStringsArray, ...values: readonly (string | number | bigint)[]) => Flow {
  return (strings, ...values) => parseFlow(bridge, String.raw({ raw: strings }, ...values));
}
