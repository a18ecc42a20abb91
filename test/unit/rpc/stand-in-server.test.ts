import { createMessaging, decodePush, type Messaging, type ResourcePush } from '../../../core/rpc';
import { MemoryBroker } from '../../support/memory-broker';
import { recorded } from '../../support/recorded-messages';
import {
  standInNetwork,
  standInPort,
  standInRule,
  standInSecurityGroup,
  standInSubnet,
} from '../../support/stand-in-objects';
import { StandInServer } from '../../support/stand-in-server';

const inner = (name: string) => JSON.parse(recorded(name).body['oslo.message']);
const network = standInNetwork({ networkType: 'vxlan', segmentationId: 42 });
const subnet = standInSubnet(network.id, '10.0.0.0/24');
const group = standInSecurityGroup([{ direction: 'ingress', protocol: 'tcp', ports: [22, 22] }]);
const fixedIps = [{ subnetId: subnet.id, address: '10.0.0.5' }];
const macAddress = 'fa:16:3e:00:00:01';
const port = standInPort({ network, host: 'h1', macAddress, fixedIps, securityGroupIds: [group.id] });

describe('the stand-in server', () => {
  let server: StandInServer;
  let agent: Messaging;
  beforeEach(async () => {
    const options = { transportUrl: 'rabbit://memory/', connect: new MemoryBroker().connect };
    server = await StandInServer.start(options);
    server.preload('Network', network);
    server.preload('Subnet', subnet);
    server.preload('SecurityGroup', group);
    server.preload('Port', port);
    agent = createMessaging(options);
  });
  afterEach(() => Promise.all([server.close(), agent.close()]));

  it.each([
    ['has-alive', 'q-reports-plugin'],
    ['report-state', 'q-reports-plugin'],
    ['tunnel-sync', 'q-plugin'],
  ])('answers the recorded %s as the real one did', async (name, topic) => {
    const { method, args, version } = inner(`${name}-call`);
    await expect(agent.call({ topic, version }, method, args)).resolves.toEqual(inner(`${name}-reply`).result);
  });

  it('writes a port with the fields of a recorded one', async () => {
    const fields = (primitive: Record<string, object>) => Object.keys(primitive['versioned_object.data'] ?? {}).sort();
    const [ours] = (await agent.call({ topic: 'q-plugin', version: '1.1' }, 'bulk_pull', {
      resource_type: 'Port',
      version: '1.7',
      filter_kwargs: { id: [port.id] },
    })) as Record<string, object>[];
    expect(fields(ours ?? {})).toEqual(fields(inner('ports-reply').result[0]));
  });

  it('serves objects by id and by the values of other fields', async () => {
    await expect(agent.resources.pull('Network', '1.1', network.id)).resolves.toMatchObject({
      segments: [{ segmentation_id: 42 }],
    });
    await expect(agent.resources.bulkPull('Port', '1.7', { security_group_ids: [group.id] })).resolves.toMatchObject({
      objects: [{ id: port.id }],
    });
    await expect(
      agent.resources.bulkPull('SecurityGroupRule', '1.2', { security_group_id: [group.id] }),
    ).resolves.toMatchObject({ objects: [expect.anything()] });
    await expect(agent.resources.pull('Port', '1.7', 'none')).resolves.toBeUndefined();
  });

  it('refuses a version newer than its own', async () => {
    await expect(agent.resources.pull('Port', '1.8', port.id)).rejects.toMatchObject({
      remoteClass: 'InvalidTargetVersion',
    });
  });

  it('pushes updates, deletions, and the status that the agent brought about', async () => {
    const pushes: ResourcePush[] = [];
    await new Promise<void>((resolve) => agent.once('connected', resolve));
    for (const topic of ['neutron-vo-Port-1.7', 'neutron-vo-SecurityGroupRule-1.2']) {
      await agent.listen({ topic, version: '1.1' }, { push: (_, args) => pushes.push(decodePush(args)) }).ready;
    }
    const up = { devices_up: [port.id], devices_down: ['gone'], agent_id: 'a', host: 'h1', refresh_tunnels: false };
    await expect(agent.call({ topic: 'q-plugin', version: '1.9' }, 'update_device_list', up)).resolves.toEqual({
      devices_up: [port.id],
      failed_devices_up: [],
      devices_down: [{ device: 'gone', exists: false }],
      failed_devices_down: [],
    });
    const rule = standInRule(group.id, { direction: 'egress' });
    await server.update('SecurityGroupRule', rule.id, rule);
    await server.remove('Port', port.id);
    while (pushes.length < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(pushes).toMatchObject([
      { event: 'updated', objects: [{ type: 'Port', object: { status: 'ACTIVE', revision_number: 2 } }] },
      { event: 'updated', objects: [{ type: 'SecurityGroupRule', object: { direction: 'egress' } }] },
      { event: 'deleted', objects: [{ object: { id: port.id } }] },
    ]);
  });

  it('remembers what it was asked', async () => {
    agent.call({ topic: 'q-reports-plugin', version: '1.2' }, 'has_alive_neutron_server').catch(() => undefined);
    await expect(server.whenCalled('has_alive_neutron_server')).resolves.toMatchObject({ args: {} });
  });
});
