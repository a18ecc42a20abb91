import type { PortDescription } from '@patchbay/sdk';
import { describedPort, type PortBindingBed, startedWith, wiredWith } from '../../support/port-binding-bed';

describe('reports', () => {
  const changed = (bed: PortBindingBed, port: PortDescription) => {
    bed.server.known.set(port.id, port);
    bed.server.say({ kind: 'ports-changed', portIds: [port.id], cause: 'push' });
  };

  test('are repeated for a port that the server has down again, as it does when the profile of a binding changes', async () => {
    const bed = await wiredWith(describedPort('p1'));
    changed(bed, describedPort('p1', { status: 'DOWN', binding: 'migrating-out', profile: { migrating_to: 'host2' } }));
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
    changed(
      bed,
      describedPort('p1', { status: 'ACTIVE', binding: 'migrating-out', profile: { migrating_to: 'host2' } }),
    );
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('are repeated for a port that migrated here, once its binding is active', async () => {
    const bed = await wiredWith(describedPort('p1', { binding: 'migrating-in' }));
    changed(bed, describedPort('p1', { status: 'ACTIVE' }));
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('that the server refused are made again', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.server.refusing = ['p1'];
    bed.plug('p1');
    await bed.settle();
    bed.server.refusing = [];
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1', 'up p1']);
    expect(bed.health.conditions.has('reports')).toBe(false);
  });

  test('are made once more, asking for entries, when a plugin wants those of their networks', async () => {
    const bed = await wiredWith(describedPort('p1'), describedPort('p2', { adminStateUp: false }));
    await bed.directory.askForForwarding(['p1', 'p2', 'unknown']);
    expect(bed.server.reports).toEqual([{ up: ['p1'], down: [], refreshTunnels: true }]);
  });

  test('that are on their way are made again, and it is those that are waited for', async () => {
    const bed = await wiredWith(describedPort('p1'));
    let answer = () => {};
    const first = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { reportPorts } = bed.server;
    bed.server.reportPorts = async (report) => {
      await first;
      return reportPorts.call(bed.server, report);
    };
    const once = bed.directory.askForForwarding(['p1']);
    await new Promise((resolve) => setImmediate(resolve));
    const twice = bed.directory.askForForwarding(['p1']);
    answer();
    await Promise.all([once, twice]);
    expect(bed.server.reports.map(({ refreshTunnels }) => refreshTunnels)).toEqual([true, true]);
  });

  test('that fail ask for entries the next time', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.server.away = true;
    const asked = bed.directory.askForForwarding(['p1']);
    await bed.settle();
    bed.server.away = false;
    await bed.jobs.retry();
    await asked;
    expect(bed.server.reports).toEqual([{ up: ['p1'], down: [], refreshTunnels: true }]);
  });

  test('ask for tunnels once', async () => {
    const bed = await startedWith(describedPort('p1'), describedPort('p2'));
    bed.plug('p1');
    await bed.settle();
    bed.plug('p2');
    await bed.settle();
    expect(bed.server.reports.map(({ refreshTunnels }) => refreshTunnels)).toEqual([true, false]);
  });
});
