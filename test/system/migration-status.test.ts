import { Bed, type Host, type NeutronPort, type Resource } from '../support/bed';
import { startedPatchbay } from '../support/bed-agent';

jest.setTimeout(600_000);

const OPTIONS = { securitygroup: { firewall_driver: 'noop' } };

const AGENTS: readonly (readonly [name: string, start: (host: Host) => Promise<unknown>])[] = [
  ['the reference agent', (host) => host.startReferenceAgent(OPTIONS).untilLogged(/Agent initialized successfully/)],
  ['Patchbay', (host) => startedPatchbay(host, { ini: OPTIONS })],
];

let bed: Bed;
let network: Resource;
beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
});
afterAll(() => bed.stop());

/** Both agents have done, and told the server, what there was to do: a port that came later is ACTIVE. */
async function settled(): Promise<void> {
  const ports = await Promise.all(bed.hosts.map(({ name }) => bed.rest.createPort(network.id, name)));
  await Promise.all(ports.map(({ id, mac_address }, index) => bed.host(index + 1).plug(id, mac_address)));
  await bed.rest.untilPortsAre(
    'ACTIVE',
    ports.map(({ id }) => id),
  );
}

test.each(AGENTS)('with %s a port that migrates is DOWN, until the migration is rolled back', async (_name, start) => {
  await bed.reset();
  await Promise.all(bed.hosts.map(start));
  await Promise.all(bed.hosts.map(({ name }) => bed.rest.untilAgentIsAlive(name)));
  network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  const { id, mac_address } = await bed.rest.createPort(network.id, 'host1');
  await bed.host(1).plug(id, mac_address);
  const untilItStays = async (status: NeutronPort['status']) => {
    await bed.rest.untilPortsAre(status, [id]);
    await settled();
    await bed.rest.untilPortsAre(status, [id]);
  };
  await untilItStays('ACTIVE');

  await bed.rest.create(`ports/${id}/bindings`, { host: 'host2' });
  await bed.rest.updatePort(id, { 'binding:profile': { migrating_to: 'host2' } });
  const there = await bed.host(2).plug(id, mac_address);
  await untilItStays('DOWN');

  await bed.rest.request('DELETE', `ports/${id}/bindings/host2`);
  await bed.rest.updatePort(id, { 'binding:profile': {} });
  await there.unplug();
  await untilItStays('ACTIVE');
});
