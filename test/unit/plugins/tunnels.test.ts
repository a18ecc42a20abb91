import type { Segment } from '@patchbay/sdk';
import { tunnelPortName } from '../../../plugins/tunnels/addresses';
import { expectFlows, VLAN_SEGMENT, VXLAN_SEGMENT } from '../../support/plugin-kit';
import { setUp, vxlan } from '../../support/tunnels-kit';

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
