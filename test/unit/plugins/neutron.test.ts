import type { ObjectChange } from '@patchbay/sdk';
import { FollowedObjects } from '../../../core/agent/followed-objects';
import { portChanges, securityGroupUpdate } from '../../../plugins/neutron/changes';
import { NeutronControlPlane } from '../../../plugins/neutron/control-plane';
import { describePort } from '../../../plugins/neutron/describe';
import { leftQueueNames } from '../../../plugins/neutron/left-queues';
import {
  type BindingObject,
  type NetworkObject,
  OBJECT_VERSIONS,
  type PortObject,
} from '../../../plugins/neutron/objects';
import { NeutronResources } from '../../../plugins/neutron/resources';
import { IDENTITY } from '../../support/plugin-kit';

const bound = (host: string, status = 'ACTIVE', profile = {}): BindingObject => ({
  host,
  status,
  vif_type: 'ovs',
  vnic_type: 'normal',
  profile,
});

const SEGMENT = { id: 's1', network_type: 'vlan', physical_network: 'physnet1', segmentation_id: 101 };

function portObject(more: Partial<PortObject> = {}): PortObject {
  return {
    id: 'p1',
    name: 'web',
    network_id: 'n1',
    mac_address: 'FA:16:3E:00:00:01',
    admin_state_up: true,
    status: 'DOWN',
    device_id: 'vm',
    device_owner: 'compute:nova',
    fixed_ips: [{ subnet_id: 'sub', ip_address: '10.0.0.5' }],
    allowed_address_pairs: [],
    security: { port_security_enabled: true },
    security_group_ids: ['g2', 'g1'],
    bindings: [bound('host1')],
    binding_levels: [{ host: 'host1', level: 0, segment_id: 's1', segment: SEGMENT }],
    qos_policy_id: null,
    qos_network_policy_id: null,
    revision_number: 3,
    ...more,
  };
}

const network = (segmentationId: number): NetworkObject => ({
  id: 'n1',
  name: 'net',
  mtu: 1450,
  qos_policy_id: null,
  segments: [{ ...SEGMENT, segmentation_id: segmentationId }],
});

describe('a port of Neutron', () => {
  test('is described in the domain’s words', () => {
    expect(describePort(portObject(), network(101), 'host1')).toMatchObject({
      id: 'p1',
      macAddress: 'fa:16:3e:00:00:01',
      securityGroupIds: ['g1', 'g2'],
      segment: { networkId: 'n1', networkType: 'vlan', physicalNetwork: 'physnet1', segmentationId: 101 },
      binding: 'here',
      mtu: 1450,
      revision: 3,
    });
  });

  test('has the segmentation id that its network has now', () => {
    expect(describePort(portObject(), network(202), 'host1').segment?.segmentationId).toBe(202);
  });

  test('has the segment of its own host where several hosts hold bindings', () => {
    const binding_levels = [
      { host: 'host1', level: 0, segment_id: 's1', segment: SEGMENT },
      { host: 'host2', level: 0, segment_id: 's2', segment: { ...SEGMENT, id: 's2', segmentation_id: 999 } },
    ];
    expect(describePort(portObject({ binding_levels }), undefined, 'host1').segment?.segmentationId).toBe(101);
  });

  test.each([
    ['here', [bound('host1')], 'here'],
    [
      'migrating-out',
      [bound('host1', 'ACTIVE', { migrating_to: 'host2' }), bound('host2', 'INACTIVE')],
      'migrating-out',
    ],
    ['migrating-in', [bound('host2', 'ACTIVE', { migrating_to: 'host1' }), bound('host1', 'INACTIVE')], 'migrating-in'],
    ['elsewhere', [bound('host2')], 'elsewhere'],
    ['elsewhere while only inactive here', [bound('host2'), bound('host1', 'INACTIVE')], 'elsewhere'],
  ])('is %s by its bindings', (_what, bindings, expected) => {
    expect(describePort(portObject({ bindings }), undefined, 'host1').binding).toBe(expected);
  });

  test('that is no instance’s is wired where it is plugged', () => {
    const port = portObject({ device_owner: 'network:dhcp', bindings: [bound('host2')] });
    expect(describePort(port, undefined, 'host1').binding).toBe('here');
  });

  test('without its MAC is refused by that field', () => {
    expect(() => describePort(portObject({ mac_address: '' }), undefined, 'host1')).toThrow(
      /port p1 has no usable mac_address/,
    );
  });
});

describe('a change of an object', () => {
  const change = (previous: PortObject | undefined, current: PortObject | undefined): ObjectChange => ({
    type: 'Port',
    id: 'p1',
    cause: 'req-1',
    ...(previous === undefined ? {} : { previous }),
    ...(current === undefined ? {} : { current }),
  });

  test('of a port has it described again', () => {
    expect(portChanges(change(portObject(), portObject({ admin_state_up: false })), 'host1')).toEqual([
      { kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' },
    ]);
  });

  test('that moves the active binding away has the VIF unplugged', () => {
    const bindings = [bound('host2'), bound('host1', 'INACTIVE')];
    expect(portChanges(change(portObject(), portObject({ bindings })), 'host1')).toEqual([
      { kind: 'binding-moved', portId: 'p1', toHost: 'host2', cause: 'req-1' },
    ]);
  });

  test('that deletes a port says so', () => {
    expect(portChanges(change(portObject(), undefined), 'host1')).toMatchObject([{ kind: 'port-deleted' }]);
  });

  test('of a port’s groups touches the groups it left and joined', () => {
    expect(securityGroupUpdate(change(portObject(), portObject({ security_group_ids: ['g1', 'g3'] })))).toEqual({
      securityGroupIds: ['g1', 'g2', 'g3'],
      change: 'members',
    });
  });

  test('of a port’s name touches no group', () => {
    expect(securityGroupUpdate(change(portObject(), portObject({ name: 'other' })))).toBeUndefined();
  });

  test('of a rule touches its group, also when only the deletion is known', () => {
    const rule = { id: 'r1', security_group_id: 'g1' };
    const base = { type: 'SecurityGroupRule', id: 'r1', cause: 'req-1' };
    expect(securityGroupUpdate({ ...base, current: rule })).toEqual({ securityGroupIds: ['g1'], change: 'rules' });
    expect(securityGroupUpdate({ ...base, previous: rule })).toEqual({ securityGroupIds: ['g1'], change: 'rules' });
  });
});

describe('the neutron control plane', () => {
  function setUp(answer: (method: string, args: Readonly<Record<string, unknown>>) => unknown) {
    const calls: { readonly method: string; readonly args: Readonly<Record<string, unknown>> }[] = [];
    const followed: Record<string, string> = { Port: '1.7' };
    const announced: string[][] = [];
    const rpc = {
      objects: { versions: async () => ({ ...followed }) },
      call: async (_target: unknown, method: string, args: Readonly<Record<string, unknown>>) => {
        calls.push({ method, args });
        return answer(method, args);
      },
    };
    const plane = new NeutronControlPlane(rpc as never, IDENTITY, { Port: '1.7', QosPolicy: '1.10' }, 2, (types) =>
      announced.push([...types]),
    );
    return { calls, plane, followed, announced };
  }

  test('reports ports in messages of limited size, each direction', async () => {
    const { calls, plane } = setUp(() => ({ failed_devices_up: ['b'], failed_devices_down: [] }));
    expect(await plane.reportPorts({ up: ['a', 'b', 'c'], down: ['d'], refreshTunnels: true })).toEqual({
      failed: ['b', 'b'],
    });
    expect(calls.map(({ args }) => [args.devices_up, args.devices_down])).toEqual([
      [['a', 'b'], ['d']],
      [['c'], []],
    ]);
    expect(calls[0]?.args).toMatchObject({ agent_id: 'ovs-agent-host1', host: 'host1', refresh_tunnels: true });
  });

  test('names the field that an answer lacks', async () => {
    const { plane } = setUp(() => ({}));
    await expect(plane.reportPorts({ up: ['a'], down: [], refreshTunnels: false })).rejects.toThrow(
      /update_device_list has no usable failed_devices_up/,
    );
    await expect(plane.registerTunnelEndpoint({ tunnelType: 'vxlan', ipAddress: '10.0.0.1' })).rejects.toThrow(
      /tunnels/,
    );
  });

  test('announces its object versions until the server has taken them', async () => {
    const { calls, plane } = setUp(() => 'new');
    await plane.reportState({ startFlag: true, configurations: { devices: 1 } });
    await plane.reportState({ startFlag: false, configurations: { devices: 1 } });
    const states = calls.map(({ args }) => (args.agent_state as { agent_state: Record<string, unknown> }).agent_state);
    expect(states[0]).toMatchObject({ start_flag: true, resource_versions: { Port: '1.7' }, host: 'host1' });
    expect(states[1]).not.toHaveProperty('resource_versions');
    expect(states[1]).not.toHaveProperty('start_flag');
    expect(calls[0]?.args.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
  });

  test('announces what plugins follow with the next report, and says which types were not pushed until then', async () => {
    const { calls, plane, followed, announced } = setUp(() => 'alive');
    const reported = async () => {
      await plane.reportState({ startFlag: false, configurations: {} });
      const state = (calls.at(-1)?.args.agent_state as { readonly agent_state: Record<string, unknown> }).agent_state;
      return state.resource_versions;
    };
    followed.QosPolicy = '1.10';
    expect(await reported()).toEqual({ Port: '1.7', QosPolicy: '1.10' });
    expect(announced).toEqual([]);
    followed.BgpVpn = '1.0';
    expect(await reported()).toEqual({ Port: '1.7', QosPolicy: '1.10', BgpVpn: '1.0' });
    expect(await reported()).toBeUndefined();
    expect(announced).toEqual([['BgpVpn']]);
    delete followed.BgpVpn;
    expect(await reported()).toEqual({ Port: '1.7', QosPolicy: '1.10' });
    expect(announced).toEqual([['BgpVpn']]);
  });

  test('announces again what the server did not take', async () => {
    const answers = [Promise.reject(new Error('away')), Promise.resolve('new')];
    const { calls, plane, followed, announced } = setUp(() => answers.shift());
    followed.BgpVpn = '1.0';
    const report = () => plane.reportState({ startFlag: false, configurations: {} });
    await expect(report()).rejects.toThrow('away');
    expect(announced).toEqual([]);
    await report();
    expect(calls.every(({ args }) => JSON.stringify(args).includes('"BgpVpn":"1.0"'))).toBe(true);
    expect(announced).toEqual([['BgpVpn']]);
  });
});

describe('queues that the reference agent left', () => {
  test('are one for each of its topics and this host', () => {
    const names = leftQueueNames('compute-1');
    expect(names).toContain('q-agent-notifier-l2population-update.compute-1');
    expect(names).toContain('neutron-vo-Port-1.7.compute-1');
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('what the server is asked about', () => {
  const rule = (id: string, group: string) => ({ id, security_group_id: group, direction: 'ingress' });

  /** A cache over a server that holds these objects; `tell` pushes them once more, as it would after a change. */
  function serverWith(world: Readonly<Record<string, readonly { readonly id: string }[]>>) {
    const told = new Set<string>();
    const objects = new FollowedObjects({
      own: OBJECT_VERSIONS,
      chunkSize: 20,
      pull: async (type, _version, query) => ({
        objects: (world[type] ?? []).filter((object) =>
          Object.entries(query).every(([field, values]) =>
            [(object as unknown as Record<string, unknown>)[field]]
              .flat()
              .some((held) => values.includes(held as string)),
          ),
        ) as never,
        unreadable: [],
      }),
      watch: () => ({ bound: Promise.resolve(), end: () => undefined }),
      onUnreadable: () => undefined,
      onListenerFailed: () => undefined,
    });
    objects.subscribe(({ id }) => told.add(id));
    const tell = () => {
      told.clear();
      for (const [type, all] of Object.entries(world)) {
        objects.pushed(type, {
          event: 'updated',
          objects: all.map((object) => ({ ...object, name: `${Math.random()}` })),
          cause: 'a push',
        });
      }
      return [...told].sort();
    };
    return { objects, tell };
  }

  test('of groups is told until nobody uses them, rules and members too, each by itself', async () => {
    const { objects, tell } = serverWith({
      SecurityGroup: [{ id: 'g1' }, { id: 'g2' }],
      SecurityGroupRule: [rule('r1', 'g1'), rule('r2', 'g2')],
      Port: [
        portObject({ id: 'p1', security_group_ids: ['g1'] }),
        portObject({ id: 'p2', security_group_ids: ['g2'] }),
      ],
      AddressGroup: [{ id: 'a1' }],
    });
    const resources = new NeutronResources(objects);
    const askAll = async () => {
      await resources.securityGroups(['g1', 'g2']);
      for (const id of ['g1', 'g2']) await resources.membersOf(id);
      await resources.addressGroups(['a1']);
    };
    await askAll();
    expect(tell()).toEqual(['a1', 'g1', 'g2', 'p1', 'p2', 'r1', 'r2']);
    resources.forget({ securityGroups: ['g1'], membersOf: ['g2'], addressGroups: ['a1'] });
    expect(tell()).toEqual(['g2', 'p1', 'r2']);
    await askAll();
    expect(tell()).toEqual(['a1', 'g1', 'g2', 'p1', 'p2', 'r1', 'r2']);
  });

  test('of a network is told until the last port of it here is let go', async () => {
    const { objects, tell } = serverWith({
      Network: [network(101)],
      Port: [portObject({ id: 'p1' }), portObject({ id: 'p2' })],
    });
    const controlPlane = new NeutronControlPlane({ objects } as never, IDENTITY, {}, 20);
    await controlPlane.describePorts(['p1', 'p2']);
    controlPlane.forgetPort('p1');
    expect(tell()).toEqual(['n1', 'p2']);
    controlPlane.forgetPort('p2');
    expect(tell()).toEqual([]);
    await controlPlane.describePorts(['p1']);
    expect(tell()).toEqual(['n1', 'p1']);
  });
});
