import { parseFlows, type Segment } from '@patchbay/sdk';
import { LocalVlanConfig } from '../../../plugins/local-vlan/config';
import { LocalVlan } from '../../../plugins/local-vlan/plugin';
import {
  FakeEffects,
  FakeHealth,
  FakeHooks,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  FLAT_SEGMENT,
  IDENTITY,
  portRow,
  VLAN_SEGMENT,
  VXLAN_SEGMENT,
  vifOfPort,
} from '../../support/plugin-kit';

function setUp(options: Readonly<Record<string, unknown>> = {}) {
  const view = new FakeSwitch();
  const effects = new FakeEffects();
  const jobs = new FakeJobs();
  const health = new FakeHealth();
  const { hooks, fire } = bound(new FakeHooks());
  const config = LocalVlanConfig.parse(options);
  const plugin = new LocalVlan(config, IDENTITY, view, effects, jobs, health, new FakeLogger());
  plugin.tap(hooks);
  const resolve = async (segment: Segment) => {
    const [vlan] = await fire('resolveLocalVlan', { segment, vif: vifOfPort('p1') });
    return vlan as number;
  };
  const bind = async (segment: Segment) => {
    const localVlan = await resolve(segment);
    await fire('onSegmentBound', { segment, localVlan });
    return localVlan;
  };
  return { view, effects, jobs, health, fire, resolve, bind };
}

const bound = (fake: FakeHooks) => ({ hooks: fake.hooks, fire: fake.fire.bind(fake) });

/** A port as Neutron's agent leaves it. */
function wired(name: string, tag: number, segment: Segment, otherTag = tag) {
  return portRow({
    name,
    tag,
    otherConfig: {
      net_uuid: segment.networkId,
      network_type: segment.networkType,
      physical_network: segment.physicalNetwork ?? 'None',
      tag: String(otherTag),
      ...(segment.segmentationId === null ? {} : { segmentation_id: String(segment.segmentationId) }),
    },
  });
}

describe('local VLANs', () => {
  test('are given from the lowest on, one to a segment', async () => {
    const { bind } = setUp();
    expect(await bind(VXLAN_SEGMENT)).toBe(1);
    expect(await bind(VLAN_SEGMENT)).toBe(2);
    expect(await bind(VXLAN_SEGMENT)).toBe(1);
  });

  test('differ between two segments of one network', async () => {
    const { bind } = setUp();
    expect(await bind(VLAN_SEGMENT)).toBe(1);
    expect(await bind({ ...VLAN_SEGMENT, segmentationId: 102 })).toBe(2);
  });

  test('are those that the ports of an earlier run, or of the reference agent, carry', async () => {
    const { view, resolve, effects } = setUp();
    view.portRows = [wired('tap1', 7, VXLAN_SEGMENT), wired('tap2', 9, FLAT_SEGMENT)];
    expect(await resolve(VXLAN_SEGMENT)).toBe(7);
    expect(await resolve(FLAT_SEGMENT)).toBe(9);
    expect(effects.forgotten).toEqual([]);
  });

  test.each([
    ['br-tun', 4, 'tun_id=0x3e9 actions=push_vlan:0x8100,set_field:4097->vlan_vid,resubmit(,10)', 2],
    ['br-int', 0, 'priority=3,in_port=9,dl_vlan=100 actions=mod_vlan_vid:1,goto_table:59', 2],
    ['br-tun', 4, 'tun_id=0x3e9 actions=drop', 1],
  ])('are none into which %s still leads frames, in table %i by %s', async (bridge, table, text, given) => {
    const { view, resolve } = setUp();
    const stale = parseFlows(bridge, `table=${table},${text}`).map(({ flow }) => ({ ...flow, cookie: 1n }));
    view.flows = async (of, tables) => (of === bridge && tables?.includes(table) ? stale : []);
    expect(await resolve(VXLAN_SEGMENT)).toBe(given);
  });

  test('are found again by a dead port', async () => {
    const { view, resolve } = setUp();
    view.portRows = [wired('tap1', 4095, VXLAN_SEGMENT, 7)];
    expect(await resolve(VXLAN_SEGMENT)).toBe(7);
  });

  test('that a wired port carries go before what a dead port remembers', async () => {
    const { view, resolve } = setUp();
    view.portRows = [wired('tap1', 4095, VXLAN_SEGMENT, 7), wired('tap2', 7, VLAN_SEGMENT)];
    expect(await resolve(VXLAN_SEGMENT)).toBe(1);
    expect(await resolve(VLAN_SEGMENT)).toBe(7);
  });

  test('that any port carries are not given to another segment', async () => {
    const { view, bind } = setUp();
    view.portRows = [wired('tap1', 1, FLAT_SEGMENT), portRow({ name: 'mirror0', tag: 2 })];
    expect(await bind(VXLAN_SEGMENT)).toBe(3);
  });

  test('are cleaned of what an earlier run may have left before they are first given', async () => {
    const { bind, effects } = setUp();
    await bind(VXLAN_SEGMENT);
    expect(effects.forgotten).toEqual([{ bridge: 'br-tun', match: { vlan_tci: '1/0x0fff' }, when: 'now' }]);
    expect(effects.flushed).toEqual([1]);
  });

  test('are not given while they cannot be cleaned', async () => {
    const { resolve, effects } = setUp();
    effects.failing = true;
    await expect(resolve(VXLAN_SEGMENT)).rejects.toThrow('does not answer');
    effects.failing = false;
    expect(await resolve(VLAN_SEGMENT)).toBe(1);
  });

  test('of a released segment are given again once they are clean, and not before', async () => {
    const { bind, fire, effects, jobs } = setUp();
    let open = () => {};
    effects.gate = new Promise((resolve) => {
      open = resolve;
    });
    await bind(VXLAN_SEGMENT);
    await fire('onSegmentReleased', { segment: VXLAN_SEGMENT, localVlan: 1 });
    expect(await bind(VLAN_SEGMENT)).toBe(2);
    open();
    await jobs.settle();
    expect(effects.forgotten).toContainEqual({ bridge: 'br-tun', match: { vlan_tci: '1/0x0fff' }, when: 'settled' });
    expect(effects.flushed).toEqual([1, 2, 1]);
    expect(await bind(FLAT_SEGMENT)).toBe(1);
  });

  test('stay a released segment’s while cleaning fails', async () => {
    const { bind, fire, effects, jobs } = setUp();
    await bind(VXLAN_SEGMENT);
    effects.failing = true;
    await fire('onSegmentReleased', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await jobs.settle();
    effects.failing = false;
    expect(await bind(VLAN_SEGMENT)).toBe(2);
    await jobs.retry();
    expect(await bind(FLAT_SEGMENT)).toBe(1);
  });

  test('of a released segment are its own again if it comes back meanwhile', async () => {
    const { bind, fire, effects, jobs } = setUp();
    await bind(VXLAN_SEGMENT);
    effects.flushed.length = 0;
    await fire('onSegmentReleased', { segment: VXLAN_SEGMENT, localVlan: 1 });
    expect(await bind(VXLAN_SEGMENT)).toBe(1);
    await jobs.settle();
    expect(effects.flushed).toEqual([]);
    expect(await bind(VLAN_SEGMENT)).toBe(2);
  });

  test('stay with a network whose segment is renumbered, and so do its connections', async () => {
    const { bind, fire, effects, jobs } = setUp();
    const renumbered: Segment = { ...VLAN_SEGMENT, segmentationId: 102 };
    await bind(VLAN_SEGMENT);
    effects.flushed.length = 0;
    await fire('onSegmentReleased', { segment: VLAN_SEGMENT, localVlan: 1 });
    await fire('onSegmentBound', { segment: renumbered, localVlan: 1 });
    await jobs.settle();
    expect(effects.flushed).toEqual([]);
    expect(await bind(renumbered)).toBe(1);
    expect(await bind(VLAN_SEGMENT)).toBe(2);
  });

  test('run out with an error that names the pool', async () => {
    const { bind } = setUp({ first: 5, last: 5 });
    expect(await bind(VXLAN_SEGMENT)).toBe(5);
    await expect(bind(VLAN_SEGMENT)).rejects.toMatchObject({ code: 'PB-LOCAL-VLAN-1', class: 'transient' });
  });

  test('are given although connections cannot be flushed, which is said', async () => {
    const { bind, effects, health } = setUp();
    effects.flushConntrack = async () => {
      throw new Error('no conntrack here');
    };
    expect(await bind(VXLAN_SEGMENT)).toBe(1);
    expect(health.conditions.get('conntrack')?.detail).toContain('no conntrack here');
  });
});
