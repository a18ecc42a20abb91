import { DEAD_VLAN } from '@patchbay/sdk';
import { VLAN_SEGMENT } from '../../support/plugin-kit';
import { describedPort, type PortBindingBed, vifRow, wiredWith } from '../../support/port-binding-bed';

/** Answers of the control plane come, or fail to come, when the test says so. */
function slowly(bed: PortBindingBed): { readonly fail: () => void } {
  const { describePorts } = bed.server;
  let fail = () => {};
  bed.server.describePorts = () => {
    bed.server.describePorts = describePorts;
    return new Promise((_, reject) => {
      fail = () => reject(new Error('no reply'));
    });
  };
  return { fail: () => fail() };
}

describe('a port that is plugged again', () => {
  test('is not touched by what was still to be tried for the one before', async () => {
    const bed = await wiredWith();
    bed.server.away = true;
    bed.plug('p1');
    await bed.settle();
    bed.unplug('p1');
    await bed.settle();
    bed.server.away = false;
    bed.server.known.set('p1', describedPort('p1'));
    bed.plug('p1');
    await bed.settle();
    expect(bed.desired.gate('p1').tag).toBe(1);
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.desired.keys()).toContain('port/p1');
    expect(bed.desired.gate('p1').tag).toBe(1);
    expect((await bed.stateOf('p1'))?.state).toBe('up');
  });

  test('after it was unplugged while a question failed, is wired, and stays so', async () => {
    const bed = await wiredWith(describedPort('p1'));
    const question = slowly(bed);
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'push' });
    await bed.settle();
    bed.unplug('p1');
    question.fail();
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortRemoved', 'onSegmentReleased']);
    expect(bed.desired.keys()).toEqual([]);
    bed.plug('p1');
    await bed.settle();
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onSegmentBound', 'onPortAdded']);
    expect(bed.desired.gate('p1').tag).toBe(2);
  });
});

describe('a port of the switch that becomes another port of the control plane', () => {
  test('is shut until that one is described', async () => {
    const bed = await wiredWith(describedPort('p1'));
    const [before] = bed.view.portRows;
    if (before === undefined) throw new Error('no port');
    const wiring = { tag: 1, otherConfig: { net_uuid: 'net-vxlan', tag: '1' } };
    const after = { ...vifRow('p2', wiring), name: before.name };
    bed.server.away = true;
    bed.view.change({ kind: 'port-changed', previous: { ...before, ...wiring }, port: after, cause: 'switch' });
    await bed.settle();
    expect(bed.desired.keys()).toEqual(['port/p2']);
    expect(bed.desired.gate('p2')).toMatchObject({ port: before.name, portRow: 'row-tap-p2', tag: DEAD_VLAN });
    expect(bed.desired.gate('p2').admission).toBeUndefined();
  });
});

describe('a port that the control plane deleted', () => {
  test('is wired again where the control plane knows it again', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.say({ kind: 'port-deleted', portId: 'p1', cause: 'edit 1' });
    await bed.settle();
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'edit 2' });
    await bed.settle();
    expect(bed.desired.gate('p1').tag).not.toBe(DEAD_VLAN);
    expect(bed.server.edges).toEqual(['up p1']);
  });
});

describe('a segment', () => {
  const renumbered = { ...VLAN_SEGMENT, segmentationId: 202 };
  const REQUIRED = [{ plugin: 'security-groups', reason: 'it threw', required: true }];

  test('of several ports is there although the one that bound it fails', async () => {
    const bed = await wiredWith();
    for (const id of ['p1', 'p2']) bed.server.known.set(id, describedPort(id));
    bed.announcer.failures = REQUIRED;
    bed.announcer.failingPort = 'p1';
    bed.plug('p1');
    bed.plug('p2');
    await bed.settle();
    expect((await bed.stateOf('p2'))?.state).toBe('up');
    expect(bed.announcer.left).toEqual(expect.arrayContaining(['onSegmentBound', 'onPortAdded']));
  });

  test('that was renumbered is released when its last port goes, described again or not', async () => {
    const bed = await wiredWith(describedPort('p1', {}, VLAN_SEGMENT), describedPort('p2', {}, VLAN_SEGMENT));
    bed.server.known.set('p1', describedPort('p1', {}, renumbered));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' });
    await bed.settle();
    bed.unplug('p1');
    bed.unplug('p2');
    await bed.settle();
    expect(await bed.directory.segments()).toEqual([]);
    expect(bed.announcer.take().filter((hook) => hook.startsWith('onSegment'))).toEqual([
      'onSegmentReleased',
      'onSegmentBound',
      'onSegmentReleased',
    ]);
  });

  test('is bound anew only when all have been told of its release', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.known.set('p2', describedPort('p2'));
    let told = () => {};
    bed.announcer.releasing = new Promise((resolve) => {
      told = resolve;
    });
    bed.unplug('p1');
    await bed.settle();
    bed.plug('p2');
    await bed.settle();
    told();
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortRemoved', 'onSegmentReleased', 'onSegmentBound', 'onPortAdded']);
  });

  test('that a port is to leave is held until the port has left it', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.announcer.failures = REQUIRED;
    bed.announcer.left.length = 0;
    bed.server.known.set('p1', describedPort('p1', {}, VLAN_SEGMENT));
    bed.server.say({ kind: 'ports-changed', portIds: ['p1'], cause: 'req-1' });
    await bed.settle();
    expect((await bed.directory.segments()).map(({ segment }) => segment.networkId)).toContain('net-vxlan');
    bed.announcer.failures = [];
    await bed.jobs.retry();
    await bed.settle();
    expect((await bed.directory.segments()).map(({ segment }) => segment.networkId)).toEqual(['net-vlan']);
    expect(bed.announcer.left).toContain('onSegmentReleased');
  });
});

describe('a report that the server refuses', () => {
  test('keeps no other port waiting, and is made again', async () => {
    const bed = await wiredWith();
    for (const id of ['p1', 'p2']) bed.server.known.set(id, describedPort(id));
    bed.server.refusing = ['p1'];
    bed.plug('p1');
    await bed.settle();
    bed.plug('p2');
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1', 'up p2']);
    expect(bed.health.conditions.has('reports')).toBe(true);
    bed.server.refusing = [];
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1', 'up p2', 'up p1']);
    expect(bed.health.conditions.has('reports')).toBe(false);
  });
});
