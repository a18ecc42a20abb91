import { setTimeout as pause } from 'node:timers/promises';
import { Bed, type Host, until } from '../support/bed';
import { startedPatchbay } from '../support/bed-agent';

jest.setTimeout(240_000);

const OPTIONS = { securitygroup: { firewall_driver: 'noop' } };
/** Longer than the reference agent takes to see a port, and the server to say so. */
const SETTLED_MS = 12_000;

const AGENTS: Readonly<Record<string, (host: Host) => Promise<unknown>>> = {
  reference: async (host) => host.startReferenceAgent(OPTIONS).untilLogged(/Agent initialized successfully/),
  patchbay: (host) => startedPatchbay(host, { ini: OPTIONS }),
};

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
});
afterAll(() => bed.stop());

/** What the server says of the source's port before a migration, while the destination has the VIF, and after it was rolled back. */
async function statuses(start: (host: Host) => Promise<unknown>): Promise<readonly string[]> {
  await bed.reset();
  await Promise.all(bed.hosts.map(start));
  await Promise.all(bed.hosts.map(({ name }) => bed.rest.untilAgentIsAlive(name)));
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  const { id, mac_address } = await bed.rest.createPort(network.id, 'host1');
  await until(() =>
    bed
      .host(1)
      .vsctl('br-exists', 'br-int')
      .then(() => true),
  );
  await bed.host(1).plug(id, mac_address);
  await bed.rest.untilPortsAre('ACTIVE', [id]);
  const status = async () => {
    await pause(SETTLED_MS);
    return (await bed.rest.port(id)).status;
  };
  const before = await status();
  await bed.rest.create(`ports/${id}/bindings`, { host: 'host2' });
  await bed.rest.updatePort(id, { 'binding:profile': { migrating_to: 'host2' } });
  const there = await bed.host(2).plug(id, mac_address);
  const during = await status();
  await bed.rest.request('DELETE', `ports/${id}/bindings/host2`);
  await bed.rest.updatePort(id, { 'binding:profile': {} });
  await there.unplug();
  return [before, during, await status()];
}

test('the server shows a port that migrates as it does with the reference agent', async () => {
  const seen: Record<string, readonly string[]> = {};
  for (const [name, start] of Object.entries(AGENTS)) seen[name] = await statuses(start);
  expect(seen.patchbay).toEqual(seen.reference);
});
