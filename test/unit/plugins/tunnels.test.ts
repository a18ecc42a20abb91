import type { Announcer, ControlPlane, KeyProgress, Segment, TunnelEndpoint } from '@patchbay/sdk';
import { tunnelPortName } from '../../../plugins/tunnels/addresses';
import { TunnelsConfig } from '../../../plugins/tunnels/config';
import { Tunnels } from '../../../plugins/tunnels/plugin';
import {
  expectFlows,
  FakeDesired,
  FakeEffects,
  FakeHealth,
  FakeHooks,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  FakeSynchronisation,
  IDENTITY,
  portRow,
  VLAN_SEGMENT,
  VXLAN_SEGMENT,
} from '../../support/plugin-kit';

/** Answers registrations with the endpoints that a test names. */
class FakeServer {
  endpoints: TunnelEndpoint[] = [];
  readonly registered: unknown[] = [];
  away = false;

  registerTunnelEndpoint: ControlPlane['registerTunnelEndpoint'] = async (endpoint) => {
    if (this.away) throw new Error('the server does not answer');
    this.registered.push(endpoint);
    return [endpoint, ...this.endpoints].filter((each) => each.tunnelType === endpoint.tunnelType);
  };
}

const vxlan = (ipAddress: string): TunnelEndpoint => ({ tunnelType: 'vxlan', ipAddress });

function setUp(options: Readonly<Record<string, unknown>> = {}) {
  const desired = new FakeDesired();
  const view = new FakeSwitch();
  const effects = new FakeEffects();
  const jobs = new FakeJobs();
  const health = new FakeHealth();
  const logger = new FakeLogger();
  const server = new FakeServer();
  const synchronisation = new FakeSynchronisation();
  const fake = new FakeHooks();
  const config = TunnelsConfig.parse({ local_ip: '127.0.0.1', tunnel_types: 'vxlan', ...options });
  const controlPlane = server as unknown as ControlPlane;
  const progressed = new Set<Parameters<Announcer['onProgress']>[0]>();
  const announcer = {
    onProgress: (listener) => {
      progressed.add(listener);
      return () => progressed.delete(listener);
    },
  } as Partial<Announcer> as Announcer;
  const plugin = new Tunnels(
    config,
    IDENTITY,
    controlPlane,
    synchronisation,
    view,
    desired,
    announcer,
    effects,
    jobs,
    health,
    logger,
  );
  const start = async () => {
    plugin.tap(fake.hooks);
    plugin.start();
    await jobs.settle();
  };
  const fire = fake.fire.bind(fake);
  const progress = (key: string, progress: KeyProgress) => {
    for (const listener of progressed) listener({ plugin: 'tunnels', required: true, key, progress });
  };
  return { progress, desired, view, effects, jobs, health, logger, server, synchronisation, fake, fire, plugin, start };
}

describe('the tunnel bridge', () => {
  test('has the flows of the reference agent, and learns under a cookie of its own', async () => {
    const { desired, start } = setUp();
    await start();
    expectFlows(desired.flows('bridge'), {
      'br-int': 'priority=1,in_port=patch-tun actions=goto_table:58',
      'br-tun': `
        priority=1,in_port=patch-int actions=goto_table:2
        priority=0 actions=drop
        table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=goto_table:20
        table=2,priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=goto_table:22
        table=3,priority=0 actions=drop
        table=4,priority=0 actions=drop
        table=6,priority=0 actions=drop
        table=10,priority=1 actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x5061746300000000,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[]),output:patch-int
        table=20,priority=0 actions=goto_table:22
        table=22,priority=0 actions=drop`,
    });
  });

  test('is made, and joined to the integration bridge', async () => {
    const { desired, start } = setUp({ int_peer_patch_port: 'p-tun', tun_peer_patch_port: 'p-int' });
    await start();
    const { bridges, ports } = desired.records('bridge');
    expect(bridges).toEqual([expect.objectContaining({ name: 'br-tun', presence: 'create', failMode: 'secure' })]);
    expect(ports).toEqual([
      expect.objectContaining({ kind: 'patch', bridge: 'br-int', name: 'p-tun', peer: 'p-int' }),
      expect.objectContaining({ kind: 'patch', bridge: 'br-tun', name: 'p-int', peer: 'p-tun' }),
    ]);
  });

  test('is left alone where no tunnel type is set', async () => {
    const { desired, fake, server, start, fire } = setUp({ tunnel_types: '' });
    await start();
    expect(desired.keys()).toEqual([]);
    expect(desired.isComplete).toBe(true);
    expect(server.registered).toEqual([]);
    expect(fake.isTapped('onSegmentBound')).toBe(false);
    expect(await fire('onReportState', { devices: 0 })).toMatchObject([{ configurations: { tunnel_types: [] } }]);
  });
});

describe('tunnel endpoints', () => {
  test('of other hosts get a port each, and this host none', async () => {
    const { desired, server, start } = setUp();
    server.endpoints = [vxlan('10.0.0.1'), vxlan('127.0.0.1')];
    await start();
    expect(server.registered).toEqual([{ tunnelType: 'vxlan', ipAddress: '127.0.0.1' }]);
    expect(desired.keys()).toEqual(['bridge', 'endpoint/vxlan/10.0.0.1']);
    expect(desired.records('endpoint/vxlan/10.0.0.1').ports).toEqual([
      {
        kind: 'tunnel',
        bridge: 'br-tun',
        name: 'vxlan-0a000001',
        type: 'vxlan',
        options: {
          df_default: 'true',
          remote_ip: '10.0.0.1',
          local_ip: '127.0.0.1',
          in_key: 'flow',
          out_key: 'flow',
          egress_pkt_mark: '0',
        },
      },
    ]);
    expectFlows(desired.flows('endpoint/vxlan/10.0.0.1'), {
      'br-tun': 'priority=1,in_port=vxlan-0a000001 actions=goto_table:4',
    });
  });

  test('get the options that are set', async () => {
    const { desired, server, start } = setUp({
      vxlan_udp_port: 4790,
      dont_fragment: false,
      tunnel_csum: true,
      dscp: 10,
    });
    server.endpoints = [vxlan('10.0.0.1')];
    await start();
    expect(desired.records('endpoint/vxlan/10.0.0.1').ports?.[0]).toMatchObject({
      options: { dst_port: '4790', df_default: 'false', csum: 'true', tos: '40' },
    });
  });

  test('inherit the DSCP rather than setting one', async () => {
    const { desired, server, start } = setUp({ dscp: 10, dscp_inherit: true });
    server.endpoints = [vxlan('10.0.0.1')];
    await start();
    expect(desired.records('endpoint/vxlan/10.0.0.1').ports?.[0]).toMatchObject({ options: { tos: 'inherit' } });
  });

  test('leave packet marks alone with hardware offload', async () => {
    const { desired, server, view, start } = setUp();
    view.state = { ...view.state, hardwareOffload: true };
    server.endpoints = [vxlan('10.0.0.1')];
    await start();
    const [port] = desired.records('endpoint/vxlan/10.0.0.1').ports ?? [];
    expect(port).not.toHaveProperty('options.egress_pkt_mark');
  });

  test('over IPv6 carry GRE in a type of its own', async () => {
    const { desired, fire, plugin, jobs, fake, server } = setUp({ local_ip: '::1', tunnel_types: 'gre' });
    plugin.tap(fake.hooks);
    server.endpoints = [{ tunnelType: 'gre', ipAddress: 'fd00::2' }];
    await fire('onTunnelEndpointAdded', { tunnelType: 'gre', ipAddress: 'fd00::2' });
    await jobs.settle();
    expect(desired.records('endpoint/gre/fd00::2').ports?.[0]).toMatchObject({
      type: 'ip6gre',
      options: { remote_ip: 'fd00::2', packet_type: 'legacy_l2' },
    });
    expectFlows(desired.flows('endpoint/gre/fd00::2'), {
      'br-tun': `priority=1,in_port=${tunnelPortName({ tunnelType: 'gre', ipAddress: 'fd00::2' })} actions=goto_table:3`,
    });
  });

  test('of the other IP version, or of a type that is not set, are left out with a reason, once', async () => {
    const { desired, fire, logger, start } = setUp();
    await start();
    await fire('onTunnelEndpointAdded', vxlan('fd00::2'));
    await fire('onTunnelEndpointAdded', vxlan('fd00::2'));
    await fire('onTunnelEndpointAdded', { tunnelType: 'gre', ipAddress: '10.0.0.1' });
    expect(desired.keys()).toEqual(['bridge']);
    expect(logger.of('warn')).toHaveLength(2);
  });

  test('keep the name of the port that is there, however its address was hashed', async () => {
    const { desired, view, server, start, fire } = setUp();
    view.portRows = [
      portRow(
        { name: 'vxlan-other', bridge: 'br-tun' },
        { type: 'vxlan', options: { remote_ip: '10.0.0.1', local_ip: '127.0.0.1' } },
      ),
    ];
    server.endpoints = [vxlan('10.0.0.1')];
    await start();
    expect(desired.records('endpoint/vxlan/10.0.0.1').ports?.[0]).toMatchObject({ name: 'vxlan-other' });
    expect(await fire('resolveTunnelPort', { endpoint: vxlan('10.0.0.1') })).toEqual(['vxlan-other']);
  });

  test('of an earlier run are flooded to until the server has named all, then those it does not name go', async () => {
    const { desired, view, server, start, jobs, fire } = setUp();
    view.portRows = ['10.0.0.1', '10.0.0.9'].map((remote) =>
      portRow({ name: `vxlan-${remote}`, bridge: 'br-tun' }, { type: 'vxlan', options: { remote_ip: remote } }),
    );
    server.away = true;
    server.endpoints = [vxlan('10.0.0.1')];
    await start();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    expect(desired.keys()).toContain('endpoint/vxlan/10.0.0.9');
    expect(desired.isComplete).toBe(false);
    server.away = false;
    await jobs.retry();
    expect(desired.keys()).not.toContain('endpoint/vxlan/10.0.0.9');
    expect(desired.isComplete).toBe(false);
    await fire('onAgentSynced', { ports: 0 });
    expect(desired.isComplete).toBe(true);
    expectFlows(desired.flows('segment/net-vxlan/1'), {
      'br-tun': `
        table=4,priority=1,tun_id=0x170d0 actions=push_vlan:0x8100,set_field:4097->vlan_vid,goto_table:10
        table=22,priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x170d0->tun_id,output:vxlan-10.0.0.1`,
    });
  });

  test('are registered until the server answers, and said to be missing meanwhile', async () => {
    const { server, health, jobs, start } = setUp();
    server.away = true;
    await start();
    expect(health.conditions.get('registration')?.level).toBe('degraded');
    server.away = false;
    await jobs.retry();
    expect(health.conditions.size).toBe(0);
    expect(server.registered).toHaveLength(1);
  });

  test('are registered again when everything is synchronised again', async () => {
    const { server, synchronisation, jobs, start } = setUp();
    await start();
    synchronisation.request('test');
    await jobs.settle();
    expect(server.registered).toHaveLength(2);
  });

  test('that are told of while the question is on its way outlive its answer', async () => {
    const { desired, server, jobs, start, fire, synchronisation } = setUp();
    await start();
    let answer = () => {};
    server.registerTunnelEndpoint = (endpoint) =>
      new Promise((resolve) => {
        answer = () => resolve([endpoint]);
      });
    synchronisation.request('test');
    await new Promise((resolve) => setImmediate(resolve));
    await fire('onTunnelEndpointAdded', vxlan('10.0.0.3'));
    answer();
    await jobs.settle();
    expect(desired.keys()).toContain('endpoint/vxlan/10.0.0.3');
  });

  test('that are removed take their port and what was learned from it along', async () => {
    const { desired, effects, server, jobs, start, fire } = setUp();
    server.endpoints = [vxlan('10.0.0.1')];
    await start();
    await fire('onTunnelEndpointRemoved', vxlan('10.0.0.1'));
    await jobs.settle();
    expect(desired.keys()).toEqual(['bridge']);
    expect(effects.forgotten).toEqual([{ bridge: 'br-tun', outPort: { port: 'vxlan-0a000001' }, when: 'settled' }]);
    expect(await fire('resolveTunnelPort', { endpoint: vxlan('10.0.0.1') })).toEqual([undefined]);
  });

  test('whose port got another number lose what was learned by the former one', async () => {
    const { effects, view, jobs, start } = setUp();
    const numbered = (ofport: number | null) =>
      portRow({ bridge: 'br-tun', name: 'vxlan-0a000001' }, { type: 'vxlan', ofport });
    view.addPort(numbered(2));
    await start();
    view.removePort('vxlan-0a000001');
    view.addPort(numbered(null));
    view.change({ kind: 'port-changed', port: numbered(4), previous: numbered(null), cause: 'test' });
    view.change({ kind: 'port-changed', port: numbered(4), previous: numbered(4), cause: 'test' });
    await jobs.settle();
    expect(effects.forgotten).toEqual([{ bridge: 'br-tun', outPort: 2, when: 'settled' }]);
  });

  test('that are told of in one turn change what floods to them once', async () => {
    const { desired, start, fire } = setUp();
    await start();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    desired.history.length = 0;
    const told = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((ipAddress) =>
      fire('onTunnelEndpointAdded', vxlan(ipAddress)),
    );
    await Promise.all(told);
    await fire('onTunnelEndpointRemoved', vxlan('10.0.0.3'));
    expect(desired.history.filter((line) => line.includes('segment/'))).toEqual([
      'set segment/net-vxlan/1',
      'set segment/net-vxlan/1',
    ]);
    expectFlows(
      desired.flows('segment/net-vxlan/1').filter(({ table }) => table === 22),
      {
        'br-tun':
          'table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:0x170d0->tun_id,output:vxlan-0a000002,output:vxlan-0a000004',
      },
    );
  });

  test('need an address of this host', () => {
    const { plugin } = setUp({ local_ip: '192.0.2.1' });
    expect(() => plugin.start()).toThrow(/PB-TUNNELS-1: local_ip 192\.0\.2\.1 is on no interface/);
  });
});

describe('tunnelled segments', () => {
  test('are flooded to every endpoint of their type, as endpoints come and go', async () => {
    const { desired, server, start, fire } = setUp({ tunnel_types: 'vxlan,gre' });
    server.endpoints = [vxlan('10.0.0.2'), vxlan('10.0.0.1'), { tunnelType: 'gre', ipAddress: '10.0.0.7' }];
    await start();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    const inwards = 'table=4,priority=1,tun_id=0x170d0 actions=push_vlan:0x8100,set_field:4097->vlan_vid,goto_table:10';
    const outwards = 'table=22,priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x170d0->tun_id';
    expectFlows(desired.flows('segment/net-vxlan/1'), {
      'br-tun': `${inwards}\n${outwards},output:vxlan-0a000001,output:vxlan-0a000002`,
    });
    await fire('onTunnelEndpointAdded', vxlan('10.0.0.3'));
    await fire('onTunnelEndpointRemoved', vxlan('10.0.0.1'));
    expectFlows(desired.flows('segment/net-vxlan/1'), {
      'br-tun': `${inwards}\n${outwards},output:vxlan-0a000002,output:vxlan-0a000003`,
    });
  });

  test('are withdrawn when released', async () => {
    const { desired, start, fire } = setUp();
    await start();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await fire('onSegmentReleased', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await fire('onTunnelEndpointAdded', vxlan('10.0.0.3'));
    expect(desired.keys()).toEqual(['bridge', 'endpoint/vxlan/10.0.0.3']);
  });

  test('that are renumbered replace their flows under one key, and what was learned under the former key goes', async () => {
    const { desired, effects, jobs, start, fire } = setUp();
    const renumbered: Segment = { ...VXLAN_SEGMENT, segmentationId: 5 };
    await start();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await fire('onSegmentReleased', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await fire('onSegmentBound', { segment: renumbered, localVlan: 1 });
    await jobs.settle();
    expectFlows(desired.flows('segment/net-vxlan/1'), {
      'br-tun': `
        table=4,priority=1,tun_id=0x5 actions=push_vlan:0x8100,set_field:4097->vlan_vid,goto_table:10
        table=22,priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x5->tun_id`,
    });
    expect(effects.forgotten).toEqual([{ bridge: 'br-tun', match: { vlan_tci: '1/0x0fff' }, when: 'settled' }]);
  });

  test('told again change nothing that was learned', async () => {
    const { effects, jobs, start, fire } = setUp();
    await start();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await jobs.settle();
    expect(effects.forgotten).toEqual([]);
  });

  test('are the only ones: VLAN segments are not theirs', async () => {
    const { desired, start, fire } = setUp();
    await start();
    await fire('onSegmentBound', { segment: VLAN_SEGMENT, localVlan: 1 });
    expect(desired.keys()).toEqual(['bridge']);
  });

  test('report what the server reads of tunnels', async () => {
    const { start, fire } = setUp();
    await start();
    expect(await fire('onReportState', { devices: 0 })).toEqual([
      {
        configurations: {
          tunnel_types: ['vxlan'],
          tunneling_ip: '127.0.0.1',
          enable_distributed_routing: false,
          in_distributed_mode: false,
        },
      },
    ]);
  });
});

describe('names of tunnel ports', () => {
  test('are those of the reference agent', () => {
    expect(tunnelPortName(vxlan('10.0.0.1'))).toBe('vxlan-0a000001');
    expect(tunnelPortName({ tunnelType: 'gre', ipAddress: '192.168.0.1' })).toBe('gre-c0a80001');
    // Base 32 of the SHA-1 of "fd00::2", as Neutron 21 writes it.
    expect(tunnelPortName(vxlan('fd00::2'))).toBe('vxlan-5xm6hcdin');
  });
});

describe('an endpoint that no tunnel leads to', () => {
  const refused: KeyProgress = { state: 'pending', waitingFor: ['port vxlan-0a000002 on br-tun to work: File exists'] };
  let later = 0;
  beforeEach(() => {
    later = 0;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + later);
  });
  afterEach(() => jest.restoreAllMocks());

  async function withEndpoints(...addresses: readonly string[]) {
    const set = setUp();
    set.server.endpoints = addresses.map(vxlan);
    await set.start();
    return {
      ...set,
      condition: () => set.health.conditions.get('endpoints'),
      wait: async () => {
        later += 5_000;
        await set.jobs.retry();
      },
    };
  }

  test('is named by health with what the switch says, once it was not made for seconds', async () => {
    const { progress, condition, wait } = await withEndpoints('10.0.0.2', '10.0.0.3');
    progress('endpoint/vxlan/10.0.0.2', refused);
    expect(condition()).toBeUndefined();

    await wait();

    expect(condition()).toEqual({
      level: 'degraded',
      detail: 'no tunnel leads to 10.0.0.2 by vxlan: waits for port vxlan-0a000002 on br-tun to work: File exists',
    });
  });

  test('is no more complained of once a tunnel leads there', async () => {
    const { progress, condition, wait } = await withEndpoints('10.0.0.2', '10.0.0.3');
    progress('endpoint/vxlan/10.0.0.2', refused);
    progress('endpoint/vxlan/10.0.0.3', { state: 'quarantined', reason: 'no such type' });
    await wait();
    progress('endpoint/vxlan/10.0.0.2', { state: 'applied' });
    expect(condition()?.detail).toBe('no tunnel leads to 10.0.0.3 by vxlan: no such type');

    progress('endpoint/vxlan/10.0.0.3', { state: 'applied' });

    expect(condition()).toBeUndefined();
  });

  test('nor once the server has withdrawn it', async () => {
    const { progress, condition, wait, fire } = await withEndpoints('10.0.0.2');
    progress('endpoint/vxlan/10.0.0.2', refused);
    await wait();

    await fire('onTunnelEndpointRemoved', vxlan('10.0.0.2'));

    expect(condition()).toBeUndefined();
  });

  test('is named where its address cannot be reached from local_ip, and not where the operator wants no tunnel of its type', async () => {
    const { condition, wait, fire } = await withEndpoints('fd00::2');
    await fire('onTunnelEndpointAdded', { tunnelType: 'gre', ipAddress: '10.0.0.4' });

    await wait();

    expect(condition()?.detail).toBe(
      'no tunnel leads to fd00::2 by vxlan: it is of another IP version than local_ip 127.0.0.1',
    );
  });

  test('is one of the few that are named where there are many', async () => {
    const addresses = Array.from({ length: 8 }, (_, index) => `10.0.1.${index}`);
    const { progress, condition, wait } = await withEndpoints(...addresses);
    for (const address of addresses) progress(`endpoint/vxlan/${address}`, refused);

    await wait();

    expect(condition()?.detail).toMatch(/10\.0\.1\.4 by vxlan.*; and to 3 more$/);
  });
});
