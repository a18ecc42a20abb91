import { Bed, type Running, until } from '../support/bed';
import {
  ALL_TUNNELS,
  addressOf,
  createAndPlug,
  createNetworkOf,
  NETWORK_KINDS,
  type NetworkKind,
  NO_FIREWALL,
  plug,
  wiringOf,
} from '../support/bed-ports';
import { untilNothingIsToWrite } from '../support/bed-settled';

jest.setTimeout(240_000);

const DEAD_VLAN = 4095;

describe('ports of neutron-server on a host whose agent is Patchbay', () => {
  let bed: Bed;
  let agent: Running;

  beforeAll(async () => {
    bed = await Bed.start({ server: true });
    agent = bed.host(1).startPatchbay({ ini: { ...NO_FIREWALL, agent: { ...ALL_TUNNELS.agent } } });
    await bed.rest.untilAgentIsAlive('host1');
  });
  afterAll(async () => {
    if (!agent.isRunning) process.stderr.write(agent.log());
    await bed.stop();
  });

  /** No flow of the bridge has that in its text, or will have shortly: its bridges are written one after the other. */
  const untilNoFlow = (bridge: string, text: string | RegExp) =>
    until(async () => (await bed.host(1).dumpFlows(bridge)).every((flow) => flow.search(text) === -1), {
      what: `no flow of ${bridge} has ${text}`,
    });

  test.each(NETWORK_KINDS)('a port of a %s network turns ACTIVE in a local VLAN', async (kind: NetworkKind) => {
    const index = NETWORK_KINDS.indexOf(kind);
    const network = await createNetworkOf(bed, kind, 101 + index, `10.0.${index}.0/24`);

    const { port, guest } = await createAndPlug(bed, network.id);

    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    const row = await wiringOf(bed, guest);
    expect(row).toMatchObject({
      tag: expect.any(Number),
      other_config: {
        net_uuid: network.id,
        network_type: kind,
        physical_network: kind === 'flat' || kind === 'vlan' ? 'physnet1' : 'None',
        tag: String(row.tag),
        ...(kind === 'flat' ? {} : { segmentation_id: String(101 + index) }),
      },
    });
    expect(row.tag).not.toBe(DEAD_VLAN);
  });

  test('ports of one network ping each other, those of another network do not', async () => {
    const one = await createNetworkOf(bed, 'vxlan', 201, '10.1.0.0/24');
    const other = await createNetworkOf(bed, 'vlan', 202, '10.1.0.0/24');
    const [a, b, stranger] = [
      await createAndPlug(bed, one.id, { fixed_ips: [{ ip_address: '10.1.0.11' }] }),
      await createAndPlug(bed, one.id, { fixed_ips: [{ ip_address: '10.1.0.12' }] }),
      await createAndPlug(bed, other.id, { fixed_ips: [{ ip_address: '10.1.0.13' }] }),
    ];
    await bed.rest.untilPortsAre('ACTIVE', [a.port.id, b.port.id, stranger.port.id]);

    await a.guest.untilReaches('10.1.0.12', { count: 1 });
    await expect(a.guest.ping('10.1.0.13', { count: 2 })).resolves.toEqual({ sent: 2, received: 0 });
  });

  test('a port whose administrative state goes down is cut off and DOWN, and comes back into its VLAN', async () => {
    const network = await createNetworkOf(bed, 'vxlan', 211, '10.2.0.0/24');
    const [a, b] = [await createAndPlug(bed, network.id), await createAndPlug(bed, network.id)];
    await bed.rest.untilPortsAre('ACTIVE', [a.port.id, b.port.id]);
    const address = addressOf(b.port);
    await a.guest.untilReaches(address, { count: 1 });
    const { tag } = await wiringOf(bed, b.guest);

    await bed.rest.update('ports', b.port.id, { admin_state_up: false });
    await bed.rest.untilPortsAre('DOWN', [b.port.id]);
    await until(async () => (await wiringOf(bed, b.guest)).tag === DEAD_VLAN);
    await untilNoFlow('br-int', b.guest.interfaceName);
    await expect(a.guest.ping(address, { count: 1 })).resolves.toMatchObject({ received: 0 });

    await bed.rest.update('ports', b.port.id, { admin_state_up: true });
    await bed.rest.untilPortsAre('ACTIVE', [b.port.id]);
    expect((await wiringOf(bed, b.guest)).tag).toBe(tag);
    await a.guest.untilReaches(address, { count: 1 });
  });

  test('a deleted port that is still plugged leads nowhere, and its flows go', async () => {
    const network = await createNetworkOf(bed, 'vxlan', 221, '10.3.0.0/24');
    const { port, guest } = await createAndPlug(bed, network.id);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);

    await bed.rest.remove('ports', port.id);

    await until(async () => (await wiringOf(bed, guest)).tag === DEAD_VLAN);
    await untilNoFlow('br-int', guest.interfaceName);
    await untilNoFlow('br-tun', /tun_id=0xdd\b/);
    await guest.unplug();
  });

  test('a port that is unplugged is DOWN, and plugged again ACTIVE again', async () => {
    const network = await createNetworkOf(bed, 'vlan', 231, '10.4.0.0/24');
    const { port, guest } = await createAndPlug(bed, network.id);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);

    await guest.unplug();
    await bed.rest.untilPortsAre('DOWN', [port.id]);
    await untilNoFlow('br-int', /dl_vlan=231\b/);

    const again = await plug(bed, port);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    expect((await wiringOf(bed, again)).tag).not.toBe(DEAD_VLAN);
  });

  test('what a network had on the switch goes with its last port and the network', async () => {
    await untilNothingIsToWrite(bed.host(1));
    const before = await Promise.all(['br-int', 'br-ex', 'br-tun'].map((bridge) => bed.host(1).dumpFlows(bridge)));
    const network = await createNetworkOf(bed, 'vlan', 241, '10.5.0.0/24');
    const { port, guest } = await createAndPlug(bed, network.id);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    expect((await bed.host(1).dumpFlows('br-int')).join('\n')).toMatch(/dl_vlan=241\b/);

    await bed.rest.remove('ports', port.id);
    await bed.rest.remove('networks', network.id);
    await guest.unplug();

    await until(async () => {
      const now = await Promise.all(['br-int', 'br-ex', 'br-tun'].map((bridge) => bed.host(1).dumpFlows(bridge)));
      return JSON.stringify(now) === JSON.stringify(before);
    });
  });

  test('a port whose rows are replaced in one transaction is wired again', async () => {
    const network = await createNetworkOf(bed, 'vxlan', 251, '10.6.0.0/24');
    const [a, b] = [await createAndPlug(bed, network.id), await createAndPlug(bed, network.id)];
    await bed.rest.untilPortsAre('ACTIVE', [a.port.id, b.port.id]);
    const { tag } = await wiringOf(bed, a.guest);

    const name = b.guest.interfaceName;
    const marks = [`external_ids:iface-id=${b.port.id}`, `external_ids:attached-mac="${b.port.mac_address}"`];
    const plugged = ['add-port', 'br-int', name, '--', 'set', 'Interface', name, 'type=internal', ...marks];
    await bed.host(1).vsctl('del-port', name, '--', ...plugged);

    await until(async () => (await wiringOf(bed, b.guest)).tag === tag);
    await a.guest.untilReaches(addressOf(b.port), { count: 1 });
    await bed.rest.untilPortsAre('ACTIVE', [b.port.id]);
  });

  test('a port on an ancillary bridge is reported, and nothing is wired', async () => {
    const mark = ['--', 'set', 'Bridge', 'br-anc', 'datapath_type=netdev', 'external_ids:bridge-id=br-anc'];
    await bed.host(1).vsctl('add-br', 'br-anc', ...mark);
    const network = await createNetworkOf(bed, 'vxlan', 261, '10.7.0.0/24');
    const port = await bed.rest.createPort(network.id, 'host1', { device_owner: 'network:router_gateway' });

    const guest = await bed.host(1).plug(port.id, port.mac_address, { bridge: 'br-anc' });

    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    expect(await wiringOf(bed, guest)).toMatchObject({ tag: null, other_config: {} });
    await guest.unplug();
    await bed.rest.untilPortsAre('DOWN', [port.id]);
  });
});
