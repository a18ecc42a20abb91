import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, type Guest, type Host, type NeutronPort, type Resource, type Running, until } from '../support/bed';
import { addressOf, startedPatchbay } from '../support/bed-agent';
import { untilReferenceIsIdle } from '../support/bed-settled';
import { Stream, serve, untilAnswered } from '../support/bed-traffic';

jest.setTimeout(300_000);

const FIREWALL_TABLE = /table=(60|7[123]|8[12]|9[1-4]),/;
const WEB = 80;
/** Let in from members of the group alone: by conjunctions, as are pings. */
const SSH = 22;

let bed: Bed;
let host: Host;
let reference: Running;
let patchbay: Running;
let group: Resource;
let webRule: Resource;
let web: NeutronPort;
const guests: Guest[] = [];
const client = () => guests[1] as Guest;

/** The firewall's flows as both agents have them: without the ids of conjunctions, and without what goes beyond the reference (docs/security-groups.md). */
async function firewall(): Promise<readonly string[]> {
  return (await host.dumpFlows('br-int'))
    .filter((flow) => FIREWALL_TABLE.test(flow) && !/rarp/.test(flow))
    .map((flow) => flow.replace('reset_counts ', ''))
    .map((flow) => (flow.includes('icmp_type=136,nd_target') ? flow.replace(/dl_src=[^,]*,/, '') : flow))
    .map((flow) => flow.replace(/conj_id=(\d+)/, (_all, id) => `conj_id=${Number(id) % 8}`))
    .map((flow) => flow.replace(/conjunction\((\d+),/g, (_all, id) => `conjunction(${Number(id) % 8},`))
    .map((flow) => flow.replace(/set_field:(0x[0-9a-f]+)->reg7/, (_all, id) => `set_field:${Number(id) % 8}->reg7`))
    .sort();
}

/** Fails with what is different. */
const untilFirewallIs = (wanted: readonly string[]): Promise<unknown> =>
  until(async () => JSON.stringify(await firewall()) === JSON.stringify(wanted)).catch(async () =>
    expect(await firewall()).toEqual(wanted),
  );

beforeAll(async () => {
  bed = await Bed.start({ server: true });
  host = bed.host(1);
  reference = host.startReferenceAgent({ agent: { polling_interval: 1 } });
  await bed.rest.untilAgentIsAlive('host1');
  const network = await bed.rest.createNetwork({ 'provider:network_type': 'vxlan' });
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  group = await bed.rest.create('security-groups', { name: 'web' });
  const rule = (fields: Readonly<Record<string, unknown>>) =>
    bed.rest.create('security-group-rules', {
      security_group_id: group.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      ...fields,
    });
  await rule({ protocol: 'icmp', remote_group_id: group.id });
  await rule({ protocol: 'udp', port_range_min: 5000, port_range_max: 5010 });
  await rule({ protocol: 'tcp', port_range_min: SSH, port_range_max: SSH, remote_group_id: group.id });
  webRule = await rule({ protocol: 'tcp', port_range_min: WEB, port_range_max: WEB });
  const ports = [
    await bed.rest.createPort(network.id, 'host1', { security_groups: [group.id] }),
    await bed.rest.createPort(network.id, 'host1', { security_groups: [group.id] }),
  ];
  for (const port of ports) {
    guests.push(
      await host.plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`], deviceId: port.device_id }),
    );
  }
  [web] = ports as [NeutronPort];
  await bed.rest.untilPortsAre(
    'ACTIVE',
    ports.map(({ id }) => id),
  );
  for (const port of [WEB, SSH]) await serve(host, guests[0] as Guest, 'tcp', '0.0.0.0', port);
  await untilAnswered([client(), 'tcp', addressOf(web), WEB]);
  await untilReferenceIsIdle(reference);
});
afterAll(() => bed.stop());

/** Ids of all conjunctions on the bridge. */
async function conjunctions(): Promise<readonly number[]> {
  const flows = await host.dumpFlows('br-int');
  return flows.flatMap((flow) => [...flow.matchAll(/conj(?:unction\(|_id=)(\d+)/g)].map(([, id]) => Number(id)));
}

/** Begins pings and a connection that only conjunctions let in, and a connection that a rule without lets in; answers how to end them, where none may have lost anything. */
async function traffic(): Promise<() => Promise<void>> {
  const streams = [
    await Stream.open(host, client(), addressOf(web), WEB, 'lasts'),
    await Stream.open(host, client(), addressOf(web), SSH, 'lasts'),
  ];
  const pinging = client().exec('bash', '-c', `ping -n -q -i 0.05 -W 20 -c 200 ${addressOf(web)} || true`);
  return async () => {
    expect(await pinging).toMatch(/ 0% packet loss/);
    for (const stream of streams) expect(await stream.close()).toMatchObject({ cut: false });
  };
}

describe('a host whose security groups the reference agent made', () => {
  test('is taken over with the same flows, and no ping and no connection is lost', async () => {
    const before = await firewall();
    const nothingIsLost = await traffic();

    await reference.stop('SIGTERM');
    patchbay = await startedPatchbay(host);
    await untilFirewallIs(before);

    await nothingIsLost();
  });

  test('has its conjunctions under ids above the former where the record of them is lost, and loses nothing by that', async () => {
    const [flows, ids] = [await firewall(), await conjunctions()];
    const nothingIsLost = await traffic();

    await patchbay.stop();
    rmSync(join(host.folder, 'patchbay'), { recursive: true });
    patchbay = await startedPatchbay(host);
    const highest = Math.max(...ids);
    await until(async () => Math.min(...(await conjunctions())) > highest, { what: 'the former ids are gone' });

    await untilFirewallIs(flows);
    await nothingIsLost();
  });

  test('has a connection cut when its rule is deleted in the server, and let in again when it is back', async () => {
    const stream = await Stream.open(host, client(), addressOf(web), WEB, 'will be cut', 45_101);
    await bed.rest.remove('security-group-rules', webRule.id);
    await stream.untilCut();
    await stream.close();
    await bed.rest.create('security-group-rules', {
      security_group_id: group.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 'tcp',
      port_range_min: WEB,
      port_range_max: WEB,
    });
    await untilAnswered([client(), 'tcp', addressOf(web), WEB, 45_101]);
  });

  test('has the address of a member that comes in the server on the switch, and no more when it has gone', async () => {
    const network = web.network_id;
    const member = await bed.rest.createPort(network, 'elsewhere', { security_groups: [group.id] });
    const isThere = async () => (await firewall()).some((flow) => flow.includes(`nw_src=${addressOf(member)} `));
    await until(isThere, { what: 'the member’s address is on the switch' });
    await bed.rest.deletePort(member.id);
    await until(async () => !(await isThere()), { what: 'it is gone' });
  });
});
