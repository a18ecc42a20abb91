import fc from 'fast-check';
import {
  addressOf,
  type Ethertype,
  ICMP_CODES,
  ICMP_TYPES,
  isRemote,
  LOCALS,
  type Local,
  macOf,
  PAIR_MAC,
  type Party,
  PORT_NUMBERS,
  REMOTES,
} from './world';

/** What conntrack says of a packet, as `ofproto/trace --ct-next` takes it. */
export const STATES = ['new', 'est', 'est,rpl', 'rel', 'rel,rpl', 'new,rel', 'inv'] as const;
export type State = (typeof STATES)[number];

/** A frame from one party to another; not from remote to remote. */
export interface Packet {
  readonly from: Party;
  readonly to: Party;
  readonly ethertype: Ethertype | 'ARP' | 'RARP' | 'other';
  readonly sourceMac: string;
  /** Of ARP the sender's protocol address. */
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly ports: readonly [source: number, destination: number];
  readonly icmp: readonly [type: number, code: number];
  /** Of a neighbour advertisement. */
  readonly target: string;
}

const WITH_PORTS: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);
export const isIcmp = ({ protocol, ethertype }: Packet): boolean => protocol === (ethertype === 'IPv4' ? 1 : 58);
export const hasPorts = ({ protocol }: Packet): boolean => WITH_PORTS.has(protocol);

const parties = fc
  .tuple(
    fc.constantFrom(...LOCALS),
    fc.oneof(
      { arbitrary: fc.constantFrom<Party>(...REMOTES), weight: 3 },
      { arbitrary: fc.constantFrom<Party>(...LOCALS), weight: 2 },
    ),
    fc.boolean(),
  )
  .filter(([one, other]) => one !== other)
  .map(([one, other, turned]) => (turned ? { from: other, to: one as Party } : { from: one as Party, to: other }));

/** Whose address a packet is sent under: mostly one's own. */
const claim = fc.oneof(
  { arbitrary: fc.constant('own' as const), weight: 6 },
  fc.constantFrom(
    'pair' as const,
    'pair mac' as const,
    'foreign' as const,
    'foreign mac' as const,
    'link-local' as const,
    'none' as const,
  ),
);
const ports = fc.oneof(
  {
    arbitrary: fc
      .tuple(fc.constant(40_000), fc.constantFrom(...PORT_NUMBERS))
      .map(([source, destination]) => [source, destination] as const),
    weight: 8,
  },
  // DHCP, both ways, of both families.
  fc.constantFrom([68, 67] as const, [67, 68] as const, [546, 547] as const, [547, 546] as const),
);

export const packet: fc.Arbitrary<Packet> = fc
  .tuple(
    parties,
    claim,
    fc.oneof(
      { arbitrary: fc.constantFrom<Packet['ethertype']>('IPv4', 'IPv6'), weight: 12 },
      fc.constantFrom<Packet['ethertype']>('ARP', 'RARP', 'other'),
    ),
  )
  .chain(([{ from, to }, claimed, ethertype]) => {
    const family = ethertype === 'IPv6' ? 'IPv6' : 'IPv4';
    const discovery = family === 'IPv6' ? [130, 133, 134, 135, 136] : [];
    const sent = sourceOf(from, claimed, family);
    return fc.record({
      from: fc.constant(from),
      to: fc.constant(to),
      ethertype: fc.constant(ethertype),
      sourceMac: fc.constant(sent.mac),
      source: fc.constant(sent.address),
      // Now and then one that the receiver has as an allowed address pair at most.
      destination: fc.oneof(
        { arbitrary: fc.constant(addressOf(to, family)), weight: 5 },
        fc.constant(family === 'IPv4' ? '10.7.0.9' : 'fd00:7::9'),
      ),
      protocol: fc.constantFrom(6, 6, 17, 17, 132, 47, 112, 136, 253, ...Array(4).fill(family === 'IPv4' ? 1 : 58)),
      ports,
      icmp: fc.tuple(fc.constantFrom(...ICMP_TYPES[family], ...discovery), fc.constantFrom(...ICMP_CODES)),
      target: fc.constantFrom(sent.address, addressOf('north', family)),
    });
  });

type Claim = typeof claim extends fc.Arbitrary<infer C> ? C : never;

function sourceOf(from: Party, claimed: Claim, family: Ethertype): { readonly mac: string; readonly address: string } {
  const own = { mac: macOf(from), address: addressOf(from, family) };
  switch (claimed) {
    case 'own':
      return own;
    case 'pair':
      return { ...own, address: family === 'IPv4' ? '10.7.0.9' : 'fd00:7::9' };
    case 'pair mac':
      return { mac: PAIR_MAC, address: family === 'IPv4' ? '10.7.1.5' : 'fd00:7:1::5' };
    case 'foreign':
      return { ...own, address: family === 'IPv4' ? '10.0.1.99' : 'fd00:0:0:1::99' };
    case 'foreign mac':
      return { ...own, mac: 'fa:16:3e:99:99:99' };
    case 'link-local':
      return family === 'IPv4' ? own : { ...own, address: linkLocal(from) };
    case 'none':
      return { ...own, address: family === 'IPv4' ? '0.0.0.0' : '::' };
  }
}

/** RFC 4291, appendix A, of a MAC address that begins with fa:16:3e. */
export const linkLocal = (party: Party): string =>
  `fe80::f816:3eff:fe00:${Number.parseInt(macOf(party).slice(-2), 16).toString(16)}`;

/** Where a packet of the outside enters: a port of the provider bridge, on which the network has a VLAN id. */
export interface Uplink {
  readonly port: string;
  readonly segmentationId: number;
}

/** The packet as ofproto/trace takes it, with the bridge that it enters by. */
export function traced(what: Packet, uplink: Uplink, nameOf: (local: Local) => string): readonly [string, string] {
  const isOutside = isRemote(what.from);
  const entrance = isOutside
    ? `in_port=${uplink.port},dl_vlan=${uplink.segmentationId},dl_vlan_pcp=0`
    : `in_port=${nameOf(what.from as Local)}`;
  const destination = what.ethertype === 'ARP' || what.ethertype === 'RARP' ? 'ff:ff:ff:ff:ff:ff' : macOf(what.to);
  const text = [entrance, `dl_src=${what.sourceMac}`, `dl_dst=${destination}`, ...payload(what)].join(',');
  return [isOutside ? 'br-ex' : 'br-int', text];
}

function payload(what: Packet): readonly string[] {
  const { ethertype, source, destination, protocol, icmp, target } = what;
  if (ethertype === 'other') return ['dl_type=0x88b5'];
  if (ethertype === 'ARP' || ethertype === 'RARP') {
    const type = ethertype === 'ARP' ? '0x0806' : '0x8035';
    return [`dl_type=${type}`, 'arp_op=1', `arp_spa=${source}`, `arp_tpa=${destination}`];
  }
  const isV4 = ethertype === 'IPv4';
  const addresses = isV4
    ? ['dl_type=0x0800', `nw_src=${source}`, `nw_dst=${destination}`]
    : ['dl_type=0x86dd', `ipv6_src=${source}`, `ipv6_dst=${destination}`];
  const transport = WITH_PORTS.get(protocol);
  const isDiscovery = !isV4 && (icmp[0] === 135 || icmp[0] === 136);
  const inside = isIcmp(what)
    ? [
        `${isV4 ? 'icmp' : 'icmpv6'}_type=${icmp[0]}`,
        `${isV4 ? 'icmp' : 'icmpv6'}_code=${isDiscovery ? 0 : icmp[1]}`,
        ...(isDiscovery ? [`nd_target=${target}`] : []),
      ]
    : transport === undefined
      ? []
      : [`${transport}_src=${what.ports[0]}`, `${transport}_dst=${what.ports[1]}`];
  return [...addresses, `nw_proto=${protocol}`, 'nw_ttl=64', ...inside];
}

/** Where the packet went, by the answer of ofproto/trace: every port whose name is asked for. */
export function outputsOf(answer: string, names: ReadonlyMap<string, string>): readonly string[] {
  const actions = [...answer.matchAll(/^Datapath actions: (.*)$/gm)].map(([, list = '']) => list).join(',');
  return [...names].filter(([, name]) => actions.split(/[,()]/).includes(name)).map(([party]) => party);
}
