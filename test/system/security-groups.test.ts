import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, frame, type Guest, type Host, until } from '../support/bed';
import { startedPatchbay } from '../support/bed-agent';
import { arpReply, ipv4Packet, ipv6Packet, protocolsOf, tcpSegment } from '../support/bed-packets';
import { answers, Stream, serve, untilAnswered } from '../support/bed-traffic';

jest.setTimeout(240_000);

type Rule = Readonly<Record<string, unknown>>;

/** Guests of one network: `server` is what rules are about, `friend` and `stranger` ask, `helper` is filtered by nothing. */
const GUESTS = { server: 1, friend: 2, stranger: 3, helper: 4 } as const;
type Name = keyof typeof GUESTS;
const v4 = (name: Name) => `10.0.0.${GUESTS[name]}`;
const v6 = (name: Name) => `fd00::${GUESTS[name]}`;
const FAMILIES = [
  ['IPv4', 4],
  ['IPv6', 6],
] as const;
const addressOf = (name: Name, family: 4 | 6) => (family === 4 ? v4(name) : v6(name));
const mac = (name: Name) => `fa:16:3e:00:00:0${GUESTS[name]}`;
const OUT: readonly Rule[] = [{ direction: 'egress' }, { direction: 'egress', ethertype: 'IPv6' }];

let bed: Bed;
let host: Host;
const guests = new Map<Name, Guest>();
const guest = (name: Name): Guest => {
  const found = guests.get(name);
  if (found === undefined) throw new Error(`${name} is not plugged`);
  return found;
};

interface Settings {
  readonly rules: readonly Rule[];
  readonly stateful?: boolean;
  /** Groups of a port beside its own. */
  readonly groups?: Partial<Record<Name, readonly string[]>>;
  readonly offices?: readonly string[];
  readonly pairs?: readonly { readonly address: string }[];
}

let revision = 0;

/** Writes the networks file, and waits until what it says is on the switch: the last rule is one that tells its revision. */
async function apply({ rules, stateful = true, groups = {}, offices = [], pairs = [] }: Settings): Promise<void> {
  revision += 1;
  const stamp: Rule = { direction: 'ingress', protocol: 'udp', ports: 20_000 + revision };
  const port = (name: Name) => ({
    network: 'blue',
    mac: mac(name),
    addresses: [v4(name), v6(name)],
    security_groups: [name === 'server' ? 'server' : 'guests', ...(groups[name] ?? [])],
    port_security: name !== 'helper',
    ...(name === 'server' ? { allowed_address_pairs: pairs } : {}),
  });
  const names = Object.keys(GUESTS) as Name[];
  const document = {
    networks: { blue: { type: 'local' } },
    ports: Object.fromEntries(names.map((name) => [name, port(name)])),
    security_groups: {
      server: { stateful, rules: [...rules, stamp] },
      guests: { rules: [...OUT, { direction: 'ingress', protocol: 'icmp' }] },
      friends: { rules: [] },
    },
    address_groups: { offices },
  };
  const file = join(host.folder, 'networks.yaml');
  writeFileSync(`${file}.new`, JSON.stringify(document));
  renameSync(`${file}.new`, file);
  if (guests.size > 0) await untilApplied();
}

const untilApplied = () =>
  until(async () => (await host.dumpFlows('br-int')).some((flow) => flow.includes(`tp_dst=${20_000 + revision}`)), {
    what: 'the rules are on the switch',
  });

beforeAll(async () => {
  bed = await Bed.start();
  host = bed.host(1);
  await apply({ rules: OUT });
  const configuration = {
    agent: { host: host.name, datapath_type: 'netdev', state_dir: `${host.folder}/state` },
    plugins: [
      { standalone: { networks: join(host.folder, 'networks.yaml') } },
      { replace: 'anti-spoofing', with: 'security-groups', options: { permitted_ethertypes: ['0x88b5'] } },
    ],
  };
  await startedPatchbay(host, { yaml: JSON.stringify(configuration) });
  for (const name of Object.keys(GUESTS) as Name[]) {
    guests.set(name, await host.plug(name, mac(name), { addresses: [`${v4(name)}/24`, `${v6(name)}/64`] }));
  }
  await untilApplied();
  await guest('server').untilReaches(v4('friend'), { count: 1 });
  for (const port of [22, 80, 443]) {
    await serve(host, guest('server'), 'tcp', '0.0.0.0', port);
    await serve(host, guest('server'), 'tcp', '::', port);
  }
  await serve(host, guest('server'), 'udp', '0.0.0.0', 53);
  await serve(host, guest('server'), 'udp', '::', 53);
});
afterAll(() => bed.stop());

const asks = (name: Name, kind: 'tcp' | 'udp', port: number, family: 4 | 6 = 4) =>
  answers(guest(name), kind, addressOf('server', family), port);
const untilAnswers = (name: Name, kind: 'tcp' | 'udp', port: number, family: 4 | 6 = 4) =>
  untilAnswered([guest(name), kind, addressOf('server', family), port]);
const pings = async (from: Name, address: string) => (await guest(from).ping(address, { count: 1 })).received === 1;
const untilPings = (from: Name, address: string) => guest(from).untilReaches(address, { count: 1 });

describe('a rule lets in what it says, and nothing else', () => {
  test('nothing without a rule', async () => {
    await apply({ rules: OUT });
    expect(await asks('friend', 'tcp', 80)).toBe('silent');
    expect(await asks('friend', 'udp', 53)).toBe('silent');
    expect(await pings('friend', v4('server'))).toBe(false);
    expect(await pings('friend', v6('server'))).toBe(false);
  });

  test('replies to what the port asked', async () => {
    await untilPings('server', v4('friend'));
  });

  test.each(FAMILIES)('ports of TCP and UDP over %s', async (ethertype, family) => {
    const rules = [
      { direction: 'ingress', ethertype, protocol: 'tcp', ports: '70-90' },
      { direction: 'ingress', ethertype, protocol: 'udp', ports: 53 },
    ];
    await apply({ rules: [...OUT, ...rules] });
    await untilAnswers('friend', 'tcp', 80, family);
    expect(await asks('friend', 'tcp', 443, family)).toBe('silent');
    await untilAnswers('friend', 'udp', 53, family);
    expect(await asks('friend', 'udp', 54, family)).toBe('silent');
    expect(await asks('friend', 'tcp', 80, family === 4 ? 6 : 4)).toBe('silent');
  });

  test('ICMP and ICMPv6 by type', async () => {
    const rules = [
      { direction: 'ingress', protocol: 'icmp', ports: 8 },
      { direction: 'ingress', ethertype: 'IPv6', protocol: 'icmpv6', ports: 128 },
    ];
    await apply({ rules: [...OUT, ...rules] });
    await untilPings('friend', v4('server'));
    await untilPings('friend', v6('server'));
    const others = [
      { direction: 'ingress', protocol: 'icmp', ports: 13 },
      { direction: 'ingress', ethertype: 'IPv6', protocol: 'icmpv6', ports: 1 },
    ];
    await apply({ rules: [...OUT, ...others] });
    expect(await pings('friend', v4('server'))).toBe(false);
    expect(await pings('friend', v6('server'))).toBe(false);
  });

  test.each([
    ['ICMP', { protocol: 'icmp', ports: '8-0' }, { protocol: 'icmp', ports: '8-1' }, v4('server')],
    [
      'ICMPv6',
      { protocol: 'icmpv6', ethertype: 'IPv6', ports: '128-0' },
      { protocol: 'icmpv6', ethertype: 'IPv6', ports: '128-1' },
      v6('server'),
    ],
  ])('%s by type and code', async (_, right, wrong, address) => {
    await apply({ rules: [...OUT, { direction: 'ingress', ...wrong }] });
    expect(await pings('friend', address)).toBe(false);
    await apply({ rules: [...OUT, { direction: 'ingress', ...right }] });
    await untilPings('friend', address);
  });

  test('errors about what it let in, without a rule of their own', async () => {
    await apply({ rules: [{ direction: 'ingress', protocol: 'udp', ports: 9 }] });
    await untilAnswered([guest('friend'), 'udp', v4('server'), 9], 'refused');
  });

  test('no segment of TCP that belongs to no connection and cannot begin one', async () => {
    await apply({ rules: [...OUT, { direction: 'ingress', protocol: 'tcp', ports: 80 }] });
    const capture = await guest('server').capture({ filter: 'tcp src port 45009' });
    const [between, flags] = [
      { source: v4('friend'), destination: v4('server') },
      { synAndAck: 18, syn: 2 },
    ];
    const sent = [flags.synAndAck, flags.syn].map((flag) => {
      const segment = tcpSegment({ ...between, ports: [45_009, 80], flags: flag });
      return ipv4Frame('friend', v4('friend'), 6, segment);
    });
    await guest('friend').send(sent);
    await until(() => capture.count > 0, { what: 'the segment that begins a connection arrives' });
    // What follows it may be the answer of a kernel that knows nothing of the connection.
    expect((await capture.stop())[0]).toContain('Flags [S],');
  });

  test.each(FAMILIES)('a remote prefix of %s', async (ethertype, family) => {
    const remote_prefix = addressOf('friend', family);
    await apply({ rules: [...OUT, { direction: 'ingress', ethertype, protocol: 'tcp', ports: 80, remote_prefix }] });
    await untilAnswers('friend', 'tcp', 80, family);
    expect(await asks('stranger', 'tcp', 80, family)).toBe('silent');
  });

  test.each(FAMILIES)('SCTP and other protocols by number over %s, frame by frame', async (ethertype, family) => {
    const packet = (protocol: number, port: number) => {
      const payload = Buffer.alloc(12);
      payload.writeUInt16BE(40_000, 0);
      payload.writeUInt16BE(port, 2);
      if (family === 4) return ipv4Frame('friend', v4('friend'), protocol, payload);
      const fields = { source: v6('friend'), destination: v6('server'), protocol, payload };
      const whole = ipv6Packet(fields);
      return frame({ destination: mac('server'), source: mac('friend'), etherType: 0x86dd, payload: whole });
    };
    const rules = [
      { direction: 'ingress', ethertype, protocol: 'sctp', ports: 3868 },
      { direction: 'ingress', ethertype, protocol: 47 },
    ];
    await apply({ rules: [...OUT, ...rules] });
    const sent = [packet(132, 3868), packet(132, 3869), packet(47, 0), packet(50, 0)];
    expect(await seenAtServer('friend', sent, 2)).toEqual([132, 47]);
  });

  test.each(FAMILIES)('what the port may send over %s', async (ethertype, family) => {
    await apply({ rules: [{ direction: 'egress', ethertype, protocol: 'udp' }] });
    expect(await pings('server', addressOf('helper', family))).toBe(false);
    await apply({ rules: OUT });
    await untilPings('server', addressOf('helper', family));
  });
});

describe.each(FAMILIES)('groups of others, over %s', (ethertype, family) => {
  const web = { direction: 'ingress', ethertype, protocol: 'tcp', ports: 80 };
  const strangerAlone = async () => {
    await untilAnswers('stranger', 'tcp', 80, family);
    await untilAnswered([guest('friend'), 'tcp', addressOf('server', family), 80], 'silent');
  };

  test('members of a remote group, as they come and go', async () => {
    const rules = [...OUT, { ...web, remote_group: 'friends' }];
    await apply({ rules, groups: { friend: ['friends'] } });
    await untilAnswers('friend', 'tcp', 80, family);
    expect(await asks('stranger', 'tcp', 80, family)).toBe('silent');
    await apply({ rules, groups: { stranger: ['friends'] } });
    await strangerAlone();
  });

  test('addresses of an address group, as it changes', async () => {
    const rules = [...OUT, { ...web, remote_address_group: 'offices' }];
    await apply({ rules, offices: [addressOf('friend', family)] });
    await untilAnswers('friend', 'tcp', 80, family);
    await apply({ rules, offices: [`${addressOf('stranger', family)}/${family === 4 ? 32 : 128}`] });
    await strangerAlone();
  });
});

describe('a connection', () => {
  const web = { direction: 'ingress', protocol: 'tcp', ports: 80 };
  const ssh = { direction: 'ingress', protocol: 'tcp', ports: 22 };

  test('is cut when the rule that allowed it goes; another is not; and the same ports connect when it is back', async () => {
    await apply({ rules: [...OUT, web, ssh] });
    const cut = await Stream.open(host, guest('friend'), v4('server'), 80, 'will be cut', 45_001);
    const kept = await Stream.open(host, guest('friend'), v4('server'), 22, 'lasts', 45_002);
    await apply({ rules: [...OUT, ssh] });
    await cut.untilCut();
    expect(await kept.close()).toMatchObject({ cut: false });
    await cut.close();
    await apply({ rules: [...OUT, web, ssh] });
    await untilAnswered([guest('friend'), 'tcp', v4('server'), 80, 45_001]);
  });

  test('of UDP is cut and comes back under the same ports', async () => {
    const dns = { direction: 'ingress', protocol: 'udp', ports: 53 };
    const question = [guest('friend'), 'udp', v4('server'), 53, 45_003] as const;
    await apply({ rules: [...OUT, dns] });
    await untilAnswered(question);
    await apply({ rules: OUT });
    await untilAnswered(question, 'silent');
    await apply({ rules: [...OUT, dns] });
    await untilAnswered(question);
  });

  test('and pings lose nothing through 50 changes of rules', async () => {
    const rules = [...OUT, web, { direction: 'ingress', protocol: 'icmp' }];
    await apply({ rules });
    const stream = await Stream.open(host, guest('friend'), v4('server'), 80, 'lasts');
    const pinging = guest('friend').exec('bash', '-c', `ping -n -q -i 0.05 -W 20 -c 300 ${v4('server')} || true`);
    for (let change = 0; change < 50; change++) {
      await apply({
        rules: [...rules, { direction: 'ingress', protocol: 'tcp', ports: `${1000 + change}-${2000 + change}` }],
      });
    }
    expect(await pinging).toMatch(/ 0% packet loss/);
    expect(await stream.close()).toMatchObject({ cut: false });
  });
});

describe('a stateless group', () => {
  test('lets in what it says and does not let replies out for it', async () => {
    const web = { direction: 'ingress', protocol: 'tcp', ports: 80 };
    await apply({ rules: [web], stateful: false });
    expect(await asks('friend', 'tcp', 80)).toBe('silent');
    await apply({ rules: [web, { direction: 'egress', protocol: 'tcp' }], stateful: false });
    await untilAnswers('friend', 'tcp', 80);
  });

  test('lets no reply in that no rule lets in', async () => {
    await apply({ rules: OUT, stateful: false });
    expect(await pings('server', v4('friend'))).toBe(false);
    await apply({ rules: [...OUT, { direction: 'ingress', protocol: 'icmp' }], stateful: false });
    await untilPings('server', v4('friend'));
  });
});

describe('what a guest says under another’s name never arrives', () => {
  const anyone = [...OUT, { direction: 'ingress' }, { direction: 'ingress', ethertype: 'IPv6' }];

  test('frames with a foreign MAC address, packets with a foreign address', async () => {
    await apply({ rules: anyone });
    const ping = Buffer.from('0800f7ff00000000', 'hex');
    const right = ipv4Frame('friend', v4('friend'), 1, ping);
    const foreignAddress = ipv4Frame('friend', v4('stranger'), 1, ping);
    const foreignMac = ipv4Frame('stranger', v4('friend'), 1, ping);
    expect(await seenAtServer('friend', [foreignAddress, foreignMac], 0)).toEqual([]);
    expect(await seenAtServer('friend', [right], 1)).toEqual([1]);
  });

  test('ARP for a foreign address, router advertisements, DHCP offers, tagged frames', async () => {
    // Beside them its kernel says what it may: it asks for neighbours, and answers who asks for it.
    const said = [
      `arp src host ${v4('stranger')}`,
      'icmp6 and ip6[40] = 134',
      'udp src port 67',
      'ether proto 0x88b5',
      'vlan',
    ];
    const filter = `ether src ${mac('friend')} and (${said.map((each) => `(${each})`).join(' or ')})`;
    const capture = await guest('server').capture({ filter });
    const spoofs = [
      arp('friend', v4('stranger')),
      ipv6Frame('friend', 'fe80::f816:3eff:fe00:2', 58, Buffer.from('86000000400000000000000000000000', 'hex')),
      ipv4Frame('friend', v4('friend'), 17, Buffer.from('0043004400080000', 'hex')),
      frame({
        destination: mac('server'),
        source: mac('friend'),
        tags: [{ vlan: 1 }],
        etherType: 0x0800,
        payload: Buffer.alloc(46),
      }),
    ];
    await guest('friend').send(spoofs, { count: 2 });
    await guest('friend').send([frame({ destination: mac('server'), source: mac('friend') })]);
    await capture.untilSeen(MARKER);
    expect((await capture.stop()).filter((line) => !MARKER.test(line))).toEqual([]);
  });

  test('an allowed address pair is the guest’s own', async () => {
    await apply({ rules: anyone, pairs: [{ address: '10.0.7.0/24' }] });
    const capture = await guest('friend').capture({ filter: 'icmp and (src net 10.0.7.0/24 or src net 10.0.8.0/24)' });
    const ping = (source: string) => ipv4FrameTo('friend', 'server', source, 1, Buffer.from('0800f7ff00000000', 'hex'));
    await guest('server').send([ping('10.0.8.9'), ping('10.0.7.9')]);
    await capture.untilSeen(/10\.0\.7\.9 >/);
    expect(await capture.stop()).toHaveLength(1);
  });
});

const MARKER = /0x88b5/;

/**
 * IP protocol numbers of the packets that arrive at the server of those that a guest sends. A frame that it may send goes after them; packets that
 * are expected, so many, are waited for too: what a switch has paused over, it may take up in another order.
 */
async function seenAtServer(from: Name, frames: readonly Buffer[], expected: number): Promise<readonly number[]> {
  const capture = await guest('server').capture({ filter: 'ip or (ip6 and not icmp6) or ether proto 0x88b5' });
  const last = frame({ destination: mac('server'), source: mac(from) });
  await guest(from).send(frames);
  await guest(from).send([last]);
  await capture.untilSeen(MARKER);
  await until(() => protocolsOf(capture.frames()).length >= expected, { what: `${expected} packets arrive` });
  return protocolsOf(await capture.stop());
}

function ipv4Frame(source: Name, address: string, protocol: number, payload: Buffer): Buffer {
  return ipv4FrameTo('server', source, address, protocol, payload);
}

function ipv4FrameTo(to: Name, source: Name, address: string, protocol: number, payload: Buffer): Buffer {
  const packet = ipv4Packet({ source: address, destination: v4(to), protocol, payload });
  return frame({ destination: mac(to), source: mac(source), etherType: 0x0800, payload: packet });
}

function ipv6Frame(source: Name, address: string, protocol: number, payload: Buffer): Buffer {
  const packet = ipv6Packet({ source: address, destination: 'ff02::1', protocol, payload });
  return frame({ destination: '33:33:00:00:00:01', source: mac(source), etherType: 0x86dd, payload: packet });
}

function arp(source: Name, address: string): Buffer {
  const payload = arpReply(mac(source), address, mac('server'), v4('server'));
  return frame({ destination: mac('server'), source: mac(source), etherType: 0x0806, payload });
}
