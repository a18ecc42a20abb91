import { DEAD_VLAN } from '@patchbay/sdk';
import { bridgeRow, portRow } from '../../support/plugin-kit';
import { describedPort, PortBindingBed, startedWith, vifRow, wiredWith } from '../../support/port-binding-bed';

describe('a plugged VIF', () => {
  test('is described, bound, told of, and reported up once the switch has it', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.plug('p1');
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onSegmentBound', 'onPortAdded']);
    expect(bed.desired.gate('p1')).toMatchObject({
      port: 'tap-p1',
      tag: 1,
      otherConfig: {
        net_uuid: 'net-vxlan',
        network_type: 'vxlan',
        physical_network: 'None',
        segmentation_id: '94416',
        tag: '1',
      },
    });
    expect(bed.server.edges).toEqual(['up p1']);
    expect((await bed.stateOf('p1'))?.history.map(({ stage }) => stage)).toEqual([
      'seen',
      'described',
      'bound',
      'acknowledged',
      'reported',
    ]);
  });

  test('is told of when every plugin has started, and not before', async () => {
    const bed = new PortBindingBed();
    let allStarted = (): void => {};
    bed.synchronisation.started = new Promise((resolve) => {
      allStarted = resolve;
    });
    bed.server.known.set('p1', describedPort('p1'));
    bed.plug('p1');
    await bed.start();
    expect(bed.announcer.take()).toEqual([]);
    allStarted();
    await bed.settle();
    expect(bed.announcer.take()).toEqual(expect.arrayContaining(['onSegmentBound', 'onPortAdded']));
  });

  test('is shut from the moment it is seen, before the control plane has answered', async () => {
    const bed = await startedWith();
    bed.server.away = true;
    bed.plug('p1');
    expect(bed.desired.gate('p1')).toMatchObject({ port: 'tap-p1', tag: DEAD_VLAN });
    expect(bed.desired.gate('p1').admission).toBeUndefined();
    await bed.settle();
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
    expect(bed.server.edges).toEqual([]);
  });

  test('is asked about again until the control plane answers', async () => {
    const bed = await startedWith();
    bed.server.away = true;
    bed.plug('p1');
    await bed.settle();
    expect(bed.health.conditions.get('ports')?.detail).toContain('the server is away');
    await bed.jobs.retry();
    expect(bed.logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    bed.server.away = false;
    bed.server.known.set('p1', describedPort('p1'));
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
    expect(bed.health.conditions.has('ports')).toBe(false);
  });

  test('is told of when all who asked to prepare for it have, and stays as it is until then', async () => {
    const bed = await startedWith(describedPort('p1'));
    let ready: () => void = () => {};
    bed.directory.beforeTold(() => new Promise<void>((resolve) => (ready = resolve)));
    bed.plug('p1');
    await bed.settle();
    expect(bed.announcer.take()).not.toContain('onPortAdded');
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
    ready();
    await bed.settle();
    expect(bed.announcer.take()).toContain('onPortAdded');
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('is tried again where somebody could not prepare for it', async () => {
    const bed = await startedWith(describedPort('p1'));
    let known = false;
    bed.directory.beforeTold(async () => {
      if (!known) throw new Error('its groups are not known');
    });
    bed.plug('p1');
    await bed.settle();
    expect(bed.health.conditions.get('ports')?.detail).toContain('its groups are not known');
    known = true;
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('is not reported up while the switch lacks something, and is once it has it', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.desired.held.set('port/p1', { state: 'pending', waitingFor: ['port tap-p1'] });
    bed.plug('p1');
    await bed.settle();
    expect(bed.server.edges).toEqual([]);
    expect((await bed.stateOf('p1'))?.state).toBe('wiring');
    bed.desired.held.clear();
    bed.announcer.progressed('port/p1', { state: 'applied' });
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('that the switch goes on holding back is named once, with what it waits for', async () => {
    const bed = await startedWith(describedPort('p1'));
    const waiting = { state: 'pending', waitingFor: ['port tap-p1 on br-int to work: no such type'] } as const;
    bed.desired.held.set('port/p1', waiting);
    bed.plug('p1');
    await bed.settle();
    for (let again = 0; again < 2; again++) {
      await bed.jobs.retry();
      bed.announcer.progressed('port/p1', waiting);
      await bed.settle();
    }
    expect(bed.logger.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        sentence: 'the switch holds a port back',
        fields: { port: 'p1', portName: 'tap-p1', reason: `waits for ${waiting.waitingFor[0]}` },
      },
    ]);
  });

  test('stays shut where a required plugin failed, and is tried again', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.announcer.failures = [{ plugin: 'security-groups', required: true, reason: 'boom' }];
    bed.plug('p1');
    await bed.settle();
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
    expect(bed.server.edges).toEqual([]);
    bed.announcer.failures = [];
    await bed.jobs.retry();
    await bed.settle();
    expect(bed.desired.gate('p1').tag).not.toBe(DEAD_VLAN);
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('goes on where an advisory plugin failed', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.announcer.failures = [{ plugin: 'vendor', required: false, reason: 'boom' }];
    bed.plug('p1');
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
  });

  test('is isolated with the reason that a plugin refused it for', async () => {
    const bed = await startedWith(describedPort('p1'));
    bed.announcer.refusal = { refused: 'not on my watch' };
    bed.plug('p1');
    await bed.settle();
    expect((await bed.stateOf('p1'))?.isolated).toMatchObject({ reason: 'refused', detail: 'not on my watch' });
    expect(bed.server.edges).toEqual(['down p1']);
  });

  test.each([
    ['is unknown to the control plane', undefined, 'unknown-port', []],
    ['is bound elsewhere', { binding: 'elsewhere' }, 'bound-elsewhere', []],
    ['is administratively down', { adminStateUp: false }, 'admin-down', ['down p1']],
    ['has no segment', { segment: null }, 'no-segment', ['down p1']],
  ] as const)('is isolated when its port %s', async (_why, more, reason, edges) => {
    const bed = await startedWith(...(more === undefined ? [] : [describedPort('p1', more)]));
    bed.plug('p1');
    await bed.settle();
    expect((await bed.stateOf('p1'))?.isolated?.reason).toBe(reason);
    expect(bed.desired.gate('p1').tag).toBe(DEAD_VLAN);
    expect(bed.server.edges).toEqual(edges);
  });

  test('is wired while its port migrates here or away', async () => {
    const bed = await startedWith(
      describedPort('p1', { binding: 'migrating-in' }),
      describedPort('p2', { binding: 'migrating-out' }),
    );
    bed.plug('p1');
    bed.plug('p2');
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1', 'up p2']);
  });

  test('whose description makes no sense stays as it is, and others are wired', async () => {
    const bed = await startedWith(describedPort('p2'));
    bed.server.malformed.set('p1', 'has no mac_address');
    bed.plug('p1');
    bed.plug('p2');
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p2']);
    expect(bed.health.conditions.get('ports')?.detail).toContain('has no mac_address');
  });

  test('is not one without both marks', async () => {
    const bed = await startedWith();
    bed.view.addPort(portRow({ name: 'tap9' }, { externalIds: { 'iface-id': 'p9' } }));
    await bed.settle();
    expect(await bed.stateOf('p9')).toBeUndefined();
  });
});

describe('many ports', () => {
  test('are asked about in one question and reported in one message', async () => {
    const bed = await startedWith(describedPort('p1'), describedPort('p2'), describedPort('p3'));
    for (const id of ['p1', 'p2', 'p3']) bed.plug(id);
    await bed.settle();
    expect(bed.server.asked).toEqual([['p1', 'p2', 'p3']]);
    expect(bed.server.reports).toEqual([{ up: ['p1', 'p2', 'p3'], down: [], refreshTunnels: true }]);
  });

  test('of one network share its segment: bound with the first, released with the last', async () => {
    const bed = await startedWith(describedPort('p1'), describedPort('p2'));
    bed.plug('p1');
    bed.plug('p2');
    await bed.settle();
    expect(bed.announcer.take().filter((hook) => hook.startsWith('onSegment'))).toEqual(['onSegmentBound']);
    bed.unplug('p1');
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortRemoved']);
    bed.unplug('p2');
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onPortRemoved', 'onSegmentReleased']);
  });
});

describe('at start', () => {
  test('a port that was wired before stays as it is until it is described', async () => {
    const bed = new PortBindingBed();
    bed.server.away = true;
    bed.view.portRows = [vifRow('p1', { tag: 7, otherConfig: { net_uuid: 'net-vxlan' } })];
    await bed.start();
    expect(bed.desired.gate('p1')).toMatchObject({ tag: 7, admission: [{ priority: 1 }] });
    expect(bed.desired.isComplete).toBe(false);
  });

  test('the agent is synchronised when every port has come to rest', async () => {
    const bed = new PortBindingBed();
    bed.view.portRows = [vifRow('p1'), vifRow('p2')];
    bed.server.known.set('p1', describedPort('p1'));
    await bed.start();
    expect(bed.desired.isComplete).toBe(true);
    await expect(bed.synchronisation.synced).resolves.toBeUndefined();
  });

  test('when asked to synchronise again, everything is told and reported again', async () => {
    const bed = await wiredWith(describedPort('p1'));
    bed.synchronisation.request('revived');
    await bed.settle();
    expect(bed.announcer.take()).toEqual(['onSegmentBound', 'onPortAdded']);
    expect(bed.server.reports).toEqual([{ up: ['p1'], down: [], refreshTunnels: true }]);
  });
});

describe('a port of an ancillary bridge', () => {
  test('is reported up and down, and never wired', async () => {
    const bed = new PortBindingBed();
    bed.view.bridgeRows = [bridgeRow('br-ext', { externalIds: { 'bridge-id': 'br-ext' } })];
    bed.server.known.set('p1', describedPort('p1'));
    await bed.start();
    bed.plug('p1', { bridge: 'br-ext' });
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1']);
    expect(bed.desired.keys()).toEqual([]);
    bed.unplug('p1');
    await bed.settle();
    expect(bed.server.edges).toEqual(['up p1', 'down p1']);
  });
});
