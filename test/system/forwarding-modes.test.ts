import { Bed, type Host, type Resource, type Running, until } from '../support/bed';
import { addressOf, startedPatchbay } from '../support/bed-agent';
import { createAndPlug, type Plugged } from '../support/bed-ports';

jest.setTimeout(600_000);

const modeOf = (isTold: boolean) => ({
  agent: { tunnel_types: 'vxlan', l2_population: isTold, arp_responder: isTold },
  securitygroup: { firewall_driver: 'noop' },
});
const LEARNS = modeOf(false);
const TOLD = modeOf(true);

let bed: Bed;
let learning: Running;
beforeAll(async () => {
  bed = await Bed.start({ hosts: 4, server: true });
  bed.host(3).startReferenceAgent(LEARNS);
  bed.host(4).startReferenceAgent(TOLD);
  [learning] = await Promise.all([
    startedPatchbay(bed.host(1), { ini: LEARNS }),
    startedPatchbay(bed.host(2), { ini: TOLD }),
  ]);
  await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
});
afterAll(() => bed.stop());

async function networkOf(): Promise<Resource> {
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  return network;
}

const plugged = (network: Resource, number: number): Promise<Plugged> => createAndPlug(bed, network.id, {}, number);

const untilActive = (...made: readonly Plugged[]) =>
  bed.rest.untilPortsAre(
    'ACTIVE',
    made.map(({ port }) => port.id),
  );

const reaches = (from: Plugged, to: Plugged) => from.guest.untilReaches(addressOf(to.port));

/** Seconds for which the bridge has known where the MAC is, for each flow that it learned of it. */
async function learnedFor(host: Host, mac: string): Promise<readonly number[]> {
  const flows = await host.ofctl('dump-flows', 'br-tun', 'table=20');
  return flows
    .split('\n')
    .filter((flow) => flow.includes(`dl_dst=${mac}`) && flow.includes('hard_timeout=300'))
    .map((flow) => Number(/duration=([\d.]+)s/.exec(flow)?.[1]));
}

/** Whether the tunnel bridge gives frames of some tunnel this VLAN. */
const leadsInto = async (host: Host, vlan: string): Promise<boolean> =>
  (await host.ofctl('dump-flows', 'br-tun', 'table=4')).includes(`set_field:${0x1000 | Number(vlan)}->vlan_vid`);

const tagOf = async (host: Host, { guest }: Plugged): Promise<string> =>
  (await host.vsctl('get', 'Port', guest.interfaceName, 'tag')).trim();

describe('one cloud of hosts that learn and hosts that are told, with Patchbay and with the reference agent', () => {
  let network: Resource;
  let guests: readonly Plugged[];

  beforeAll(async () => {
    network = await networkOf();
    guests = [];
    for (const number of [1, 2, 3, 4]) guests = [...guests, await plugged(network, number)];
    await untilActive(...guests);
  });

  test('reports of each host how it does', async () => {
    await until(async () => {
      const told = (await bed.rest.agents()).map(({ host, configurations }) => [host, configurations.l2_population]);
      expect(Object.fromEntries(told)).toEqual({ host1: false, host2: true, host3: false, host4: true });
      return true;
    });
  });

  test.each([
    ['Patchbay that learns', 'Patchbay that is told', 1, 2],
    ['Patchbay that learns', 'the reference agent that learns', 1, 3],
    ['Patchbay that learns', 'the reference agent that is told', 1, 4],
    ['Patchbay that is told', 'the reference agent that learns', 2, 3],
    ['Patchbay that is told', 'the reference agent that is told', 2, 4],
  ])('guests of %s and of %s reach each other', async (_one, _other, from, to) => {
    const [here, there] = [guests[from - 1], guests[to - 1]];
    if (here === undefined || there === undefined) throw new Error('not plugged');
    await reaches(here, there);
    await reaches(there, here);
  });

  test('what the bridge learned outlives a restart of the agent', async () => {
    const [host, there] = [bed.host(1), guests[2]];
    const mac = there?.port.mac_address ?? '';
    const [before] = await until(() => learnedFor(host, mac).then((all) => (all.length === 1 ? all : undefined)));
    await learning.stop();
    learning = await startedPatchbay(host, { ini: LEARNS });

    const [after] = await learnedFor(host, mac);

    expect(after).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
  });

  test('and is gone before its local VLAN is given to another network, which no flow leads into by then', async () => {
    const [host, here, there] = [bed.host(1), guests[0], guests[2]];
    if (here === undefined || there === undefined) throw new Error('not plugged');
    const [vlan, mac] = [await tagOf(host, here), there.port.mac_address];
    await expect(learnedFor(host, mac)).resolves.toHaveLength(1);
    await learning.stop();
    await here.guest.unplug();
    // Until the former network's flows are swept, its frames come into its VLAN still.
    const meanwhile = await plugged(await networkOf(), 1);
    learning = await startedPatchbay(host, { ini: LEARNS });
    await untilActive(meanwhile);
    await expect(tagOf(host, meanwhile)).resolves.not.toBe(vlan);
    await until(async () => !(await leadsInto(host, vlan)), { what: 'the flows of the former network are swept' });

    const later = await plugged(await networkOf(), 1);
    await until(async () => (await tagOf(host, later)) === vlan, { what: 'the VLAN is given again' });

    await expect(learnedFor(host, mac)).resolves.toEqual([]);
  });
});
