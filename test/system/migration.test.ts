import type { ExplainReport } from '../../core/host/reports';
import { Bed, Guest, type NeutronPort, type PingStream, until } from '../support/bed';
import { addressOf, report, startedPatchbay } from '../support/bed-agent';

jest.setTimeout(600_000);

const OPTIONS = { securitygroup: { firewall_driver: 'noop' } };
const DEAD_VLAN = '4095';

let bed: Bed;
let instance: NeutronPort;
/** Another instance of the network, on host 1, which talks to the one that migrates. */
let peer: Guest;
let here: Guest;
let conversation: PingStream;

beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
  await Promise.all(bed.hosts.map((host) => startedPatchbay(host, { ini: OPTIONS })));
  await Promise.all(bed.hosts.map(({ name }) => bed.rest.untilAgentIsAlive(name)));
});
afterAll(() => bed.stop());

beforeEach(async () => {
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  instance = await bed.rest.createPort(network.id, 'host1');
  const other = await bed.rest.createPort(network.id, 'host1');
  const plug = (port: NeutronPort) =>
    bed.host(1).plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`] });
  [here, peer] = [await plug(instance), await plug(other)];
  await bed.rest.untilPortsAre('ACTIVE', [instance.id, other.id]);
  conversation = await peer.pingOn(addressOf(instance));
  await prepare();
});

const bindings = (): string => `ports/${instance.id}/bindings`;

/** Nova's first steps: an inactive binding at the destination, its name in the profile of the active one, and the VIF there. */
async function prepare(): Promise<void> {
  await bed.rest.create(bindings(), { host: 'host2' });
  await bed.rest.updatePort(instance.id, { 'binding:profile': { migrating_to: 'host2' } });
  const ids = { 'iface-id': instance.id, 'attached-mac': instance.mac_address, 'iface-status': 'active' };
  const marks = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
  await bed
    .host(2)
    .vsctl(
      'add-port',
      'br-int',
      here.interfaceName,
      '--',
      'set',
      'Interface',
      here.interfaceName,
      'type=internal',
      ...marks,
    );
}

const tagOn = async (host: 1 | 2): Promise<string> =>
  (await bed.host(host).vsctl('--if-exists', 'get', 'Port', here.interfaceName, 'tag')).trim();
const stateOn = async (host: 1 | 2): Promise<string> =>
  (await report<ExplainReport>(bed.host(host), `explain/${instance.id}`)).state;
const untilWiredThere = () =>
  until(async () => (await stateOn(2)) === 'up', { what: 'the destination has wired the port' });

test('the destination wires the port early while the source goes on, and nobody notices', async () => {
  await untilWiredThere();

  expect(await tagOn(2)).toMatch(/^[1-9]\d*$/);
  expect(await tagOn(2)).not.toBe(DEAD_VLAN);
  await expect(stateOn(1)).resolves.toBe('up');
  await expect(bed.rest.port(instance.id)).resolves.toMatchObject({ 'binding:host_id': 'host1' });
  await expect(conversation.stop()).resolves.toMatchObject({ lost: 0 });
});

test('once the binding is activated the source unplugs its VIF, and the destination reports the port', async () => {
  await untilWiredThere();
  await conversation.stop();

  await bed.rest.request('PUT', `${bindings()}/host2/activate`);

  await until(async () => (await tagOn(1)) === '', { what: 'the source has unplugged the VIF' });
  await until(async () => (await bed.rest.port(instance.id))['binding:host_id'] === 'host2');
  await bed.rest.untilPortsAre('ACTIVE', [instance.id]);
  await untilWiredThere();
  await bed.rest.request('DELETE', `${bindings()}/host1`);
  const there = new Guest(bed.host(2), instance.id, here.interfaceName, instance.mac_address, here.addresses);
  await bed.host(2).exec(['ip', 'netns', 'add', there.namespace]);
  await there.attach();
  await peer.untilReaches(addressOf(instance));
  await expect(bed.rest.port(instance.id)).resolves.toMatchObject({ status: 'ACTIVE' });
});

test('after a migration that is rolled back the source goes on, and the port stays ACTIVE', async () => {
  await untilWiredThere();

  await bed.rest.request('DELETE', `${bindings()}/host2`);
  await bed.rest.updatePort(instance.id, { 'binding:profile': {} });
  await until(async () => (await tagOn(2)) === DEAD_VLAN, { what: 'the destination has closed the port' });
  await bed.host(2).vsctl('del-port', here.interfaceName);
  await until(async () => (await stateOn(2).catch(() => 'gone')) !== 'up');

  await expect(stateOn(1)).resolves.toBe('up');
  await expect(conversation.stop()).resolves.toMatchObject({ lost: 0 });
  await bed.rest.untilPortsAre('ACTIVE', [instance.id]);
  await expect(bed.rest.port(instance.id)).resolves.toMatchObject({ 'binding:host_id': 'host1' });
});
