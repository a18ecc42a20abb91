import ipaddr from 'ipaddr.js';
import type { RuleWish } from '../stand-in-objects';
import { hasPorts, isIcmp, linkLocal, type Packet, type State } from './packets';
import {
  addressOf,
  type Group,
  isRemote,
  LOCALS,
  type Local,
  macOf,
  type Pair,
  type Party,
  REMOTES,
  type World,
} from './world';

/**
 * What must become of a packet, from what Neutron's API says of groups, address pairs and port security: whether it arrives. Written
 * without a look at flows. A frame without a rule's leave that a port may send all the same (ARP, neighbour discovery, replies) arrives
 * with whomever NORMAL takes it to.
 */
export function arrives(world: World, what: Packet, state: State): boolean {
  const sent = isRemote(what.from) ? 'let out' : leaves(world, what, what.from, state);
  if (sent === 'dropped') return false;
  if (isRemote(what.to) || !isFiltered(world, what.to)) return true;
  // The answers of one who keeps state come in unasked; whoever keeps none asks its rules.
  if (sent === 'let out unasked' && !isStateless(world, what.to)) return true;
  return enters(world, what, what.to, state);
}

export const isFiltered = ({ ports }: World, local: Local): boolean => local !== 'dhcp' && ports[local].portSecurity;

const isStateless = ({ ports }: World, local: Local): boolean =>
  ports[local].groups.every((group) => group === 'stateless');

type Sent = 'let out' | 'let out unasked' | 'dropped';

function leaves(world: World, what: Packet, local: Local, state: State): Sent {
  if (!isFiltered(world, local)) return 'let out';
  const own = ownPairs(world, local);
  const isOwn = (address: string) => own.some((pair) => pair.macAddress === what.sourceMac && holds(pair, address));
  const { ethertype, source, ports, protocol } = what;
  if (ethertype === 'other') return 'dropped';
  if (ethertype === 'RARP')
    return own.some(({ macAddress }) => macAddress === what.sourceMac) ? 'let out unasked' : 'dropped';
  if (ethertype === 'ARP') return isOwn(source) ? 'let out unasked' : 'dropped';
  if (ethertype === 'IPv6' && isIcmp(what)) {
    const [type] = what.icmp;
    // Questions of MLD and neighbour discovery, under one's own address; answers about one's own address.
    if ([130, 133, 135].includes(type) && isOwn(source)) return 'let out unasked';
    if (type === 136 && isOwn(what.target)) return 'let out unasked';
    // Router advertisements.
    if (type === 134) return 'dropped';
  }
  if (protocol === 17) {
    const [client, server] = ethertype === 'IPv4' ? [68, 67] : [546, 547];
    const asksForAnAddress = ethertype === 'IPv4' && source === '0.0.0.0' && isMacOf(world, local, what.sourceMac);
    if (ports[0] === client && ports[1] === server && (isOwn(source) || asksForAnAddress)) return 'let out';
    if (ports[0] === server && ports[1] === client) return 'dropped';
  }
  if (!isOwn(source)) return 'dropped';
  const judged = judge(world, what, local, 'egress', state);
  return judged === 'by a rule' ? 'let out' : judged === 'by its connection' ? 'let out unasked' : 'dropped';
}

function enters(world: World, what: Packet, local: Local, state: State): boolean {
  const { ethertype, ports, protocol } = what;
  if (ethertype === 'other') return false;
  // Both are sent to everybody.
  if (ethertype === 'ARP' || ethertype === 'RARP') return true;
  if (ethertype === 'IPv6' && isIcmp(what) && [130, 134, 135, 136].includes(what.icmp[0])) return true;
  if (protocol === 17) {
    const [client, server] = ethertype === 'IPv4' ? [68, 67] : [546, 547];
    if (ports[0] === server && ports[1] === client) return true;
  }
  return judge(world, what, local, 'ingress', state) !== 'not at all';
}

/** Rules of stateless groups hold in whatever state; those of the others for connections that are new or were let through. */
function judge(world: World, what: Packet, local: Local, direction: RuleWish['direction'], state: State) {
  const { groups } = world.ports[local];
  const isNamedIn = (group: Group) =>
    world.rules[group].some((rule) => rule.direction === direction && allows(world, rule, what));
  if (groups.some((group) => group === 'stateless' && isNamedIn(group))) return 'by a rule';
  if (isStateless(world, local) || state === 'inv') return 'not at all';
  if (state === 'est,rpl' || state === 'rel' || state === 'rel,rpl') return 'by its connection';
  return groups.some((group) => group !== 'stateless' && isNamedIn(group)) ? 'by a rule' : 'not at all';
}

const NUMBERS: Readonly<Record<string, number>> = {
  tcp: 6,
  udp: 17,
  sctp: 132,
  icmp: 1,
  'ipv6-icmp': 58,
  gre: 47,
  vrrp: 112,
  udplite: 136,
};
export const protocolOf = ({ protocol }: RuleWish): number | undefined =>
  protocol === undefined ? undefined : (NUMBERS[protocol] ?? Number(protocol));

function allows(world: World, rule: RuleWish, what: Packet): boolean {
  if (rule.ethertype !== what.ethertype) return false;
  const protocol = protocolOf(rule);
  if (protocol !== undefined && protocol !== what.protocol) return false;
  if (rule.ports !== undefined) {
    const [first, last] = rule.ports;
    if (isIcmp(what)) {
      if (first !== what.icmp[0] || (last !== undefined && last !== what.icmp[1])) return false;
    } else if (!hasPorts(what) || what.ports[1] < first || what.ports[1] > (last ?? first)) return false;
  }
  const isIn = rule.direction === 'ingress';
  const address = isIn ? what.source : what.destination;
  if (rule.remoteIpPrefix !== undefined) return within(rule.remoteIpPrefix, address);
  if (rule.remoteAddressGroupId !== undefined) return world.offices.some((prefix) => within(prefix, address));
  const group = rule.remoteGroupId;
  if (group === undefined) return true;
  const mac = isIn ? what.sourceMac : macOf(what.to);
  const members = [...LOCALS, ...REMOTES].filter((party) => world.ports[party].groups.some((one) => one === group));
  return members.flatMap((party) => memberPairs(world, party)).some((pair) => isMember(pair, address, mac));
}

/** Who may use any address is known by the MAC address. */
const isMember = (pair: Pair, address: string, mac: string): boolean =>
  pair.address.endsWith('/0')
    ? within(pair.address, address) && pair.macAddress === mac
    : within(pair.address, address);

function memberPairs(world: World, party: Party): readonly Pair[] {
  const fixed = (['IPv4', 'IPv6'] as const).map((family) => ({
    macAddress: macOf(party),
    address: addressOf(party, family),
  }));
  return [...fixed, ...world.ports[party].pairs];
}

/** What a port may send under: what makes it a member, and its link-local addresses. */
function ownPairs(world: World, local: Local): readonly Pair[] {
  return [...memberPairs(world, local), { macAddress: macOf(local), address: linkLocal(local) }];
}

const isMacOf = (world: World, local: Local, mac: string): boolean =>
  ownPairs(world, local).some(({ macAddress }) => macAddress === mac);

const holds = ({ address }: Pair, other: string): boolean => within(address, other);

function within(prefix: string, address: string): boolean {
  const [base, length] = ipaddr.parseCIDR(
    prefix.includes('/') ? prefix : `${prefix}/${prefix.includes(':') ? 128 : 32}`,
  );
  const one = ipaddr.parse(address);
  return one.kind() === base.kind() && one.match(base, length);
}
