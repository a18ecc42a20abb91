import { join } from 'node:path';
import { AgentRpc } from '../support/agent-rpc';
import { Bed, type Host, type NeutronPort, until } from '../support/bed';
import { repository } from '../support/bed-command';
import { mergeIni } from '../support/bed-ini';
import { ALL_TUNNELS, createNetworkOf, NETWORK_KINDS } from '../support/bed-ports';
import { untilNothingIsToWrite, untilReferenceIsIdle } from '../support/bed-settled';
import { compare, DIFFERENCES } from '../support/differences';
import { linesOf } from '../support/observed-switch';

jest.setTimeout(300_000);

const TUNNEL_TYPES = ['vxlan', 'gre', 'geneve'];
/** A host that the bed has not, so that there are tunnels to somewhere. */
const PEER_ADDRESS = '198.19.0.2';

/** What no agent reports of its devices. */
const NONE = -1;

let bed: Bed;

interface Observation {
  readonly lines: readonly string[];
  readonly configurations: Readonly<Record<string, unknown>> | undefined;
}

/** Ports of every kind of network, and one of every kind of port. */
async function createScenario(bed: Bed): Promise<readonly NeutronPort[]> {
  const ports: NeutronPort[] = [];
  const add = async (networkId: string, fields: Readonly<Record<string, unknown>> = {}) => {
    ports.push(await bed.rest.createPort(networkId, 'host1', fields));
  };
  for (const [index, kind] of NETWORK_KINDS.entries()) {
    const network = await createNetworkOf(bed, kind, 1001 + index, `10.0.${index}.0/24`);
    await add(network.id);
    if (kind !== 'vxlan') continue;
    await bed.rest.createSubnet(network.id, 'fd00:1::/64');
    const pairs = [{ ip_address: '10.9.0.0/16', mac_address: 'fa:16:3e:99:99:99' }, { ip_address: '10.0.2.200' }];
    await add(network.id, { allowed_address_pairs: pairs });
    await add(network.id, { port_security_enabled: false, security_groups: [] });
    await add(network.id, { device_owner: 'network:dhcp' });
    await add(network.id, { admin_state_up: false });
  }
  return ports;
}

async function plugAndWait(host: Host, ports: readonly NeutronPort[]): Promise<void> {
  await until(() => host.vsctl('br-exists', 'br-int').then(() => true));
  for (const port of ports) await host.plug(port.id, port.mac_address);
  await until(
    async () => {
      const rows = await host.rows('Port');
      return ports
        .filter(({ admin_state_up }) => admin_state_up)
        .every(({ id }) => {
          const row = rows.find(({ name }) => name === `tap${id.slice(0, 11)}`);
          return typeof row?.tag === 'number' && row.tag < 4095;
        });
    },
    { what: 'every port has its tag', timeoutMs: 90_000 },
  );
}

/** Has the server's configurations of host1 tell that nobody reported them. */
async function forget({ configurations }: Observation): Promise<void> {
  const rpc = new AgentRpc(bed, 'host1');
  await rpc.reportState({ ...configurations, devices: NONE });
  await rpc.close();
}

describe('the same networks and ports, with the same ini files, under both agents', () => {
  let peer: AgentRpc;
  let reference: Observation;
  let patchbay: Observation;

  beforeAll(async () => {
    bed = await Bed.start({ server: true });
    peer = new AgentRpc(bed, 'host2');
    await peer.reportState({ tunneling_ip: PEER_ADDRESS, tunnel_types: TUNNEL_TYPES, bridge_mappings: {} });
    for (const type of TUNNEL_TYPES) await peer.registerTunnel(type, PEER_ADDRESS);

    const ini = mergeIni(ALL_TUNNELS, { securitygroup: { firewall_driver: 'noop' }, agent: { polling_interval: 1 } });
    const configurations = async () => (await bed.rest.agents()).find(({ host }) => host === 'host1')?.configurations;
    const observe = async (): Promise<Observation> => ({
      lines: await linesOf(bed.host(1)),
      configurations: await configurations(),
    });
    const running = bed.host(1).startReferenceAgent(ini);
    await bed.rest.untilAgentIsAlive('host1');
    const ports = await createScenario(bed);
    await plugAndWait(bed.host(1), ports);
    await untilReferenceIsIdle(running);
    reference = await observe();
    await bed.replaceHosts();
    await forget(reference);
    const agent = bed.host(1).startPatchbay({ ini });
    await agent.untilLogged(/Synchronised/);
    await plugAndWait(bed.host(1), ports);
    await untilNothingIsToWrite(bed.host(1));
    await until(async () => (await configurations())?.devices !== NONE, { what: 'Patchbay has reported' });
    patchbay = await observe();
  });
  afterAll(async () => {
    await peer.close();
    await bed.stop();
  });

  test('leave the switch equal but for the differences of the list, all of which are there', () => {
    expect(compare(reference.lines, patchbay.lines, DIFFERENCES)).toEqual({
      onlyReference: [],
      onlyPatchbay: [],
      unmet: [],
    });
    expect(patchbay.lines.length).toBeGreaterThan(200);
  });

  test('leave nothing to change for a plan that is made afresh beside Patchbay', async () => {
    const host = bed.host(1);
    const plan = await host.exec([
      process.execPath,
      join(repository, 'core/bin/patchbay'),
      'plan',
      '--json',
      '--config-file',
      join(host.folder, 'neutron.conf'),
      '--config-file',
      join(host.folder, 'openvswitch_agent.ini'),
    ]);
    expect(JSON.parse(plan)).toMatchObject({ rows: 0, added: 0, changed: 0, removed: 0, pending: [] });
  });

  test('report the same configurations to the server, key by key', () => {
    const counted = { devices: expect.any(Number) };
    expect(patchbay.configurations).toEqual({ ...reference.configurations, ...counted });
    expect(Object.keys(patchbay.configurations ?? {}).sort()).toEqual(
      Object.keys(reference.configurations ?? {}).sort(),
    );
  });
});
