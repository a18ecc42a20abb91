import { Bed, type Guest, type Host, type NeutronPort, until } from '../support/bed';
import { addressOf, startedPatchbay, statusOf, untilStatus } from '../support/bed-agent';
import { atBroker, queueNames, rabbitmqctl } from '../support/bed-broker';
import { run, type UntilOptions } from '../support/bed-command';

jest.setTimeout(600_000);

/** Timeouts of seconds, so that the tests need not wait for the defaults of a minute. */
const OPTIONS = {
  DEFAULT: { rpc_response_timeout: 5 },
  agent: { report_interval: 2 },
  securitygroup: { firewall_driver: 'noop' },
};

let bed: Bed;
let host: Host;
let port: NeutronPort;
let guest: Guest;
let peerAddress: string;
let referenceQueues = 0;
let referenceConnections = 0;

beforeAll(async () => {
  bed = await Bed.start({ hosts: 2, server: true });
  host = bed.host(1);
  const reference = host.startReferenceAgent(OPTIONS);
  await bed.rest.untilAgentIsAlive('host1');
  await reference.untilLogged(/Agent initialized successfully/);
  const seen = await atBroker(host);
  [referenceQueues, referenceConnections] = [seen.queues.length, seen.connections.length];
  await reference.crash();
  await startedPatchbay(host, { ini: OPTIONS });
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  const other = await bed.rest.createPort(network.id, 'host1');
  port = await bed.rest.createPort(network.id, 'host1');
  guest = await host.plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`] });
  await host.plug(other.id, other.mac_address, { addresses: [`${addressOf(other)}/24`] });
  peerAddress = addressOf(other);
  await bed.rest.untilPortsAre('ACTIVE', [port.id, other.id]);
});
afterAll(async () => {
  await rabbitmqctl('start_app');
  await run(['test/bed/service', 'neutron']);
  await bed?.stop();
});

const tag = async (): Promise<string> => (await host.vsctl('get', 'Port', guest.interfaceName, 'tag')).trim();
const setAdminState = (state: 'up' | 'down') => bed.rest.updatePort(port.id, { admin_state_up: state === 'up' });
const untilClosed = (options: UntilOptions = {}) =>
  until(async () => (await tag()) === '4095', { what: 'the port has the dead VLAN', ...options });
const untilOpen = () => until(async () => (await tag()) !== '4095', { what: 'the port has a live VLAN' });
const untilConnected = () => untilStatus(host, 'is connected', ({ rpc }) => rpc?.connected === true);
const complaints = async (): Promise<string> =>
  (await statusOf(host)).plugins
    .flatMap(({ plugin, conditions }) => conditions.map((one) => ({ plugin, ...one })))
    .filter(({ level }) => level !== 'ok')
    .map(({ plugin, condition, detail }) => `${plugin} ${condition}: ${detail}`)
    .join('\n');

/** A change at the server is carried out on the host within the usual time: the agent hears and answers. */
async function expectToFollowTheServer(): Promise<void> {
  await setAdminState('down');
  await untilClosed();
  await setAdminState('up');
  await untilOpen();
  await bed.rest.untilPortsAre('ACTIVE', [port.id]);
}

describe("an agent's part of the broker", () => {
  test('is two connections and three queues at most', async () => {
    // The broker takes its time to bury the connections of the agent that was there before.
    await until(async () => {
      const { connections, queues } = await atBroker(host);
      expect(connections.length).toBeGreaterThan(0);
      expect(connections.length).toBeLessThanOrEqual(2);
      expect(queues.length).toBeGreaterThan(0);
      expect(queues.length).toBeLessThanOrEqual(3);
      expect(referenceConnections).toBeGreaterThan(connections.length);
      expect(referenceQueues).toBeGreaterThan(queues.length);
      await expect(statusOf(host)).resolves.toMatchObject({
        rpc: { connected: true, connections: connections.length, queues: queues.length },
      });
      return true;
    });
  });

  test("has none of the host's queues that the reference agent left behind", async () => {
    const own = (await atBroker(host)).queues;
    await until(
      async () => (await queueNames()).filter((name) => name.endsWith('.host1') && !own.includes(name)).length === 0,
    );
    await until(async () => (await complaints()) === '');
  });
});

describe('an agent follows the server again', () => {
  test('after the broker was restarted', async () => {
    await rabbitmqctl('stop_app');
    await untilStatus(host, 'says so', ({ rpc }) => rpc?.connected === false);
    await untilStatus(host, 'names it in health', ({ health }) => health === 'failing');
    await until(async () => /^neutron broker: /m.test(await complaints()));
    await guest.untilReaches(peerAddress);
    const change = setAdminState('down');

    await rabbitmqctl('start_app');

    await change;
    await untilClosed();
    await setAdminState('up');
    await untilOpen();
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
    await untilStatus(host, 'is well again', ({ health }) => health === 'ok');
  });

  test('after every connection was closed', async () => {
    await rabbitmqctl('close_all_connections', 'a test');

    await untilConnected();
    await expectToFollowTheServer();
  });

  test('after its queues were deleted', async () => {
    const { queues } = await atBroker(host);
    for (const queue of queues) await rabbitmqctl('delete_queue', queue);

    await until(async () => (await atBroker(host)).queues.length === queues.length);
    await expectToFollowTheServer();
  });

  test('after it was cut off, and has caught up with what was announced meanwhile: a port, a tunnel endpoint', async () => {
    await host.exec('ip link set management down');
    const { connections } = await atBroker(host);
    for (const connection of connections) await rabbitmqctl('close_connection', connection, 'a test');
    await setAdminState('down');
    await startedPatchbay(bed.host(2), { ini: OPTIONS });
    await expect(tag()).resolves.not.toBe('4095');

    await host.exec('ip link set management up');

    // TCP tries again after as long as the cable was out, at worst.
    await untilClosed({ timeoutMs: 240_000 });
    await until(async () => (await host.vsctl('list-ports', 'br-tun')).includes('vxlan-c6130002'));
    await setAdminState('up');
    await untilOpen();
    await bed.rest.untilPortsAre('ACTIVE', [port.id]);
  });

  test('after the server was away, which health says while frames go on', async () => {
    // Those that end with their parent are gone before their turn.
    await run(['bash', '-c', 'kill -KILL $(pgrep -f "[n]eutron-server --config-file neutron.conf") || true']);
    const stream = await guest.pingOn(peerAddress);
    await until(async () => /^heartbeat report: .*report_state/m.test(await complaints()));

    await run(['test/bed/service', 'neutron']);
    await untilStatus(host, 'is well again', ({ health }) => health === 'ok');
    await expect(stream.stop()).resolves.toMatchObject({ lost: 0 });
    await expectToFollowTheServer();
  });
});
