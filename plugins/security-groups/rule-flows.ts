import {
  type Action,
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
import {
  type ConjunctionUse,
  type ConnectionState,
  CT_STATE,
  conjunctionOf,
  DIMENSIONS,
  PORT_CLAUSE,
  statesOf,
} from './conjunctions';
import { FlowSet } from './flow-set';
import type { GuardedPort } from './guarded-port';
import { portMasks } from './port-ranges';
import { priorityOf } from './priorities';
import { SCTP, TCP } from './protocols';
import type { Rule } from './rules';
import { CONJUNCTION_REGISTER, PORT_REGISTER, FirewallTable as Table } from './tables';

/** A port's rules as flows. `blockOf` answers a conjunction's block of ids by its name. */
export function ruleFlows(
  guarded: GuardedPort,
  rules: readonly Rule[],
  blockOf: (name: string) => number,
): readonly Flow[] {
  const flows = new FlowSet();
  for (const rule of rules) {
    const use = conjunctionOf(rule, blockOf);
    flows.addAll(use === undefined ? plainFlows(guarded, rule) : conjunctiveFlows(guarded, rule, use));
  }
  return flows.list();
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

function plainFlows(guarded: GuardedPort, rule: Rule): Flow[] {
  const { direction, ethertype, remote } = rule;
  const address = remote.kind === 'prefix' ? { [remoteField(direction, ethertype)]: remote.prefix } : {};
  return statesOf(rule).flatMap((state) =>
    trafficMatches(rule).map((traffic) =>
      flow({
        bridge: guarded.bridge,
        table: rulesTable(direction),
        priority: priorityOf(rule),
        match: { ...traffic, ...address, ...inState(state), [PORT_REGISTER]: port(guarded.name) },
        actions: accept(guarded, direction, state),
      }),
    ),
  );
}

function conjunctiveFlows(guarded: GuardedPort, rule: Rule, { ids, priority }: ConjunctionUse): Flow[] {
  const { direction, ethertype } = rule;
  const place = { bridge: guarded.bridge, table: rulesTable(direction), priority };
  const own = { [PORT_REGISTER]: port(guarded.name) };
  return ids.flatMap(({ state, id }) => [
    ...trafficMatches(rule).map((traffic) =>
      flow({
        ...place,
        match: { ...traffic, ...inState(state), ...own },
        actions: [conjunction(id, PORT_CLAUSE, DIMENSIONS)],
      }),
    ),
    flow({
      ...place,
      match: { ...family(ethertype), conj_id: id, ...inState(state), ...own },
      actions: [setField(CONJUNCTION_REGISTER, id), ...accept(guarded, direction, state)],
    }),
  ]);
}

function accept(guarded: GuardedPort, direction: Direction, state: ConnectionState): readonly Action[] {
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
