import type { BoundSegment } from '@patchbay/sdk';
import { VLAN_SEGMENT, VXLAN_SEGMENT } from '../../support/plugin-kit';
import { describedPort, type PortBindingBed, startedWith } from '../../support/port-binding-bed';

const ports = [describedPort('p1', {}, VXLAN_SEGMENT), describedPort('p2', {}, VLAN_SEGMENT)];
const states = async (bed: PortBindingBed) => Promise.all(ports.map(async ({ id }) => (await bed.stateOf(id))?.state));

describe('a local VLAN that is given to a second segment', () => {
  let bed: PortBindingBed;

  beforeEach(async () => {
    bed = await startedWith(...ports);
    bed.announcer.localVlan = 7;
  });

  test('is refused by the name of the segment that holds it, and its port is tried again', async () => {
    bed.plug('p1');
    await bed.settle();
    bed.plug('p2');
    await bed.settle();
    expect((await bed.stateOf('p1'))?.state).toBe('up');
    const state = await bed.stateOf('p2');
    expect(state?.state).not.toBe('up');
    expect(JSON.stringify([state, bed.health, bed.logger])).toContain('PB-PORT-BINDING-4');
    expect(JSON.stringify([state, bed.health, bed.logger])).toContain(
      `segment ${VXLAN_SEGMENT.networkId}/${VXLAN_SEGMENT.segmentationId} holds it`,
    );
    bed.announcer.localVlan = 8;
    await bed.jobs.retry();
    await bed.settle();
    expect((await bed.stateOf('p2'))?.bound?.localVlan).toBe(8);
  });

  test('is refused while both are being bound', async () => {
    for (const { id } of ports) bed.plug(id);
    await bed.settle();
    expect((await states(bed)).filter((state) => state === 'up')).toHaveLength(1);
    const told = bed.announcer.payloads.filter(
      (payload): payload is BoundSegment =>
        Object.keys(payload as object)
          .sort()
          .join() === 'localVlan,segment',
    );
    expect(told).toHaveLength(1);
  });

  test('is its own once the first has let it go', async () => {
    bed.plug('p1');
    await bed.settle();
    bed.unplug('p1');
    await bed.settle();
    bed.plug('p2');
    await bed.settle();
    expect((await bed.stateOf('p2'))?.bound?.localVlan).toBe(7);
  });
});
