import type { Segment } from '@patchbay/sdk';
import { BridgeMappingsConfig } from '../../../plugins/bridge-mappings/config';
import { distinctDatapathIds } from '../../../plugins/bridge-mappings/datapath-ids';
import { patchNames } from '../../../plugins/bridge-mappings/names';
import { BridgeMappings } from '../../../plugins/bridge-mappings/plugin';
import {
  bridgeRow,
  expectFlows,
  FakeDesired,
  FakeHealth,
  FakeHooks,
  FakeJobs,
  FakeLogger,
  FakeStore,
  FakeSwitch,
  FLAT_SEGMENT,
  IDENTITY,
  VLAN_SEGMENT,
  VXLAN_SEGMENT,
} from '../../support/plugin-kit';

function setUp(bridges: readonly string[] = ['br-ex'], mappings = 'physnet1:br-ex', store = new FakeStore()) {
  const desired = new FakeDesired();
  const view = new FakeSwitch();
  view.bridgeRows = bridges.map((name) => bridgeRow(name));
  const jobs = new FakeJobs();
  const health = new FakeHealth();
  const fake = new FakeHooks();
  const config = BridgeMappingsConfig.parse({ bridge_mappings: mappings });
  const plugin = new BridgeMappings(config, IDENTITY, view, desired, jobs, health, new FakeLogger(), store);
  plugin.tap(fake.hooks);
  plugin.start();
  return { desired, view, jobs, health, store, fire: fake.fire.bind(fake) };
}

describe('bridge mappings', () => {
  test('joins a provider bridge by a patch pair that leads nowhere untranslated', () => {
    const { desired } = setUp();
    const records = desired.records('bridge/br-ex');
    expect(records.ports).toEqual([
      {
        kind: 'patch',
        bridge: 'br-int',
        name: 'int-br-ex',
        peer: 'phy-br-ex',
        externalIds: { 'patchbay-uplink': 'physnet1' },
        otherConfig: { 'mcast-snooping-flood': 'false', 'mcast-snooping-flood-reports': 'true' },
      },
      { kind: 'patch', bridge: 'br-ex', name: 'phy-br-ex', peer: 'int-br-ex' },
    ]);
    expectFlows(desired.flows('bridge/br-ex'), {
      'br-int': 'priority=2,in_port=int-br-ex actions=drop',
      'br-ex': `
        priority=2,in_port=phy-br-ex actions=drop
        priority=0 actions=NORMAL`,
    });
  });

  test('expects the bridge, and never makes it', () => {
    const { desired } = setUp();
    expect(desired.records('bridge/br-ex').bridges).toEqual([
      expect.objectContaining({ name: 'br-ex', presence: 'expect', failMode: 'secure' }),
    ]);
  });

  test('swaps the tag of a VLAN segment both ways', async () => {
    const { desired, fire } = setUp();
    await fire('onSegmentBound', { segment: VLAN_SEGMENT, localVlan: 3 });
    expectFlows(desired.flows('segment/net-vlan/3'), {
      'br-int': 'priority=3,in_port=int-br-ex,dl_vlan=101 actions=set_field:4099->vlan_vid,goto_table:58',
      'br-ex': 'priority=4,in_port=phy-br-ex,dl_vlan=3 actions=set_field:4197->vlan_vid,NORMAL',
    });
  });

  test('tags and untags a flat segment', async () => {
    const { desired, fire } = setUp();
    await fire('onSegmentBound', { segment: FLAT_SEGMENT, localVlan: 2 });
    expectFlows(desired.flows('segment/net-flat/2'), {
      'br-int':
        'priority=3,in_port=int-br-ex,vlan_tci=0x0000/0x1fff actions=push_vlan:0x8100,set_field:4098->vlan_vid,goto_table:58',
      'br-ex': 'priority=4,in_port=phy-br-ex,dl_vlan=2 actions=pop_vlan,NORMAL',
    });
  });

  test('leaves tunnelled segments alone', async () => {
    const { desired, fire } = setUp();
    await fire('onSegmentBound', { segment: VXLAN_SEGMENT, localVlan: 1 });
    expect(desired.keys()).toEqual(['bridge/br-ex']);
  });

  test('stops translating a released segment', async () => {
    const { desired, fire } = setUp();
    await fire('onSegmentBound', { segment: VLAN_SEGMENT, localVlan: 3 });
    await fire('onSegmentReleased', { segment: VLAN_SEGMENT, localVlan: 3 });
    expect(desired.keys()).toEqual(['bridge/br-ex']);
  });

  test('replaces the flows of a renumbered segment under one key', async () => {
    const { desired, fire } = setUp();
    const renumbered: Segment = { ...VLAN_SEGMENT, segmentationId: 102 };
    await fire('onSegmentBound', { segment: VLAN_SEGMENT, localVlan: 3 });
    await fire('onSegmentReleased', { segment: VLAN_SEGMENT, localVlan: 3 });
    await fire('onSegmentBound', { segment: renumbered, localVlan: 3 });
    expect(desired.keys()).toEqual(['bridge/br-ex', 'segment/net-vlan/3']);
    expectFlows(desired.flows('segment/net-vlan/3'), {
      'br-int': 'priority=3,in_port=int-br-ex,dl_vlan=102 actions=set_field:4099->vlan_vid,goto_table:58',
      'br-ex': 'priority=4,in_port=phy-br-ex,dl_vlan=3 actions=set_field:4198->vlan_vid,NORMAL',
    });
  });

  test('keeps the flows of two segments of one network apart', async () => {
    const { desired, fire } = setUp();
    await fire('onSegmentBound', { segment: VLAN_SEGMENT, localVlan: 3 });
    await fire('onSegmentBound', { segment: { ...VLAN_SEGMENT, segmentationId: 102 }, localVlan: 4 });
    await fire('onSegmentReleased', { segment: VLAN_SEGMENT, localVlan: 3 });
    expect(desired.keys()).toEqual(['bridge/br-ex', 'segment/net-vlan/4']);
  });

  test('says which physical network has no bridge, and clears it when the segment goes', async () => {
    const { desired, health, fire } = setUp();
    const segment: Segment = { ...VLAN_SEGMENT, physicalNetwork: 'physnet9' };
    await fire('onSegmentBound', { segment, localVlan: 3 });
    expect(desired.keys()).toEqual(['bridge/br-ex']);
    expect(health.conditions.get('network/net-vlan/3')?.detail).toContain('physnet9');
    await fire('onSegmentReleased', { segment, localVlan: 3 });
    expect(health.conditions.size).toBe(0);
  });

  test('goes on naming a segment whose physical network has no bridge when another of its network goes', async () => {
    const { health, fire } = setUp();
    const lost: Segment = { ...VLAN_SEGMENT, physicalNetwork: 'physnet9' };
    await fire('onSegmentBound', { segment: lost, localVlan: 3 });
    await fire('onSegmentBound', { segment: VLAN_SEGMENT, localVlan: 4 });
    await fire('onSegmentReleased', { segment: VLAN_SEGMENT, localVlan: 4 });
    expect([...health.conditions.keys()]).toEqual(['network/net-vlan/3']);
  });

  test('is failing while a bridge is missing, states the others, and recovers when it appears', async () => {
    const { desired, health, jobs, view } = setUp(['br-ex'], 'physnet1:br-ex,physnet2:br-vlan');
    await jobs.settle();
    expect([...health.conditions.keys()]).toEqual(['bridge/br-vlan']);
    expect(health.conditions.get('bridge/br-vlan')?.level).toBe('failing');
    expect(desired.keys()).toEqual(['bridge/br-ex', 'bridge/br-vlan']);
    view.addBridge(bridgeRow('br-vlan', { datapathId: '0000000000000002' }));
    expect(health.conditions.size).toBe(0);
  });

  test('gives a bridge with the datapath id of another one its own', async () => {
    const { desired, jobs } = setUp(['br-ex', 'br-vlan'], 'physnet1:br-ex,physnet2:br-vlan');
    await jobs.settle();
    expect(desired.records('bridge/br-ex').bridges?.[0]?.otherConfig).not.toHaveProperty('datapath-id');
    expect(desired.records('bridge/br-vlan').bridges?.[0]?.otherConfig).toHaveProperty(
      'datapath-id',
      '0001a2b3c4d5e6f7',
    );
  });

  test('reports its mappings', async () => {
    const { fire } = setUp();
    expect(await fire('onReportState', { devices: 0 })).toEqual([
      { configurations: { bridge_mappings: { physnet1: 'br-ex' } } },
    ]);
  });

  test('lets nothing be swept before the agent is synchronised', async () => {
    const { desired, fire } = setUp();
    expect(desired.isComplete).toBe(false);
    await fire('onAgentSynced', { ports: 0 });
    expect(desired.isComplete).toBe(true);
  });
});

describe('a bridge that was taken off the mappings', () => {
  async function takenOff(bridges: readonly string[]) {
    const before = setUp(['br-ex', 'br-old'], 'physnet1:br-ex,physnet2:br-old');
    await before.jobs.settle();
    const after = setUp(bridges, 'physnet1:br-ex', before.store);
    await after.jobs.settle();
    return after;
  }

  test('goes on forwarding, and everything else of the plugin is swept from it', async () => {
    const { desired } = await takenOff(['br-ex', 'br-old']);
    expect(desired.keys()).toEqual(['bridge/br-ex', 'former/br-old']);
    expect(desired.records('former/br-old').bridges).toBeUndefined();
    expectFlows(desired.flows('former/br-old'), { 'br-old': 'priority=0 actions=NORMAL' });
  });

  test('is nobody’s any more once that was done', async () => {
    const { fire, jobs, store } = await takenOff(['br-ex', 'br-old']);
    await fire('onAgentSynced', { ports: 0 });
    await jobs.settle();
    const next = setUp(['br-ex', 'br-old'], 'physnet1:br-ex', store);
    await next.jobs.settle();
    expect(next.desired.keys()).toEqual(['bridge/br-ex']);
  });

  test('is looked at again by the next run where this one did not come to it', async () => {
    const { store } = await takenOff(['br-ex', 'br-old']);
    const next = setUp(['br-ex', 'br-old'], 'physnet1:br-ex', store);
    await next.jobs.settle();
    expect(next.desired.keys()).toContain('former/br-old');
  });

  test('is forgotten where it is not there', async () => {
    const { fire, jobs, desired } = await takenOff(['br-ex']);
    await fire('onAgentSynced', { ports: 0 });
    await jobs.settle();
    expect(desired.keys()).toEqual(['bridge/br-ex']);
  });
});

describe('names of patch ports', () => {
  test('are prefixed where they fit', () => {
    expect(patchNames('br-ex')).toEqual({ integration: 'int-br-ex', provider: 'phy-br-ex' });
    expect(patchNames('br-elevench')).toEqual({ integration: 'int-br-elevench', provider: 'phy-br-elevench' });
  });

  test('are shortened as Neutron shortens them', () => {
    // neutron_lib 21's get_interface_name('br-provider-one', prefix='int-').
    expect(patchNames('br-provider-one')).toEqual({ integration: 'int-br-pr0ed082', provider: 'phy-br-pr0ed082' });
  });
});

describe('datapath ids', () => {
  test('that were set in an earlier run stay', () => {
    const bridges = [
      { name: 'br-a', datapathId: '0000000000000001', otherConfig: {} },
      { name: 'br-b', datapathId: '0001000000000001', otherConfig: { 'datapath-id': '0001000000000001' } },
    ];
    expect([...distinctDatapathIds(bridges)]).toEqual([['br-b', '0001000000000001']]);
  });

  test('that are not known yet are left alone', () => {
    expect([...distinctDatapathIds([{ name: 'br-a', datapathId: null, otherConfig: {} }])]).toEqual([]);
  });
});
