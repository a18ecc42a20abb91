import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Flow, printFlow, type SecurityGroup, type SecurityGroupRule } from '@patchbay/sdk';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { askOver } from '../../../core/switch/conntrack/control-socket';
import { FlowResolver, withNumbers } from '../../../core/switch/planner/resolve';
import { FlowSet } from '../../../plugins/security-groups/flow-set';
import { boundPort, VLAN_SEGMENT } from '../../support/plugin-kit';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';
import { group, setUp } from '../../support/security-groups-kit';

/**
 * Rule sets, members and packets are made up; the model below says what must become of each packet, and a switch that has the flows is
 * asked (ofproto/trace). The seed of a failure is printed by fast-check, and with the counterexample runs it again.
 */
jest.setTimeout(300_000);

const PORTS: Readonly<Record<string, number>> = { 'tap-p1': 1, 'tap-p2': 2, uplink: 10 };
const MAC = 'fa:16:3e:00:00:01';
const OWN = { IPv4: '10.0.0.1', IPv6: 'fd00::1' } as const;
const REMOTE_MAC = 'fa:16:3e:0f:0f:0f';

// ── what is made up ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Few values, so that rules and packets meet. */
const addresses = {
  IPv4: ['10.0.0.7', '10.0.0.8', '10.0.1.9', '192.0.2.200'],
  IPv6: ['fd00::7', 'fd00::8', 'fd00:0:0:1::9', '2001:db8::200'],
} as const;
const prefixes = {
  IPv4: ['10.0.0.0/24', '10.0.0.7/32', '192.0.2.128/25', '0.0.0.0/0'],
  IPv6: ['fd00::/64', 'fd00::7/128', '2001:db8::/32', '::/0'],
} as const;
const edges = [0, 1, 21, 22, 23, 79, 80, 81, 442, 443, 444, 1023, 1024, 65_534, 65_535];
const portNumber = fc.constantFrom(...edges);

type Service = Pick<SecurityGroupRule, 'protocol' | 'portRangeMin' | 'portRangeMax'>;
const service: fc.Arbitrary<Service> = fc.oneof(
  fc.constant({ protocol: null, portRangeMin: null, portRangeMax: null }),
  fc.constantFrom('tcp', 'udp', 'sctp', '47').map((protocol) => ({ protocol, portRangeMin: null, portRangeMax: null })),
  fc.tuple(fc.constantFrom('tcp', 'udp', 'sctp'), portNumber, portNumber).map(([protocol, one, other]) => ({
    protocol,
    portRangeMin: Math.min(one, other),
    portRangeMax: Math.max(one, other),
  })),
  fc
    .tuple(fc.constantFrom(null, 3, 8, 128), fc.constantFrom(null, 0, 1))
    .map(([type, code]) => ({ protocol: 'icmp', portRangeMin: type, portRangeMax: type === null ? null : code })),
);

const rule = fc
  .tuple(
    fc.constantFrom('ingress' as const, 'egress' as const),
    fc.constantFrom('IPv4' as const, 'IPv6' as const),
    service,
    fc.constantFrom('anyone', 'prefix', 'group', 'address group'),
    fc.nat(3),
  )
  .map(([direction, ethertype, what, remote, choice]) => ({
    direction,
    ethertype,
    ...what,
    remoteIpPrefix: remote === 'prefix' ? (prefixes[ethertype][choice] ?? null) : null,
    remoteGroupId: remote === 'group' ? (choice % 2 === 0 ? 'friends' : 'others') : null,
    remoteAddressGroupId: remote === 'address group' ? 'offices' : null,
  }));

const someAddresses = fc.subarray([...addresses.IPv4, ...addresses.IPv6]);
const world = fc.record({
  groups: fc.array(fc.record({ rules: fc.array(rule, { maxLength: 5 }), stateful: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  }),
  friends: someAddresses,
  others: someAddresses,
  offices: fc.subarray(['10.0.0.0/24', '192.0.2.200/32', 'fd00::/64', '2001:db8::200/128']),
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

const STATES = ['new', 'established', 'reply', 'invalid'] as const;
const packet = fc.record({
  direction: fc.constantFrom('ingress' as const, 'egress' as const),
  ethertype: fc.constantFrom('IPv4' as const, 'IPv6' as const),
  protocol: fc.constantFrom(6, 17, 132, 47, 1),
  remote: fc.nat(3),
  port: portNumber,
  type: fc.constantFrom(3, 8, 128),
  code: fc.constantFrom(0, 1),
  state: fc.constantFrom(...STATES),
});
type Packet = typeof packet extends fc.Arbitrary<infer P> ? P : never;

// ── the model ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const NUMBERS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132, icmp: 1, '47': 47 };
const holds = (prefix: string, address: string): boolean => {
  const [base, length] = ipaddr.parseCIDR(
    prefix.includes('/') ? prefix : `${prefix}/${prefix.includes(':') ? 128 : 32}`,
  );
  const one = ipaddr.parse(address);
  return one.kind() === base.kind() && one.match(base, length);
};

function ruleAllows(one: SecurityGroupRule, what: Packet, { friends, others, offices }: World): boolean {
  if (one.direction !== what.direction || one.ethertype !== what.ethertype) return false;
  if (one.protocol !== null) {
    if (NUMBERS[one.protocol] !== what.protocol) return false;
    if (one.protocol === 'icmp') {
      if (one.portRangeMin !== null && one.portRangeMin !== what.type) return false;
      if (one.portRangeMax !== null && one.portRangeMax !== what.code) return false;
    } else if (one.portRangeMin !== null && (what.port < one.portRangeMin || what.port > (one.portRangeMax ?? 0))) {
      return false;
    }
  }
  const address = addresses[what.ethertype][what.remote] ?? '';
  if (one.remoteIpPrefix !== null) return holds(one.remoteIpPrefix, address);
  const set = one.remoteGroupId === null ? offices : one.remoteGroupId === 'friends' ? friends : others;
  return (
    (one.remoteGroupId === null && one.remoteAddressGroupId === null) || set.some((element) => holds(element, address))
  );
}

/** Replies pass where the port keeps state; what belongs to no connection passes by stateless rules alone. */
function modelAllows(groups: readonly SecurityGroup[], what: Packet, all: World): boolean {
  const matching = groups.filter(({ rules }) => rules.some((one) => ruleAllows(one, what, all)));
  if (groups.every(({ stateful }) => !stateful)) return matching.length > 0;
  if (what.state === 'reply') return true;
  return what.state === 'invalid' ? matching.some(({ stateful }) => !stateful) : matching.length > 0;
}

// ── the switch ─────────────────────────────────────────────────────────────────────────────────────────────────────────

let lab: PrivateSwitch;
let ask: ReturnType<typeof askOver>;

beforeAll(async () => {
  lab = await startPrivateSwitch();
  await lab.vsctl('add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=dummy', 'fail_mode=secure');
  for (const [name, number] of Object.entries(PORTS)) {
    const tag = name === 'uplink' ? [] : ['--', 'set', 'Port', name, 'tag=1'];
    const face = ['set', 'Interface', name, 'type=dummy', `ofport_request=${number}`];
    await lab.vsctl('add-port', 'br-int', name, '--', ...face, ...tag);
  }
  const socket = join(lab.runDir, 'ovs-vswitchd.ctl');
  ask = askOver(async () => socket, 60_000);
});
afterAll(() => lab.stop());

/** The plugin's flows for port p1 of the world's groups, with another port beside it. */
async function flowsOf(
  groups: readonly SecurityGroup[],
  { friends, others, offices }: World,
): Promise<readonly Flow[]> {
  const bed = setUp();
  for (const one of groups) bed.resources.groups.set(one.id, one);
  bed.resources.setMembers('friends', ...friends);
  bed.resources.setMembers('others', ...others);
  bed.resources.addresses.set('offices', offices);
  const fixedIps = Object.values(OWN).map((ipAddress) => ({ subnetId: 's', ipAddress }));
  const securityGroupIds = groups.map(({ id }) => id);
  await bed.fire('onPortAdded', boundPort({ macAddress: MAC, fixedIps, securityGroupIds }, VLAN_SEGMENT, 1));
  const neighbour = { id: 'p2', macAddress: 'fa:16:3e:00:00:02', securityGroupIds: securityGroupIds.slice(0, 1) };
  await bed.fire('onPortAdded', boundPort(neighbour, VLAN_SEGMENT, 1));
  return bed.desired.flows();
}

async function install(flows: readonly Flow[]): Promise<void> {
  const joined = new FlowSet();
  const resolver = new FlowResolver((_bridge, name) => PORTS[name]);
  for (const one of flows) {
    const resolved = resolver.flow(one);
    if (resolved === undefined) throw new Error(`a flow names an unknown port: ${printFlow(one)}`);
    joined.add(withNumbers(resolved, (name) => PORTS[name]));
  }
  const pipeline = ['table=0,priority=0 actions=goto_table:60', 'table=60,priority=3 actions=NORMAL'];
  const file = join(lab.runDir, 'flows');
  writeFileSync(file, [...pipeline, ...joined.list().map((one) => printFlow(one))].join('\n'));
  await lab.ofctl('-O', 'OpenFlow14', 'replace-flows', `unix:${lab.runDir}/br-int.mgmt`, file);
}

const TRANSPORTS: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);
const CT_NEXT = { new: 'trk,new', established: 'trk,est', reply: 'trk,est,rpl', invalid: 'trk,inv' } as const;

async function switchAllows(what: Packet): Promise<boolean> {
  const { direction, ethertype, protocol, state } = what;
  const remote = addresses[ethertype][what.remote] ?? '';
  const isIn = direction === 'ingress';
  const [source, destination] = isIn ? [remote, OWN[ethertype]] : [OWN[ethertype], remote];
  const ip = ethertype === 'IPv4' ? 'nw' : 'ipv6';
  const number = protocol === 1 && ethertype === 'IPv6' ? 58 : protocol;
  const transport = TRANSPORTS.get(protocol);
  const icmp = number === 58 ? 'icmpv6' : 'icmp';
  const text = [
    isIn
      ? `in_port=10,dl_vlan=1,dl_vlan_pcp=0,dl_src=${REMOTE_MAC},dl_dst=${MAC}`
      : `in_port=1,dl_src=${MAC},dl_dst=${REMOTE_MAC}`,
    `dl_type=${ethertype === 'IPv4' ? '0x0800' : '0x86dd'}`,
    `${ip}_src=${source}`,
    `${ip}_dst=${destination}`,
    `nw_proto=${number}`,
    'nw_ttl=64',
    ...(protocol === 1 ? [`${icmp}_type=${what.type}`, `${icmp}_code=${what.code}`] : []),
    ...(transport === undefined ? [] : [`${transport}_src=40000`, `${transport}_dst=${what.port}`]),
  ].join(',');
  const told = await ask('ofproto/trace', '--names', 'br-int', text, '--ct-next', CT_NEXT[state]);
  const last = /Datapath actions: (.*)$/.exec(told.trim().split('\n').at(-1) ?? '')?.[1] ?? '';
  return last.split(',').includes(isIn ? 'tap-p1' : 'uplink');
}

test('what the switch does with a packet is what the rules say', async () => {
  let asked = 0;
  let allowed = 0;
  await fc.assert(
    fc.asyncProperty(world, fc.array(packet, { minLength: 1, maxLength: 20, size: 'max' }), async (all, packets) => {
      const groups = all.groups.map(({ rules, stateful }, index) => group(`g${index}`, rules, stateful));
      await install(await flowsOf(groups, all));
      for (const what of packets) {
        const wanted = modelAllows(groups, what, all);
        asked += 1;
        allowed += wanted ? 1 : 0;
        expect({ what, allowed: await switchAllows(what) }).toEqual({ what, allowed: wanted });
      }
    }),
    { numRuns: 40 },
  );
  // Both answers must have been asked for, or nothing was tested.
  expect(allowed).toBeGreaterThan(asked / 10);
  expect(allowed).toBeLessThan((asked * 9) / 10);
});
