import { AgentRpc } from '../support/agent-rpc';
import { Bed, type Capture, frame, type NeutronPort, type Running, until } from '../support/bed';
import type { Guest } from '../support/bed-guest';
import { createAndPlug, createNetworkOf, plug, wiringOf } from '../support/bed-ports';

jest.setTimeout(600_000);

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const DEAD_VLAN = 4095;
/** RFC 791, 3.1: of UDP without content, from 10.0.0.9 to everyone. */
const IPV4_HEADER = Buffer.from('4500001400004000401130d20a000009ffffffff', 'hex');

/** Two hosts, but the agent of one only: the other is the rest of the world, at the far end of the provider cable and of the underlay. */
describe.each(['noop', 'openvswitch'])('with the %s firewall, frames reach nobody they should not:', (firewall) => {
  // The frames of these tests are of no protocol that security groups know.
  const ini = { securitygroup: { firewall_driver: firewall, permitted_ethertypes: '0x88b5' } };
  let bed: Bed;
  let agent: Running;
  let peer: AgentRpc;
  let vxlan: { readonly id: string };
  /** Wired: two of the network that the tests are about, one of a VLAN network, and whoever else is on the provider network. */
  let neighbour: Guest;
  let beacon: Guest;
  let tenant: Guest;
  let provider: Guest;
  let localVlans: readonly number[];

  beforeAll(async () => {
    bed = await Bed.start({ hosts: 2, server: true });
    peer = new AgentRpc(bed, 'host2');
    await peer.reportState({ tunneling_ip: '198.19.0.2', tunnel_types: ['vxlan'], bridge_mappings: {} });
    await peer.registerTunnel('vxlan', '198.19.0.2');
    agent = bed.host(1).startPatchbay({ ini });
    await bed.rest.untilAgentIsAlive('host1');
    vxlan = await createNetworkOf(bed, 'vxlan', 501, '10.0.0.0/24');
    const vlan = await createNetworkOf(bed, 'vlan', 502, '10.1.0.0/24');
    const wired = [
      await createAndPlug(bed, vxlan.id),
      await createAndPlug(bed, vxlan.id),
      await createAndPlug(bed, vlan.id),
    ];
    [neighbour, beacon, tenant] = wired.map(({ guest }) => guest) as [Guest, Guest, Guest];
    await bed.rest.untilPortsAre(
      'ACTIVE',
      wired.map(({ port }) => port.id),
    );
    provider = await bed.host(2).plug(crypto.randomUUID(), 'fa:16:3e:50:00:01', { bridge: 'br-ex' });
    localVlans = await Promise.all([neighbour, tenant].map(async (guest) => Number((await wiringOf(bed, guest)).tag)));
  });
  afterAll(async () => {
    await peer?.close();
    await bed?.stop();
  });

  /** Untagged, for priority alone, and in every VLAN that means something here, under one tag and two; to all and to one. */
  const everyForm = (guest: Guest): { readonly untagged: readonly Buffer[]; readonly tagged: readonly Buffer[] } => {
    const destinations = [BROADCAST, neighbour.mac, tenant.mac];
    const vlans = [...localVlans, 501, 502, DEAD_VLAN, 4094];
    const send = (tags: readonly { readonly vlan: number; readonly tpid?: 0x8100 | 0x88a8 }[]) =>
      destinations.map((destination) => frame({ destination, source: guest.mac, tags }));
    return {
      untagged: send([]),
      tagged: vlans.flatMap((vlan) => [
        ...send([{ vlan }]),
        ...send([{ vlan }, { vlan: localVlans[0] ?? 0 }]),
        ...send([{ vlan, tpid: 0x88a8 }]),
        ...send([{ vlan: 0 }, { vlan }]),
      ]),
    };
  };

  /** Everyone who could see a frame under that address: guests, the provider cable, and the underlay. */
  class Watch {
    private constructor(
      private readonly mac: string,
      private readonly captures: Readonly<Record<string, Capture>>,
    ) {}

    static async start(mac: string, others: Readonly<Record<string, Guest>> = {}): Promise<Watch> {
      const filter = `ether src ${mac}`;
      const guests = { neighbour, tenant, provider, ...others };
      const named = async (name: string, capture: Promise<Capture>) => [name, await capture] as const;
      const captures = await Promise.all([
        ...Object.entries(guests).map(([name, guest]) => named(name, guest.capture({ filter }))),
        named('cable', bed.host(1).capture('cable2', { filter })),
        named('underlay', bed.host(1).capture('wire2', { filter: 'udp port 4789' })),
      ]);
      return new Watch(mac, Object.fromEntries(captures));
    }

    /** Who saw how many, without what the guest's own stack says; of those who saw none, nothing. Wired ports are heard first: what was sent before them has arrived too. */
    async stop(): Promise<Readonly<Record<string, number>>> {
      await everyoneHears();
      const counts = await Promise.all(
        Object.entries(this.captures).map(
          async ([name, capture]) => [name, this.sentIn(await capture.stop())] as const,
        ),
      );
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    }

    /** Waits until so many have been seen there. */
    async until(name: string, count: number): Promise<void> {
      await until(() => this.sentIn(this.captures[name]?.frames() ?? []) >= count, { what: `${name} sees ${count}` });
    }

    private readonly sentIn = (lines: readonly string[]): number =>
      lines.filter((line) => line.includes(this.mac) && !/IPv6|ARP/.test(line)).length;
  }

  /** Broadcasts of wired ports arrive where they should: the proof that frames that are not seen would have been. */
  async function everyoneHears(): Promise<void> {
    const heard = await Promise.all([
      neighbour.capture({ filter: `ether src ${beacon.mac}` }),
      provider.capture({ filter: `ether src ${tenant.mac}` }),
      bed.host(1).capture('wire2', { filter: 'udp port 4789' }),
    ]);
    await beacon.send([frame({ destination: BROADCAST, source: beacon.mac })]);
    await tenant.send([frame({ destination: BROADCAST, source: tenant.mac })]);
    for (const capture of heard) {
      await until(() => capture.count > 0);
      await capture.stop();
    }
  }

  const broadcastsOfOthers = async (): Promise<void> => {
    for (const guest of [beacon, tenant]) {
      await guest.send([frame({ destination: BROADCAST, source: guest.mac })], { count: 20 });
    }
  };

  const controlPlane = (state: 'down' | 'up') => bed.host(1).exec(['ip', 'link', 'set', 'management', state]);

  afterEach(() => controlPlane('up'));

  test('of a port that is plugged while the control plane is away, until it is wired, and then only of its network', async () => {
    // Before the port is made: what the server tells of it would be enough for its wiring.
    await controlPlane('down');
    const port = await bed.rest.createPort(vxlan.id, 'host1');
    const guest = await plug(bed, port);
    await untilDead(guest);

    const before = await Watch.start(guest.mac);
    const inbound = await guest.capture();
    const { untagged, tagged } = everyForm(guest);
    await guest.send([...untagged, ...tagged]);
    await broadcastsOfOthers();
    expect(await before.stop()).toEqual({});
    expect(await inbound.stop()).toEqual([]);

    const during = await Watch.start(guest.mac);
    const strange = await guest.capture({ filter: `ether src ${tenant.mac}` });
    await controlPlane('up');
    await until(
      async () => {
        await guest.send(tagged);
        await broadcastsOfOthers();
        return (await bed.rest.port(port.id)).status === 'ACTIVE';
      },
      { timeoutMs: 180_000, everyMs: 10, what: 'the port is wired' },
    );
    expect(await during.stop()).toEqual({});
    expect(await strange.stop()).toEqual([]);

    const after = await Watch.start(guest.mac);
    await guest.send(tagged);
    expect(await after.stop()).toEqual({});
    const own = await Watch.start(guest.mac);
    await guest.send(untagged);
    for (const where of ['neighbour', 'underlay']) await own.until(where, 1);
    expect(Object.keys(await own.stop()).sort()).toEqual(['neighbour', 'underlay']);
    await remove(port, guest);
  });

  test('of a port that sends without pause from the moment it is plugged', async () => {
    const port = await bed.rest.createPort(vxlan.id, 'host1');
    const watch = await Watch.start(port.mac_address);
    const guest = await plug(bed, port);
    const { tagged } = everyForm(guest);
    await until(
      async () => {
        await guest.send(tagged);
        return (await bed.rest.port(port.id)).status === 'ACTIVE';
      },
      { everyMs: 1 },
    );
    await guest.send(tagged);
    expect(await watch.stop()).toEqual({});
    await remove(port, guest);
  });

  test('of ports on the dead VLAN, not even from one to the other', async () => {
    const ports = [await bed.rest.createPort(vxlan.id, 'host1'), await bed.rest.createPort(vxlan.id, 'host1')];
    const [one, other] = [await plug(bed, ports[0] as NeutronPort), await plug(bed, ports[1] as NeutronPort)];
    await bed.rest.untilPortsAre(
      'ACTIVE',
      ports.map(({ id }) => id),
    );
    for (const { id } of ports) await bed.rest.update('ports', id, { admin_state_up: false });
    for (const guest of [one, other]) await untilDead(guest);

    const watch = await Watch.start(one.mac, { other });
    const inbound = await other.capture();
    const { untagged, tagged } = everyForm(one);
    await one.send([...untagged, ...tagged, frame({ destination: other.mac, source: one.mac })]);
    await broadcastsOfOthers();
    expect(await watch.stop()).toEqual({});
    expect(await inbound.stop()).toEqual([]);
    await remove(ports[0] as NeutronPort, one);
    await remove(ports[1] as NeutronPort, other);
  });

  test('of a port of a flat network in a VLAN of the provider, under one tag or behind a priority tag', async () => {
    const flat = await createNetworkOf(bed, 'flat', 0, '10.2.0.0/24');
    const { port, guest } = await createAndPlug(bed, flat.id);
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    const { untagged, tagged } = everyForm(guest);

    const watch = await Watch.start(guest.mac);
    await guest.send(tagged);
    expect(await watch.stop()).toEqual({});
    const own = await Watch.start(guest.mac);
    await guest.send(untagged);
    for (const where of ['cable', 'provider']) await own.until(where, 1);
    expect(Object.keys(await own.stop()).sort()).toEqual(['cable', 'provider']);
    await remove(port, guest);
  });

  test("of a wired port under another's address", async () => {
    const watch = await Watch.start('fa:16:3e:66:66:66');
    const source = 'fa:16:3e:66:66:66';
    const destinations = [BROADCAST, neighbour.mac];
    await beacon.send(
      destinations.map((destination) => frame({ destination, source, etherType: 0x0800, payload: IPV4_HEADER })),
    );
    expect(await watch.stop()).toEqual({});
  });

  test('of the provider network in VLANs that are no segment of this host', async () => {
    const watch = await Watch.start(provider.mac);
    const vlans = [...localVlans, 501, DEAD_VLAN].map((vlan) => [{ vlan }]);
    await provider.send([[], ...vlans].map((tags) => frame({ destination: BROADCAST, source: provider.mac, tags })));
    await watch.until('cable', 1 + vlans.length);
    const { cable, provider: itself, ...guests } = await watch.stop();
    expect(guests).toEqual({});
    expect(cable).toBe(1 + vlans.length);
    expect(itself).toBeUndefined();
  });

  test('of a port that is plugged while no agent runs', async () => {
    await agent.stop();
    const port = await bed.rest.createPort(vxlan.id, 'host1');
    const guest = await plug(bed, port);

    const watch = await Watch.start(guest.mac);
    const { untagged, tagged } = everyForm(guest);
    await guest.send([...untagged, ...tagged]);
    expect(await watch.stop()).toEqual({});

    const meanwhile = await Watch.start(guest.mac);
    agent = bed.host(1).startPatchbay({ ini });
    await until(
      async () => {
        await guest.send(tagged);
        return (await wiringOf(bed, guest)).tag === localVlans[0];
      },
      { everyMs: 1 },
    );
    expect(await meanwhile.stop()).toEqual({});
  });

  /** The agent has closed the port, and the switch does as the agent says: ovs-vsctl waits until it follows. */
  async function untilDead(guest: Guest): Promise<void> {
    await until(async () => (await wiringOf(bed, guest)).tag === DEAD_VLAN);
    await bed.host(1).vsctl('set', 'Open_vSwitch', '.', `external_ids:closed=${guest.interfaceName}`);
  }

  async function remove(port: NeutronPort, guest: Guest): Promise<void> {
    await guest.unplug();
    await bed.rest.remove('ports', port.id);
  }
});
