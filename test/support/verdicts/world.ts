import fc from 'fast-check';
import type { RuleWish } from '../stand-in-objects';

/** Ports that both hosts have, under the same addresses. `dhcp` is one of Neutron's own. */
export const LOCALS = ['client', 'server', 'relay', 'loose', 'open', 'dhcp'] as const;
export type Local = (typeof LOCALS)[number];
/** Ports of a host that is not there: what groups have for members elsewhere. */
export const REMOTES = ['north', 'south', 'east', 'west'] as const;
export type Remote = (typeof REMOTES)[number];
export type Party = Local | Remote;
export const GROUPS = ['web', 'db', 'friends', 'stateless'] as const;
export type Group = (typeof GROUPS)[number];
export const OFFICES = 'offices';
export type Ethertype = 'IPv4' | 'IPv6';

export interface Pair {
  readonly macAddress: string;
  readonly address: string;
}

export interface PortSettings {
  readonly groups: readonly Group[];
  readonly pairs: readonly Pair[];
  readonly portSecurity: boolean;
}

/** What a control plane says at one moment. Remote groups and address groups of rules are named by {@link Group} and {@link OFFICES}. */
export interface World {
  readonly rules: Readonly<Record<Group, readonly RuleWish[]>>;
  readonly ports: Readonly<Record<Party, PortSettings>>;
  /** The address group's. */
  readonly offices: readonly string[];
}

const place = (party: Party): number => [...LOCALS, ...REMOTES].indexOf(party as Local) + 1;
export const isRemote = (party: Party): party is Remote => (REMOTES as readonly string[]).includes(party);
export const macOf = (party: Party): string => `fa:16:3e:00:00:0${place(party).toString(16)}`;
export function addressOf(party: Party, ethertype: Ethertype): string {
  const network = isRemote(party) ? 1 : 0;
  return ethertype === 'IPv4' ? `10.0.${network}.${place(party)}` : `fd00:0:0:${network}::${place(party)}`;
}

/** Of allowed address pairs: a prefix of each family, and somebody else's MAC address. */
export const PAIR_MAC = 'fa:16:3e:77:00:01';
const PAIRS: readonly Pair[] = [
  { macAddress: macOf('relay'), address: '10.7.0.0/24' },
  { macAddress: macOf('relay'), address: 'fd00:7::/64' },
  { macAddress: PAIR_MAC, address: '10.7.1.5' },
  { macAddress: PAIR_MAC, address: 'fd00:7:1::5' },
];
const ANY_ADDRESS: readonly Pair[] = [
  { macAddress: macOf('relay'), address: '0.0.0.0/0' },
  { macAddress: macOf('relay'), address: '::/0' },
];

// ── what is made up ──────────────────────────────────────────────────────────────────────────────────────────────────

const PREFIXES = {
  IPv4: ['10.0.0.0/24', '10.0.1.0/24', '10.0.1.8/29', '10.7.0.0/16', '10.0.0.2/32', '0.0.0.0/0'],
  IPv6: ['fd00::/64', 'fd00:0:0:1::/64', 'fd00:0:0:1::8/125', 'fd00:7::/32', 'fd00::2/128', '::/0'],
} as const;
/** Few, so that rules and packets meet: the edges of ranges and of their masks. */
export const PORT_NUMBERS = [1, 21, 22, 23, 79, 80, 81, 443, 1023, 1024, 1025, 40_000, 65_535] as const;
export const ICMP_TYPES = { IPv4: [0, 3, 8, 13], IPv6: [1, 128, 129, 143] } as const;
export const ICMP_CODES = [0, 1] as const;

const range = fc
  .tuple(fc.constantFrom(...PORT_NUMBERS), fc.constantFrom(...PORT_NUMBERS))
  .map(([one, other]) => ({ ports: [Math.min(one, other), Math.max(one, other)] as const }));

const service = (ethertype: Ethertype): fc.Arbitrary<Pick<RuleWish, 'protocol' | 'ports'>> => {
  const icmp = ethertype === 'IPv4' ? 'icmp' : 'ipv6-icmp';
  const type = fc.constantFrom(...ICMP_TYPES[ethertype]);
  const plain = ['tcp', 'udp', 'sctp', icmp, 'gre', 'vrrp', 'udplite', '6', '47', '253'];
  return fc.oneof(
    { arbitrary: fc.constant({}), weight: 2 },
    { arbitrary: fc.constantFrom(...plain).map((protocol) => ({ protocol })), weight: 4 },
    {
      arbitrary: fc
        .tuple(fc.constantFrom('tcp', 'udp', 'sctp', '17'), range)
        .map(([protocol, { ports }]) => ({ protocol, ports })),
      weight: 8,
    },
    { arbitrary: type.map((one) => ({ protocol: icmp, ports: [one] as const })), weight: 2 },
    {
      arbitrary: fc
        .tuple(type, fc.constantFrom(...ICMP_CODES))
        .map(([one, code]) => ({ protocol: icmp, ports: [one, code] as const })),
      weight: 2,
    },
    { arbitrary: range.map(({ ports }) => ({ protocol: 'udplite', ports })), weight: 1 },
  );
};

const remote = (ethertype: Ethertype): fc.Arbitrary<Partial<RuleWish>> =>
  fc.oneof(
    fc.constant({}),
    fc.constantFrom(...PREFIXES[ethertype]).map((remoteIpPrefix) => ({ remoteIpPrefix })),
    fc.constantFrom('friends', 'web').map((remoteGroupId) => ({ remoteGroupId })),
    fc.constant({ remoteAddressGroupId: OFFICES }),
  );

const rule: fc.Arbitrary<RuleWish> = fc
  .tuple(fc.constantFrom('ingress' as const, 'egress' as const), fc.constantFrom('IPv4' as const, 'IPv6' as const))
  .chain(([direction, ethertype]) =>
    fc.tuple(service(ethertype), remote(ethertype)).map(([what, who]) => ({ direction, ethertype, ...what, ...who })),
  );

const rules = (minLength: number, maxLength: number) => fc.array(rule, { minLength, maxLength, size: 'max' });
const noPairs: fc.Arbitrary<readonly Pair[]> = fc.constant([]);
const settings = (groups: fc.Arbitrary<readonly Group[]>, pairs: fc.Arbitrary<readonly Pair[]> = noPairs) =>
  fc.record({ groups, pairs, portSecurity: fc.constant(true) });
const member = settings(fc.subarray<Group>(['friends', 'web']));
/** Neutron's API takes no groups where port security is off. */
const nowAndThenOpen = fc.boolean().map((portSecurity) => ({
  groups: portSecurity ? (['db'] as const) : [],
  pairs: [],
  portSecurity,
}));

export const world: fc.Arbitrary<World> = fc.record({
  rules: fc.record({
    web: rules(2, 9),
    db: rules(2, 9),
    friends: fc.constant([]),
    stateless: rules(2, 6),
  }),
  ports: fc.record({
    client: settings(fc.constantFrom<readonly Group[]>(['web'], ['web', 'db'])),
    server: settings(fc.constant(['web', 'db'])),
    relay: settings(fc.constant(['db', 'friends']), fc.oneof(fc.subarray([...PAIRS]), fc.constant(ANY_ADDRESS))),
    // No port has groups of both kinds: rules towards the same remote group then stop the reference agent's loop.
    loose: settings(fc.constant(['stateless'])),
    open: nowAndThenOpen,
    dhcp: settings(fc.constant([])),
    north: member,
    south: member,
    east: member,
    west: member,
  }),
  offices: fc.subarray(['10.0.1.0/25', '10.0.1.9/32', '10.0.0.0/30', 'fd00:0:0:1::/64', 'fd00::1/128']),
});
