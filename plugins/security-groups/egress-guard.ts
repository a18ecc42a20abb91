import { type Action, ctClear, type Flow, flow, type Match, port, protocol, resubmit } from '@patchbay/sdk';
import { toDropped, track } from './actions';
import type { AllowedPair, GuardedPort, Tracking } from './guarded-port';
import { PORT_REGISTER, FirewallTable as Table } from './tables';

/** RFC 2710, RFC 4861: the questions that IPv6 asks before it has said anything. */
const ASKED = [130, 133, 135];
const NEIGHBOUR_ADVERTISEMENT = 136;
const ROUTER_ADVERTISEMENT = 134;

/** What a port may send: only under addresses that are its own, and nothing that a router or a DHCP server says. */
export function egressGuardFlows(
  guarded: GuardedPort,
  tracking: Tracking,
  ethertypes: readonly number[],
): readonly Flow[] {
  const { bridge, name, pairs, macAddresses } = guarded;
  const own = { in_port: port(name), [PORT_REGISTER]: port(name) };
  const on = (priority: number, match: Match, actions: readonly Action[]): Flow =>
    flow({ bridge, table: Table.baseEgress, priority, match: { ...match, ...own }, actions });
  const out = [resubmit(Table.acceptedEgressNormal)];
  const accepted = [resubmit(Table.acceptOrIngress)];
  const rules = [tracking === 'untracked' ? resubmit(Table.rulesEgress) : track(Table.rulesEgress)];
  const ipv4 = pairs.filter((pair) => pair.ethertype === 'IPv4');
  const ipv6 = pairs.filter((pair) => pair.ethertype === 'IPv6');
  const dhcp = { ...protocol.udp, udp_src: 68, udp_dst: 67 };
  const dhcp6 = { ...protocol.udp6, udp_src: 546, udp_dst: 547 };
  return [
    ...ethertypes.map((ethertype) =>
      flow({
        bridge,
        table: Table.baseEgress,
        priority: 95,
        match: { eth_type: ethertype, [PORT_REGISTER]: port(name) },
        actions: out,
      }),
    ),
    ...ipv4.map((pair) => on(95, { ...protocol.arp, ...from(pair, 'arp_spa') }, out)),
    ...macAddresses.map((mac) => on(95, { ...protocol.rarp, eth_src: mac }, out)),
    ...ipv6.flatMap((pair) => [
      ...ASKED.map((type) => on(95, { ...protocol.icmp6, icmpv6_type: type, ...from(pair, 'ipv6_src') }, out)),
      on(95, { ...protocol.icmp6, icmpv6_type: NEIGHBOUR_ADVERTISEMENT, ...from(pair, 'nd_target') }, out),
    ]),
    ...ipv4.map((pair) => on(80, { ...dhcp, ...from(pair, 'nw_src') }, accepted)),
    ...macAddresses.map((mac) => on(80, { ...dhcp, eth_src: mac, nw_src: '0.0.0.0' }, accepted)),
    ...ipv6.map((pair) => on(80, { ...dhcp6, ...from(pair, 'ipv6_src') }, accepted)),
    on(70, { ...protocol.udp, udp_src: 67, udp_dst: 68 }, toDropped),
    on(70, { ...protocol.udp6, udp_src: 547, udp_dst: 546 }, toDropped),
    on(70, { ...protocol.icmp6, icmpv6_type: ROUTER_ADVERTISEMENT }, toDropped),
    ...ipv4.map((pair) => on(65, { ...protocol.ip, ...from(pair, 'nw_src') }, rules)),
    ...ipv6.map((pair) => on(65, { ...protocol.ipv6, ...from(pair, 'ipv6_src') }, rules)),
    on(10, {}, [ctClear, ...toDropped]),
  ];
}

function from({ macAddress, address }: AllowedPair, field: string): Match {
  return address === null ? { eth_src: macAddress } : { eth_src: macAddress, [field]: address };
}
