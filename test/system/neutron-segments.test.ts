import { AgentRpc } from '../support/agent-rpc';
import { Bed, type NeutronPort, type Resource, type Running, until } from '../support/bed';
import {
  addressOf,
  createAndPlug,
  createNetworkOf,
  NO_FIREWALL,
  plug,
  providerFields,
  wiringOf,
} from '../support/bed-ports';

jest.setTimeout(240_000);

describe('segments of networks of neutron-server', () => {
  let bed: Bed;
  let agent: Running;

  beforeAll(async () => {
    bed = await Bed.start({ server: true });
    agent = bed.host(1).startPatchbay({ ini: NO_FIREWALL });
    await bed.rest.untilAgentIsAlive('host1');
  });
  afterAll(() => bed.stop());

  const flowsNaming = async (vlan: number): Promise<number> => {
    const flows = await Promise.all(['br-int', 'br-ex'].map((bridge) => bed.host(1).dumpFlows(bridge)));
    const named = new RegExp(`dl_vlan=${vlan}\\b|set_field:${vlan + 0x1000}->vlan_vid`);
    return flows.flat().filter((flow) => named.test(flow)).length;
  };

  test('a VLAN network is renumbered under its ports, which keep their local VLAN', async () => {
    const network = await createNetworkOf(bed, 'vlan', 351, '10.6.0.0/24');
    const [a, b] = [await createAndPlug(bed, network.id), await createAndPlug(bed, network.id)];
    await bed.rest.untilPortsAre('ACTIVE', [a.port.id, b.port.id]);
    const { tag } = await wiringOf(bed, a.guest);
    expect(await flowsNaming(351)).toBe(2);

    await bed.rest.update('networks', network.id, { 'provider:segmentation_id': 352 });

    await until(async () => (await flowsNaming(351)) === 0 && (await flowsNaming(352)) === 2);
    for (const { guest } of [a, b]) {
      await until(async () => segmentationIdOf(await wiringOf(bed, guest)) === '352');
      expect((await wiringOf(bed, guest)).tag).toBe(tag);
    }
    await bed.rest.untilPortsAre('ACTIVE', [a.port.id, b.port.id]);
    await a.guest.untilReaches(addressOf(b.port), { count: 1 });
  });

  describe('two segments of one network on one host', () => {
    let network: Resource;
    const ports: NeutronPort[] = [];

    beforeAll(async () => {
      network = await createNetworkOf(bed, 'vxlan', 361, '10.8.0.0/24');
      ports.push(await bed.rest.createPort(network.id, 'host1'));
      await bed.rest.create('segments', {
        network_id: network.id,
        network_type: 'vlan',
        physical_network: 'physnet1',
        segmentation_id: 362,
      });
      // The server binds a port to the first segment that the agent can have: for one port, it has no tunnels. It must not say otherwise meanwhile.
      await agent.stop();
      const configured = (await bed.rest.agents()).find(({ host }) => host === 'host1')?.configurations;
      const rpc = new AgentRpc(bed, 'host1');
      await rpc.reportState({ ...configured, tunnel_types: [] });
      ports.push(await bed.rest.createPort(network.id, 'host1'));
      await rpc.reportState({ ...configured });
      await rpc.close();
      agent = bed.host(1).startPatchbay({ ini: NO_FIREWALL });
    });

    test('have local VLANs of their own', async () => {
      const guests = [];
      for (const port of ports) guests.push(await plug(bed, port));
      await bed.rest.untilPortsAre(
        'ACTIVE',
        ports.map(({ id }) => id),
      );
      const rows = await Promise.all(guests.map((guest) => wiringOf(bed, guest)));
      expect(rows).toMatchObject([
        { other_config: { network_type: 'vxlan', segmentation_id: '361' } },
        { other_config: { network_type: 'vlan', segmentation_id: '362', physical_network: 'physnet1' } },
      ]);
      expect(rows[0]?.tag).not.toBe(rows[1]?.tag);
      expect(await flowsNaming(362)).toBe(2);
    });

    test('go one by one', async () => {
      const [first, second] = ports;
      await bed.rest.remove('ports', second?.id ?? '');
      await until(async () => (await flowsNaming(362)) === 0);
      expect((await bed.host(1).dumpFlows('br-tun')).join('\n')).toContain('tun_id=0x169');
      await bed.rest.untilPortsAre('ACTIVE', [first?.id ?? '']);
    });
  });

  test('a segment of another physical network is refused by the server, and the port is not ours', async () => {
    const network = await bed.rest.createNetwork({
      ...providerFields('flat', 0),
      'provider:physical_network': 'physnet2',
    });
    const { port, guest } = await createAndPlug(bed, network.id);
    await until(async () => (await wiringOf(bed, guest)).tag === 4095);
    await expect(bed.rest.port(port.id)).resolves.toMatchObject({
      status: 'DOWN',
      'binding:vif_type': 'binding_failed',
    });
  });
});

const segmentationIdOf = ({ other_config }: Readonly<Record<string, unknown>>): string | undefined =>
  (other_config as Record<string, string>).segmentation_id;
