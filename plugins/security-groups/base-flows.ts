import {
  type Action,
  ctClear,
  type Flow,
  flow,
  type Match,
  output,
  port,
  protocol,
  resubmit,
  setField,
} from '@patchbay/sdk';
import { commit, identify, toDropped, toPort, track } from './actions';
import { deliveryFlows } from './direct-flows';
import { egressGuardFlows } from './egress-guard';
import type { GuardedPort, Tracking } from './guarded-port';
import { CUT_MARK, NETWORK_REGISTER, PORT_REGISTER, FirewallTable as Table, ZONE } from './tables';

/** RFC 4861 and RFC 2710: what a port must hear whatever its rules say, for IPv6 to work at all. */
const MLD_QUERY = 130;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;

/** Above the way to NORMAL of the hub's own flow, below all that names a port. */
const DIRECT_PRIORITY = 4;

export interface BaseSettings {
  readonly explicitly_egress_direct: boolean;
  readonly permitted_ethertypes: readonly number[];
}

const IP_FAMILIES: readonly Match[] = [protocol.ip, protocol.ipv6];

/** Flows that are no port's: the tables with no port in them. */
export function sharedFlows(bridge: string, settings: BaseSettings): readonly Flow[] {
  const drop = (table: number): Flow => flow({ bridge, table, priority: 0 });
  const invalid = (table: number): Flow =>
    flow({ bridge, table, priority: 50, match: { ct_state: '+trk+inv' }, actions: toDropped });
  return [
    ...[Table.baseEgress, Table.rulesEgress, Table.acceptOrIngress, Table.baseIngress, Table.rulesIngress].map(drop),
    drop(Table.acceptedIngress),
    drop(Table.dropped),
    flow({
      bridge,
      table: Table.baseEgress,
      priority: 110,
      match: { ct_state: '+trk' },
      actions: [ctClear, resubmit(Table.baseEgress)],
    }),
    invalid(Table.rulesEgress),
    invalid(Table.rulesIngress),
    flow({ bridge, table: Table.acceptedEgress, priority: 1, actions: [resubmit(Table.acceptedEgressNormal)] }),
    flow({ bridge, table: Table.acceptedEgressNormal, priority: 1, actions: [output('NORMAL')] }),
    ...(settings.explicitly_egress_direct
      ? [
          flow({
            bridge,
            table: Table.transient,
            priority: DIRECT_PRIORITY,
            actions: [resubmit(Table.acceptedEgressNormal)],
          }),
        ]
      : []),
  ];
}

/** A filtered port's flows, without its rules. */
export function filteredPortFlows(guarded: GuardedPort, tracking: Tracking, settings: BaseSettings): readonly Flow[] {
  const { permitted_ethertypes: ethertypes } = settings;
  return [
    entrance(guarded, Table.baseEgress),
    ...deliveryFlows(guarded),
    ...egressGuardFlows(guarded, tracking, ethertypes),
    ...acceptFlows(guarded, tracking),
    ...ingressGuardFlows(guarded, tracking, ethertypes),
    ...(tracking === 'untracked' ? unmatchedFlows(guarded) : connectionFlows(guarded)),
  ];
}

/** A port that is not filtered: it sends what it likes, and what is sent to it is not looked at. */
export function trustedPortFlows(guarded: GuardedPort): readonly Flow[] {
  return [entrance(guarded, Table.acceptOrIngress), passOn(guarded)];
}

function entrance(guarded: GuardedPort, table: number): Flow {
  return flow({
    bridge: guarded.bridge,
    table: Table.transient,
    priority: 100,
    match: { in_port: port(guarded.name) },
    actions: [...identify(guarded), resubmit(table)],
  });
}

function passOn({ bridge, name }: GuardedPort): Flow {
  return flow({
    bridge,
    table: Table.acceptOrIngress,
    priority: 80,
    match: { [PORT_REGISTER]: port(name) },
    actions: [resubmit(Table.acceptedEgressNormal)],
  });
}

function acceptFlows(guarded: GuardedPort, tracking: Tracking): readonly Flow[] {
  const { bridge, name, localVlan } = guarded;
  const own = { [PORT_REGISTER]: port(name) };
  const toItself = [setField(PORT_REGISTER, port(name)), resubmit(Table.baseIngress)];
  const local = guarded.macAddresses.map((mac) => ({ [NETWORK_REGISTER]: localVlan, eth_dst: mac }));
  const deliver = (
    table: number,
    priority: number,
    extra: Match = {},
    first: readonly Action[] = [],
  ): readonly Flow[] =>
    local.map((match) =>
      flow({ bridge, table, priority, match: { ...match, ...extra }, actions: [...first, ...toItself] }),
    );
  return [
    ...deliver(Table.acceptOrIngress, 100),
    // A stateless group commits nothing: a neighbour who waits for the answer has its connection committed on the way.
    ...(tracking === 'tracked'
      ? []
      : IP_FAMILIES.flatMap((family) =>
          deliver(Table.acceptOrIngress, 101, { ...family, ct_state: '+new-est' }, [commit]),
        )),
    ...(tracking === 'untracked'
      ? // Replies of a tracked neighbour would go out by NORMAL and come in unasked: its rules are asked here.
        deliver(Table.acceptedEgressNormal, 20)
      : IP_FAMILIES.map((family) =>
          flow({
            bridge,
            table: Table.acceptOrIngress,
            priority: 90,
            match: { ...family, ...own, ct_state: '+new-est' },
            actions: [commit, resubmit(Table.acceptedEgress)],
          }),
        )),
    passOn(guarded),
  ];
}

function ingressGuardFlows(guarded: GuardedPort, tracking: Tracking, ethertypes: readonly number[]): readonly Flow[] {
  const own = { [PORT_REGISTER]: port(guarded.name) };
  const on = (priority: number, match: Match, actions: readonly Action[]): Flow =>
    flow({ bridge: guarded.bridge, table: Table.baseIngress, priority, match: { ...match, ...own }, actions });
  const heard = [MLD_QUERY, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT, ROUTER_ADVERTISEMENT];
  const rules = [resubmit(Table.rulesIngress)];
  return [
    on(100, protocol.arp, [toPort(guarded)]),
    ...ethertypes.map((ethertype) => on(100, { eth_type: ethertype }, [toPort(guarded)])),
    ...heard.map((type) => on(100, { ...protocol.icmp6, icmpv6_type: type }, [toPort(guarded)])),
    on(95, { ...protocol.udp, udp_src: 67, udp_dst: 68 }, [toPort(guarded)]),
    on(95, { ...protocol.udp6, udp_src: 547, udp_dst: 546 }, [toPort(guarded)]),
    ...(tracking === 'untracked'
      ? IP_FAMILIES.map((family) => on(90, family, rules))
      : [
          ...IP_FAMILIES.map((family) => on(90, { ...family, ct_state: '-trk' }, [track(Table.rulesIngress)])),
          on(80, { ct_state: '+trk' }, rules),
        ]),
  ];
}

/** What the state of its connection decides for a packet that no rule let through. */
function connectionFlows(guarded: GuardedPort): readonly Flow[] {
  const { bridge, name, localVlan } = guarded;
  const directions = [
    { table: Table.rulesEgress, accept: resubmit(Table.acceptedEgressNormal) },
    { table: Table.rulesIngress, accept: toPort(guarded) },
  ];
  return directions.flatMap(({ table, accept }) => {
    const on = (priority: number, match: Match, actions: readonly Action[]): Flow =>
      flow({ bridge, table, priority, match: { ...match, [PORT_REGISTER]: port(name) }, actions });
    const uncut = { ct_mark: 0, ct_zone: localVlan };
    return [
      on(50, { ct_mark: CUT_MARK }, toDropped),
      on(50, { ct_state: '+est-rel+rpl', ...uncut }, [accept]),
      on(50, { ct_state: '-new-est+rel-inv', ...uncut }, [accept]),
      on(40, { ct_state: '-est' }, toDropped),
      ...IP_FAMILIES.map((family) => on(40, { ...family, ct_state: '+est' }, [cut])),
    ];
  });
}

/** A connection that no rule allows any more is marked: its replies are dropped too. */
const cut: Action = {
  type: 'ct',
  commit: true,
  zone: ZONE,
  exec: [setField('ct_mark', CUT_MARK)],
};

function unmatchedFlows({ bridge, name }: GuardedPort): readonly Flow[] {
  return [Table.rulesEgress, Table.rulesIngress].map((table) =>
    flow({ bridge, table, priority: 40, match: { [PORT_REGISTER]: port(name) }, actions: toDropped }),
  );
}
