import { DEAD_VLAN } from '@patchbay/sdk';
import { VLAN_SEGMENT } from '../../support/plugin-kit';
import { describedPort, startedWith, wiredWith } from '../../support/port-binding-bed';

describe('a wired port', () => {
  test('that the control plane changed is told of as updated', async () => {
    const bed = await wiredWith(describedPort('p1'));
    const fixedIps = [{ subnetId: 's', ipAddress: '10.1.0.6' }];
    bed.server.known.set('p1', describedPort('p1', { status: 'ACTIVE', fixedIps }));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortUpdated']);
    expect(bed.server.edges).toEqual([]);
  });

  test('is not touched by a change of its status or revision', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.known.set('p1', describedPort('p1', { status: 'ACTIVE', revision: 9 }));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual([]);
  });

  test('stays wired while the server binds it anew, and is isolated when it has no segment for good', async () => {
    const bed = await wiredWith(describedPort('p1', { status: 'ACTIVE' }));
    bed.server.known.set('p1', describedPort('p1', { segment: null }));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'push' });
    await bed.settle();
    expect(bed.desired.gate('p1').tag).toBe(1);
    expect(bed.server.edges).toEqual([]);
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
  });

  test('stays wired while the control plane cannot be asked', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.away = true;
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' });
    await bed.settle();
    expect(bed.desired.gate('p1').tag).toBe(1);
    expect((await bed.stateOf('p1'))?.state).toBe('up');
  });

  test('keeps its segment while it is administratively down, and comes up again in the same VLAN', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.known.set('p1', describedPort('p1', { adminStateUp: false }));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortRemoved', 'onPortIsolated']);
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
    bed.server.known.set('p1', describedPort('p1'));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-2' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortAdded']);
    expect(bed.desired.gate('p1').tag).toBe(1);
    expect(bed.server.edges).toEqual(['down p1', 'up p1']);
  });

  test('that was unplugged is reported down and forgotten', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.unplug('p1');
    await bed.settle();
    expect(bed.desired.keys()).toEqual([]);
    expect(bed.server.edges).toEqual(['down p1']);
    expect(bed.server.forgotten).toEqual(['p1']);
    expect(await bed.stateOf('p1')).toBeUndefined();
  });

  test('that was unplugged and plugged within a tick is reported down, then up', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.unplug('p1');
    bed.plug('p1');
    await bed.settle();
    expect(bed.server.edges).toEqual(['down p1', 'up p1']);
    expect(bed.desired.gate('p1').tag).not.toBe(DEAD_VLAN);
  });

  test('that came and went within a tick leaves nothing', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.plug('p1');
    bed.unplug('p1');
    await bed.settle();
    expect(bed.desired.keys()).toEqual([]);
    expect(bed.server.edges.includes('up p1')).toBe(false);
  });

  test('that the control plane deleted leads nowhere, and is not reported', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.say({ kind: 'port-deleted', portId: 'p1', cause: 'req-1' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortRemoved', 'onSegmentReleased', 'onPortIsolated']);
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
    expect(bed.server.edges).toEqual([]);
  });

  test('whose binding went to another host is taken off the bridge', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.say({ kind: 'binding-moved', portId: 'p1', toHost: 'host2', cause: 'req-1' });
    await bed.settle();
    expect(bed.desired.gate('p1')).toMatchObject({ unplugged: true });
    expect(bed.announcer.take()).toEqual(['onPortRemoved', 'onSegmentReleased']);
  });

  test('keeps its local VLAN when its segmentation id changes', async () => {
    const bed = await wiredWith(describedPort('p1', {}, VLAN_SEGMENT));
    const renumbered = { ...VLAN_SEGMENT, segmentationId: 202 };
    bed.server.known.set('p1', describedPort('p1', {}, renumbered));
    bed.server.say({ kind: 'network-changed', networkId: 'net-vlan', cause: 'req-1' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onSegmentReleased', 'onSegmentBound', 'onPortUpdated']);
    expect(bed.desired.gate('p1')).toMatchObject({ tag: 1, otherConfig: { segmentation_id: '202' } });
  });

  test('is told of again when its port gets another OpenFlow number', async () => {
    const bed = await wiredWith(describedPort('p1'));
    const [before] = bed.view.portRows;
    if (before === undefined) throw new Error('no port');
    const after = { ...before, interfaces: before.interfaces.map((face) => ({ ...face, ofport: 9 })) };
    bed.view.change({ kind: 'port-changed', port: after, previous: before, cause: 'switch' });
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortUpdated']);
  });
});
