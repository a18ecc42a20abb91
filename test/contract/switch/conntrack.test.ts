import { join } from 'node:path';
import type { TrackedConnection } from '@patchbay/sdk';
import { Conntrack } from '../../../core/switch/conntrack/conntrack';
import { askOver, ControlRefused } from '../../../core/switch/conntrack/control-socket';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';

let lab: PrivateSwitch;
let conntrack: Conntrack;

/** Lets one frame in, in ovs-ofctl's notation of a packet; the flow commits its connection. */
const receive = (packet: string) => lab.appctl('netdev-dummy/receive', 'p1', packet);
const ethernet = 'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02)';
const ipv4 = (source: string, destination: string, protocol: number) =>
  `${ethernet},eth_type(0x0800),ipv4(src=${source},dst=${destination},proto=${protocol},tos=0,ttl=64,frag=no)`;
const ipv6 = (source: string, destination: string, protocol: number) =>
  `${ethernet},eth_type(0x86dd),ipv6(src=${source},dst=${destination},label=0,proto=${protocol},tclass=0,hlimit=64,frag=no)`;

beforeAll(async () => {
  lab = await startPrivateSwitch();
  await lab.vsctl('add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=dummy', 'fail_mode=secure');
  await lab.vsctl('add-port', 'br-int', 'p1', '--', 'set', 'Interface', 'p1', 'type=dummy', 'ofport_request=1');
  const socket = join(lab.runDir, 'ovs-vswitchd.ctl');
  const ask = askOver(async () => socket, 60_000);
  conntrack = new Conntrack(ask, () => 'dummy@ovs-dummy');
}, 120_000);
afterAll(() => lab.stop());

beforeEach(async () => {
  await conntrack.flush(5);
  await lab.ofctl('del-flows', `unix:${lab.runDir}/br-int.mgmt`);
  await lab.ofctl(
    'add-flow',
    `unix:${lab.runDir}/br-int.mgmt`,
    'ip,actions=ct(commit,zone=5,exec(set_field:1->ct_mark))',
  );
  await lab.ofctl('add-flow', `unix:${lab.runDir}/br-int.mgmt`, 'ipv6,actions=ct(commit,zone=5)');
});

/** Frames are handled by a thread of their own. */
async function connections(count: number): Promise<readonly TrackedConnection[]> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const found = await conntrack.connections(5);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return conntrack.connections(5);
}

describe('conntrack, asked over the control socket', () => {
  test('lists the connections of a zone with their marks', async () => {
    await receive(`${ipv4('10.0.0.1', '10.0.0.2', 6)},tcp(src=4000,dst=22),tcp_flags(syn)`);
    await receive(`${ipv6('fd00::1', 'fd00::2', 17)},udp(src=5000,dst=53)`);
    const found = await connections(2);
    expect([...found].sort((one, other) => (one.ethertype < other.ethertype ? -1 : 1))).toEqual([
      {
        ethertype: 'IPv4',
        protocol: 6,
        source: '10.0.0.1',
        destination: '10.0.0.2',
        sourcePort: 4000,
        destinationPort: 22,
        mark: 1,
      },
      {
        ethertype: 'IPv6',
        protocol: 17,
        source: 'fd00::1',
        destination: 'fd00::2',
        sourcePort: 5000,
        destinationPort: 53,
        mark: 0,
      },
    ]);
    expect(await conntrack.connections(6)).toEqual([]);
  });

  test('forgets the one connection of a tuple, and no other', async () => {
    await receive(`${ipv4('10.0.0.1', '10.0.0.2', 17)},udp(src=4000,dst=22)`);
    await receive(`${ipv4('10.0.0.1', '10.0.0.2', 17)},udp(src=4000,dst=23)`);
    const [first] = (await connections(2)).filter(({ destinationPort }) => destinationPort === 22);
    if (first === undefined) throw new Error('the connection was not tracked');
    await conntrack.flush(5, first);
    expect((await conntrack.connections(5)).map(({ destinationPort }) => destinationPort)).toEqual([23]);
  });

  test('says what ovs-vswitchd said where it refuses', async () => {
    const strange = new Conntrack(
      askOver(async () => join(lab.runDir, 'ovs-vswitchd.ctl'), 60_000),
      () => 'system@nowhere',
    );
    await expect(strange.connections(5)).rejects.toThrow(ControlRefused);
  });

  test('says that nobody answers where there is no socket', async () => {
    const alone = new Conntrack(
      askOver(async () => join(lab.runDir, 'nobody.ctl'), 60_000),
      () => 'dummy@ovs-dummy',
    );
    await expect(alone.connections(5)).rejects.toThrow(/asked for dpctl\/dump-conntrack: .*ENOENT/);
  });
});
