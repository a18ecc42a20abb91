import { DEAD_VLAN, type PortDescription, type PortView } from '@patchbay/sdk';
import { boundPort } from '../../support/plugin-kit';
import { PortBindingBed, vifRow } from '../../support/port-binding-bed';

const described: PortDescription = boundPort({ id: 'p1', status: 'ACTIVE' }).port;
const OLD = { name: 'tap-old', uuid: 'row-old' };
const NEW = { name: 'tap-new', uuid: 'row-new' };

async function started(...rows: readonly PortView[]): Promise<PortBindingBed> {
  const bed = new PortBindingBed();
  bed.server.known.set('p1', described);
  bed.view.portRows = [...rows];
  await bed.start();
  return bed;
}

/** Name and tag of the gates that are stated for the port, as `name=tag`. */
const gates = (bed: PortBindingBed) => bed.desired.records('port/p1').gates?.map(({ port, tag }) => `${port}=${tag}`);

function faceChanged(bed: PortBindingBed, name: string, face: Partial<PortView['interfaces'][number]>): void {
  const previous = bed.view.portRows.find((row) => row.name === name);
  if (previous === undefined) throw new Error(`no port ${name}`);
  const port = { ...previous, interfaces: previous.interfaces.map((one) => ({ ...one, ...face })) };
  bed.view.portRows = bed.view.portRows.map((row) => (row === previous ? port : row));
  bed.view.change({ kind: 'port-changed', port, previous, cause: 'switch' });
}

describe('a port that is plugged under another name before the old one is gone', () => {
  let bed: PortBindingBed;

  beforeEach(async () => {
    bed = await started();
    bed.plug('p1', OLD);
    await bed.settle();
    bed.announcer.take();
    bed.plug('p1', NEW);
    await bed.settle();
  });

  test('is wired where it came last, the old one is shut, and nothing is reported', () => {
    expect(gates(bed)).toEqual(['tap-new=1', `tap-old=${DEAD_VLAN}`]);
    expect(bed.announcer.take()).toEqual(['onPortUpdated']);
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('is named in health while there are both', async () => {
    expect(bed.health.conditions.get('iface-ids')?.detail).toBe(
      'p1 is plugged as tap-new, which is wired, and as tap-old',
    );
    bed.view.removePort('tap-old');
    await bed.settle();
    expect(bed.health.conditions.has('iface-ids')).toBe(false);
  });

  test('stays there whatever else changes on either', async () => {
    bed.announcer.take();
    const writes = bed.desired.history.length;
    faceChanged(bed, 'tap-old', { options: { a: 'b' } });
    faceChanged(bed, 'tap-new', { options: { a: 'b' } });
    await bed.settle();
    expect(bed.announcer.take()).toEqual([]);
    expect(bed.desired.history).toHaveLength(writes);
  });

  test('stays there, without a report, when the old one goes', async () => {
    bed.view.removePort('tap-old');
    await bed.settle();
    expect(gates(bed)).toEqual(['tap-new=1']);
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('goes back to the old one when the new one goes, without a report', async () => {
    bed.view.removePort('tap-new');
    await bed.settle();
    expect(gates(bed)).toEqual(['tap-old=1']);
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('goes back to the old one when the switch could not make the new one', async () => {
    faceChanged(bed, 'tap-new', { ofport: -1, error: 'no such device' });
    await bed.settle();
    expect(gates(bed)).toEqual(['tap-old=1', `tap-new=${DEAD_VLAN}`]);
  });

  test('is reported down once when both are gone', async () => {
    bed.view.removePort('tap-old');
    bed.view.removePort('tap-new');
    await bed.settle();
    expect(bed.desired.keys()).toEqual([]);
    expect(bed.server.edges).toEqual(['up p1', 'down p1']);
  });
});

describe('two ports of one iface-id', () => {
  const wiring = { tag: 7, otherConfig: { net_uuid: 'net-vxlan' } };

  test('that are found when the agent starts are wired as an earlier run wired them', async () => {
    const bed = new PortBindingBed();
    bed.server.away = true;
    bed.view.portRows = [vifRow('p1', { ...OLD, ...wiring }), vifRow('p1', NEW)];
    await bed.start();
    expect(gates(bed)).toEqual(['tap-old=7', `tap-new=${DEAD_VLAN}`]);
  });

  test('that were both wired: the one with the higher number, which came later', async () => {
    const [first] = vifRow('p1').interfaces;
    if (first === undefined) throw new Error('no interface');
    const numbered = (ofport: number) => ({ interfaces: [{ ...first, ofport }] });
    const bed = await started(
      vifRow('p1', { ...NEW, ...wiring, ...numbered(12) }),
      vifRow('p1', { ...OLD, ...wiring, ...numbered(5) }),
    );
    expect(gates(bed)).toEqual(['tap-new=1', `tap-old=${DEAD_VLAN}`]);
  });

  test('that the control plane does not know are both shut, also when one more comes', async () => {
    const bed = await started();
    bed.server.known.clear();
    bed.plug('p1', OLD);
    await bed.settle();
    bed.plug('p1', NEW);
    await bed.settle();
    expect(gates(bed)?.toSorted()).toEqual([`tap-new=${DEAD_VLAN}`, `tap-old=${DEAD_VLAN}`]);
  });

  test('are both shut while a required plugin fails for the port, and one is open after it', async () => {
    const bed = await started();
    bed.announcer.failures = [{ plugin: 'security-groups', required: true, reason: 'boom' }];
    bed.plug('p1', OLD);
    bed.plug('p1', NEW);
    await bed.settle();
    expect(gates(bed)?.toSorted()).toEqual([`tap-new=${DEAD_VLAN}`, `tap-old=${DEAD_VLAN}`]);
    bed.announcer.failures = [];
    await bed.jobs.retry();
    await bed.settle();
    expect(gates(bed)).toEqual(['tap-new=1', `tap-old=${DEAD_VLAN}`]);
  });
});
