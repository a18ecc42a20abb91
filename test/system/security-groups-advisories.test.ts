import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, frame, type Guest, type Host, until } from '../support/bed';
import { conditionsOf, startedPatchbay, untilStatus } from '../support/bed-agent';

jest.setTimeout(240_000);

const GUESTS = { attacker: 1, victim: 2, witness: 3, latecomer: 4 } as const;
type Name = keyof typeof GUESTS;
const v4 = (name: Name) => `10.0.0.${GUESTS[name]}`;
const mac = (name: Name) => `fa:16:3e:00:00:0${GUESTS[name]}`;
const linkLocal = (name: Name) => `fe80000000000000f8163efffe00000${GUESTS[name]}`;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ALL_NODES = '33:33:00:00:00:01';

let bed: Bed;
let host: Host;
const guests = new Map<string, Guest>();
const guest = (name: string): Guest => {
  const found = guests.get(name);
  if (found === undefined) throw new Error(`${name} is not plugged`);
  return found;
};

/** On the provider's network, outside of the integration bridge. */
const OUTSIDER = { mac: 'fa:16:3e:00:02:01', address: '10.0.0.9', vlan: 101 } as const;

/**
 * Attacker and victim are filtered, and may send and receive whatever is their own; the witness has no port security and hears all that
 * leaves them. The victim has a group more, with as many rules as are asked for.
 */
function writeNetworks(rulesOfVictim: number): void {
  const anything = (['IPv4', 'IPv6'] as const).flatMap((ethertype) => [
    { direction: 'egress', ethertype },
    { direction: 'ingress', ethertype },
  ]);
  const port = (name: Name) => ({
    network: 'blue',
    mac: mac(name),
    addresses: [v4(name)],
    security_groups: name === 'victim' ? ['open', 'many'] : ['open'],
    port_security: name !== 'witness',
  });
  const names = Object.keys(GUESTS) as Name[];
  const many = Array.from({ length: rulesOfVictim }, (_, index) => ({
    direction: 'ingress',
    protocol: 'tcp',
    ports: 1000 + index,
  }));
  const document = {
    networks: { blue: { type: 'vlan', physical_network: 'physnet1', segmentation_id: OUTSIDER.vlan } },
    ports: Object.fromEntries(names.map((name) => [name, port(name)])),
    security_groups: { open: { rules: anything }, many: { rules: many } },
  };
  writeFileSync(`${networks()}.new`, JSON.stringify(document));
  renameSync(`${networks()}.new`, networks());
}

const networks = () => join(host.folder, 'networks.yaml');

beforeAll(async () => {
  bed = await Bed.start();
  host = bed.host(1);
  writeNetworks(0);
  const options = { explicitly_egress_direct: true, permitted_ethertypes: ['0x88b6'], max_flows_per_group: 50 };
  const configuration = {
    agent: { host: host.name, datapath_type: 'netdev', state_dir: `${host.folder}/state` },
    plugins: [
      { 'bridge-mappings': { bridge_mappings: { physnet1: 'br-ex' } } },
      { standalone: { networks: networks() } },
      { replace: 'anti-spoofing', with: 'security-groups', options },
    ],
  };
  await startedPatchbay(host, { yaml: JSON.stringify(configuration) });
  for (const name of ['attacker', 'victim', 'witness'] as const) await plug(name);
  const { mac: macAddress, address, vlan } = OUTSIDER;
  const outsider = await host.plug('outsider', macAddress, { addresses: [`${address}/24`], bridge: 'br-ex' });
  await host.vsctl('set', 'Port', outsider.interfaceName, `tag=${vlan}`);
  guests.set('outsider', outsider);
  await untilReaches('attacker', v4('victim'));
  for (const index of [1, 2]) {
    const name = `unknown${index}`;
    guests.set(name, await host.plug(name, `fa:16:3e:00:01:0${index}`));
  }
  for (const name of ['unknown1', 'unknown2']) {
    const tag = () => host.vsctl('get', 'Port', guest(name).interfaceName, 'tag');
    await until(async () => (await tag()).trim() === '4095', { what: `${name} has the dead VLAN` });
  }
});
afterAll(() => bed.stop());

async function plug(name: Name): Promise<void> {
  guests.set(name, await host.plug(name, mac(name), { addresses: [`${v4(name)}/24`] }));
}

const reaches = async (from: string, address: string): Promise<boolean> =>
  (await guest(from).ping(address, { count: 1 })).received === 1;

const untilReaches = (from: string, address: string): Promise<void> => guest(from).untilReaches(address, { count: 1 });

const MARKER = 0x88b6;
const FOREIGN_MAC = 'fa:16:3e:00:00:99';
const FOREIGN_V6 = 'fe80000000000000f8163efffe000099';

/**
 * Frames of that filter that arrive at `to` of those that `from` sends. A frame that `marker` may send goes after them; those that are expected, so
 * many (none), are waited for too: they and the marker may come by different ports.
 */
async function arriving(
  filter: string,
  frames: readonly Buffer[],
  { from = 'attacker', to = 'witness', marker = 'attacker', expected = 0 } = {},
) {
  const capture = await guest(to).capture({ filter: `(${filter}) or ether proto ${MARKER}` });
  await guest(from).send(frames);
  const last = frame({ destination: guest(to).mac, source: guest(marker).mac, etherType: MARKER });
  await guest(marker).send([last]);
  const isMarker = (line: string) => line.includes('0x88b6');
  const others = () => capture.frames().filter((line) => !isMarker(line));
  await capture.untilSeen(/0x88b6/);
  await until(() => others().length >= expected, { what: `${expected} frames of ${filter} arrive` });
  await capture.stop();
  return others();
}

/** Each frame arrives, once. */
async function expectToArrive(
  filter: string,
  frames: readonly Buffer[],
  places: { readonly from?: string; readonly to?: string } = {},
) {
  expect(await arriving(filter, frames, { ...places, expected: frames.length })).toHaveLength(frames.length);
}

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');

function ipv6(source: string, next: number, payload: Buffer, from = mac('attacker')): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(payload.length, 4);
  header.writeUInt8(next, 6);
  header.writeUInt8(255, 7);
  const destination = bytes('ff020000000000000000000000000001');
  const packet = Buffer.concat([header, bytes(source), destination, payload]);
  return frame({ destination: ALL_NODES, source: from, etherType: 0x86dd, payload: packet });
}

function ipv4(source: string, payload: Buffer, from = mac('attacker')): Buffer {
  const header = bytes('4500000000000000401100000000000000000000');
  header.writeUInt16BE(20 + payload.length, 2);
  Buffer.from(source.split('.').map(Number)).copy(header, 12);
  Buffer.from([255, 255, 255, 255]).copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return frame({ destination: BROADCAST, source: from, etherType: 0x0800, payload: Buffer.concat([header, payload]) });
}

/** RFC 1071. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let index = 0; index < header.length; index += 2) sum += header.readUInt16BE(index);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

const udp = (from: number, to: number): Buffer => {
  const payload = Buffer.alloc(16);
  payload.writeUInt16BE(from, 0);
  payload.writeUInt16BE(to, 2);
  payload.writeUInt16BE(16, 4);
  return payload;
};

/** RFC 4861: type 136, override flag, the target. */
const advertisement = (target: string): Buffer => Buffer.concat([bytes('8800000020000000'), bytes(target)]);

/** RFC 826 and RFC 903: `operation` 2 is an ARP reply, 3 a RARP request. */
function resolution(etherType: 0x0806 | 0x8035, operation: number, sender: string, from: string): Buffer {
  const address = Buffer.from(sender.split('.').map(Number));
  const head = bytes(`000108000604000${operation}`);
  const payload = Buffer.concat([head, bytes(from), address, bytes(from), address]);
  return frame({ destination: BROADCAST, source: from, etherType, payload });
}

describe('published ways to speak for another', () => {
  test('CVE-2021-20267: neighbour advertisements for an address that is not the port’s own', async () => {
    const spoofed = [
      ipv6(linkLocal('attacker'), 58, advertisement(FOREIGN_V6)),
      ipv6(FOREIGN_V6, 58, advertisement(FOREIGN_V6)),
      ipv6(linkLocal('attacker'), 58, advertisement(linkLocal('attacker')), FOREIGN_MAC),
    ];
    const filter = 'icmp6 and ip6[40] = 136';
    expect(await arriving(filter, spoofed)).toEqual([]);
    const own = ipv6(linkLocal('attacker'), 58, advertisement(linkLocal('attacker')));
    await expectToArrive(filter, [own]);
  });

  test('CVE-2015-8914: what only a router or a DHCP server says, over IPv6 and IPv4, also under the port’s own addresses', async () => {
    const routerAdvertisement = bytes('86000000400007080000000000000000');
    const said = [
      ipv6(linkLocal('attacker'), 58, routerAdvertisement),
      ipv6(linkLocal('attacker'), 17, udp(547, 546)),
      ipv4(v4('attacker'), udp(67, 68)),
    ];
    const filter = 'icmp6 and ip6[40] = 134 or udp src port 547 or udp src port 67';
    expect(await arriving(filter, said)).toEqual([]);
    await expectToArrive('udp src port 9', [ipv4(v4('attacker'), udp(9, 9))]);
  });

  test('CVE-2021-38598, by analogy: frames of every kind under a MAC address that is not the port’s own', async () => {
    const impersonated = [
      resolution(0x0806, 2, v4('attacker'), FOREIGN_MAC),
      resolution(0x8035, 3, v4('attacker'), FOREIGN_MAC),
      ipv4(v4('attacker'), udp(9, 9), FOREIGN_MAC),
      ipv4('0.0.0.0', udp(68, 67), FOREIGN_MAC),
      ipv6(linkLocal('attacker'), 17, udp(9, 9), FOREIGN_MAC),
      frame({ destination: BROADCAST, source: FOREIGN_MAC, etherType: 0x88b5 }),
    ];
    expect(await arriving(`ether src ${FOREIGN_MAC}`, impersonated)).toEqual([]);
  });
});

describe('ports without a network', () => {
  const shouts = (from: string) => [frame({ destination: BROADCAST, source: guest(from).mac, etherType: 0x88b5 })];
  const heard = 'ether proto 0x88b5';

  test('Launchpad 1930414: a port that is not wired is heard by no network, and by no other port on the dead VLAN', async () => {
    const capture = await guest('unknown2').capture({ filter: heard });
    expect(await arriving(heard, shouts('unknown1'), { from: 'unknown1' })).toEqual([]);
    expect(await capture.stop()).toEqual([]);
  });

  test('Launchpad 1952567: a port that waits to be wired is no trunk, to which every VLAN is flooded', async () => {
    const waiting = await host.plug('waiting', 'fa:16:3e:00:01:03');
    const row = (column: string) => host.vsctl('get', 'Port', waiting.interfaceName, column);
    await until(async () => (await row('tag')).trim() === '4095', {
      what: 'it has a tag before anything is known of it',
    });
    expect((await row('trunks')).trim()).toBe('[]');
    const capture = await waiting.capture({ filter: `${heard} or (vlan and ${heard})` });
    await expectToArrive(heard, shouts('witness'), { from: 'witness', to: 'victim' });
    expect(await capture.stop()).toEqual([]);
  });
});

describe('with explicitly_egress_direct', () => {
  test('ports of a host reach each other, and RARP goes out under the port’s own MAC address', async () => {
    await untilReaches('victim', v4('attacker'));
    const own = resolution(0x8035, 3, '0.0.0.0', mac('attacker'));
    await expectToArrive('rarp', [own]);
  });

  test('a frame to a MAC address that nobody has is not flooded to other ports', async () => {
    const packet = ipv4(v4('attacker'), udp(9, 9));
    const to = (address: string) => Buffer.concat([bytes(address), packet.subarray(6)]);
    expect(await arriving('udp src port 9', [to('fa:16:3e:00:00:ee')])).toEqual([]);
    await expectToArrive('udp src port 9', [to(mac('witness'))]);
  });

  test('what a port sends off the host leaves by the uplink, under the network’s VLAN id, and no other port hears it', async () => {
    const packet = ipv4(v4('attacker'), udp(9, 9));
    const toNobodyKnown = Buffer.concat([bytes('fa:16:3e:00:00:ee'), packet.subarray(6)]);
    const filter = 'udp src port 9';
    const witness = await guest('witness').capture({ filter });
    await expectToArrive(filter, [toNobodyKnown], { to: 'outsider' });
    expect(await witness.stop()).toEqual([]);
  });

  test('what comes from outside goes to the port that has the address, through its rules, and to no other; and so do answers', async () => {
    const packet = ipv4(OUTSIDER.address, udp(9, 9), OUTSIDER.mac);
    const toVictim = Buffer.concat([bytes(mac('victim')), packet.subarray(6)]);
    const filter = 'udp src port 9';
    const witness = await guest('witness').capture({ filter });
    await expectToArrive(filter, [toVictim], { from: 'outsider', to: 'victim' });
    expect(await witness.stop()).toEqual([]);
    await untilReaches('outsider', v4('victim'));
    await untilReaches('victim', OUTSIDER.address);
  });
});

describe('a port whose flows the switch does not take', () => {
  /** Each comes to two flows: more than there is room for, where a port that is plugged finds room. */
  const RULES = 40;
  const ROOM = 40;
  const RULES_INGRESS = 82;

  test('is shut and says why, and that its group is large; others go on and come up; and it opens when there is room', async () => {
    const there = (await host.ofctl('dump-flows', 'br-int', `table=${RULES_INGRESS}`)).match(/priority=/g) ?? [];
    const limit = [`flow_limit=${there.length + ROOM}`, 'overflow_policy=refuse'];
    const full = ['--', '--id=@full', 'create', 'Flow_Table', ...limit];
    await host.vsctl(...full, '--', 'set', 'Bridge', 'br-int', `flow_tables:${RULES_INGRESS}=@full`);
    const others = guest('attacker').exec('bash', '-c', `ping -n -q -i 0.05 -W 20 -c 100 ${v4('witness')} || true`);
    writeNetworks(RULES);

    await untilStatus(host, 'the victim’s flows are refused, and why is said', (status) => {
      const said = (plugin: string, pattern: RegExp) => conditionsOf(status, plugin).some((line) => pattern.test(line));
      return (
        said('port-binding', /victim.*TABLE_FULL/) &&
        said('security-groups', /"many" .* comes to 80 flows here \(1 ports/)
      );
    });
    const tag = () => host.vsctl('get', 'Port', guest('victim').interfaceName, 'tag');
    await until(async () => (await tag()).trim() === '4095', { what: 'it is shut' });
    await until(async () => !(await reaches('attacker', v4('victim'))), { what: 'nothing reaches it' });
    expect(await reaches('victim', v4('attacker'))).toBe(false);
    await plug('latecomer');
    await untilReaches('latecomer', v4('attacker'));
    expect(await others).toMatch(/ 0% packet loss/);

    await host.vsctl('clear', 'Bridge', 'br-int', 'flow_tables');
    await until(() => reaches('attacker', v4('victim')), { what: 'it opens', timeoutMs: 60_000 });
    await untilStatus(host, 'all ports are wired', (status) =>
      conditionsOf(status, 'port-binding').every((line) => line.startsWith('event loop')),
    );
  });
});
