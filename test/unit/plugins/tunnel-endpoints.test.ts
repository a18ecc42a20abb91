import type { KeyProgress } from '@patchbay/sdk';
import { tunnelPortName } from '../../../plugins/tunnels/addresses';
import { expectFlows, portRow, VXLAN_SEGMENT } from '../../support/plugin-kit';
import { setUp, vxlan } from '../../support/tunnels-kit';

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
