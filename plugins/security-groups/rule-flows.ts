import {
  type Action,
  actionList,
  conjunction,
  ctClear,
  type Direction,
  type Ethertype,
  type Flow,
  flow,
  type Match,
  port,
  protocol,
  resubmit,
  setField,
} from '@patchbay/sdk';
import { commit, toPort } from './actions';
import { type ConjunctionUse, type ConnectionState, CT_STATE, DIMENSIONS, PORT_CLAUSE, statesOf } from './conjunctions';
import { joinClauses, placeOf } from './flow-set';
import type { GuardedPort } from './guarded-port';
import { portMasks } from './port-ranges';
import { priorityOf } from './priorities';
import { SCTP, TCP } from './protocols';
import type { Rule } from './rules';
import { CONJUNCTION_REGISTER, PORT_REGISTER, FirewallTable as Table } from './tables';

/** A flow that a rule comes to, but for the port: the ports that have the rule have a flow of it each. */
export interface RuleOutline {
  /** Equal for two that are one flow of a port. */
  readonly place: string;
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  /** Of clauses of conjunctions, or what becomes of a packet that the rule lets through. */
  readonly effect: Clauses | Admission;
}

interface Clauses {
  readonly kind: 'clauses';
  readonly clauses: readonly Action[];
}

interface Admission {
  readonly kind: 'admission';
  readonly direction: Direction;
  readonly state: ConnectionState;
  /** The conjunction that let it through, which is kept with it. */
  readonly conjunction?: number;
}

/** All flows of a rule, in outline. `use`: of a rule towards an address set. */
export function outlinesOf(rule: Rule, use: ConjunctionUse | undefined): readonly RuleOutline[] {
  return use === undefined ? plainOutlines(rule) : conjunctiveOutlines(rule, use);
}

/** Two of one place as one: clauses are joined, of others the first counts, for they are the same. */
export function joinOutlines(present: RuleOutline, added: RuleOutline): RuleOutline {
  if (present.effect.kind !== 'clauses' || added.effect.kind !== 'clauses') return present;
  return {
    ...present,
    effect: { kind: 'clauses', clauses: joinClauses(present.effect.clauses, added.effect.clauses) },
  };
}

/** Makes the flows that one port has of outlines. What becomes of packets is the same in nearly all of them: one list of actions. */
export class RuleFlows {
  private readonly own: Match;
  private readonly admissions = new Map<string, readonly Action[]>();

  constructor(private readonly guarded: GuardedPort) {
    this.own = { [PORT_REGISTER]: port(guarded.name) };
  }

  flow({ table, priority, match, effect }: RuleOutline): Flow {
    const actions = effect.kind === 'clauses' ? effect.clauses : this.admission(effect);
    return flow({ bridge: this.guarded.bridge, table, priority, match: { ...match, ...this.own }, actions });
  }

  private admission(effect: Admission): readonly Action[] {
    const { direction, state, conjunction: id } = effect;
    const key = `${direction} ${state} ${id}`;
    const known = this.admissions.get(key);
    if (known !== undefined) return known;
    const first = id === undefined ? [] : [setField(CONJUNCTION_REGISTER, id)];
    const actions = actionList(...first, ...accept(this.guarded, effect));
    this.admissions.set(key, actions);
    return actions;
  }
}

/** The table of a direction's rules. */
export const rulesTable = (direction: Direction): number =>
  direction === 'ingress' ? Table.rulesIngress : Table.rulesEgress;

export const family = (ethertype: Ethertype): Match => (ethertype === 'IPv4' ? protocol.ip : protocol.ipv6);

/** The field that holds the other end's address. */
export const remoteField = (direction: Direction, ethertype: Ethertype): string =>
  ethertype === 'IPv4'
    ? direction === 'ingress'
      ? 'nw_src'
      : 'nw_dst'
    : direction === 'ingress'
      ? 'ipv6_src'
      : 'ipv6_dst';

export const inState = (state: ConnectionState): Match => (state === 'any' ? {} : { ct_state: CT_STATE[state] });

function outline(table: number, priority: number, match: Match, effect: RuleOutline['effect']): RuleOutline {
  return { place: placeOf(table, priority, match), table, priority, match, effect };
}

function plainOutlines(rule: Rule): readonly RuleOutline[] {
  const { direction, ethertype, remote } = rule;
  const address = remote.kind === 'prefix' ? { [remoteField(direction, ethertype)]: remote.prefix } : {};
  return statesOf(rule).flatMap((state) =>
    trafficMatches(rule).map((traffic) =>
      outline(
        rulesTable(direction),
        priorityOf(rule),
        { ...traffic, ...address, ...inState(state) },
        { kind: 'admission', direction, state },
      ),
    ),
  );
}

function conjunctiveOutlines(rule: Rule, { ids, priority }: ConjunctionUse): readonly RuleOutline[] {
  const { direction, ethertype } = rule;
  const table = rulesTable(direction);
  return ids.flatMap(({ state, id }) => [
    ...trafficMatches(rule).map((traffic) =>
      outline(
        table,
        priority,
        { ...traffic, ...inState(state) },
        { kind: 'clauses', clauses: actionList(conjunction(id, PORT_CLAUSE, DIMENSIONS)) },
      ),
    ),
    outline(
      table,
      priority,
      { ...family(ethertype), conj_id: id, ...inState(state) },
      { kind: 'admission', direction, state, conjunction: id },
    ),
  ]);
}

function accept(guarded: GuardedPort, { direction, state }: Admission): readonly Action[] {
  if (direction === 'egress') {
    // Without its state the packet is nobody's new connection: it is not committed on the way out.
    return state === 'any' ? [ctClear, resubmit(Table.acceptOrIngress)] : [resubmit(Table.acceptOrIngress)];
  }
  return state === 'new' ? [commit, toPort(guarded), resubmit(Table.acceptedIngress)] : [toPort(guarded)];
}

function trafficMatches({ traffic, ethertype }: Rule): readonly Match[] {
  const ip = family(ethertype);
  switch (traffic.kind) {
    case 'any':
      return [ip];
    case 'protocol':
      return [{ ...ip, nw_proto: traffic.protocol }];
    case 'icmp': {
      const name = ethertype === 'IPv4' ? 'icmp' : 'icmpv6';
      const code = traffic.code === null ? {} : { [`${name}_code`]: traffic.code };
      return [{ ...ip, nw_proto: traffic.protocol, [`${name}_type`]: traffic.type, ...code }];
    }
    case 'ports': {
      const { protocol: number, first, last } = traffic;
      const field = `${number === TCP ? 'tcp' : number === SCTP ? 'sctp' : 'udp'}_dst`;
      return portMasks(first, last).map(({ value, mask }) => ({
        ...ip,
        nw_proto: number,
        ...(mask === 0 ? {} : { [field]: mask === 0xffff ? value : { value, mask } }),
      }));
    }
  }
}
