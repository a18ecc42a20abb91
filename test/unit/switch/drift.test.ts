import { LEARNED_COOKIE, parseFlow } from '@patchbay/sdk';
import { cookieOf } from '../../../core/switch/cookies';
import { SETTINGS, SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

afterEach(() => rig.stop());

const NORMAL = parseFlow('br-int', 'table=60,priority=0 actions=NORMAL');

const start = async (drift: 'repair' | 'report'): Promise<void> => {
  rig = await SwitchRig.start(['br-int'], {
    settings: { ...SETTINGS, drift },
    reservedCookies: [{ value: 0x99n, mask: 0xffff_ffff_ffff_ffffn }],
  });
  await rig.stated('wiring', 'base', { flows: [NORMAL] });
  rig.completeAll();
  await rig.quiet();
};

/** Somebody at another connection. */
const stranger = () => rig.bridge('br-int').connect();
const drift = () => rig.side.status().figures.drift;
const add = async (text: string, cookie: bigint): Promise<void> => {
  await stranger().send([{ kind: 'flow', command: 'add', flow: parseFlow('br-int', text), cookie }]);
  await rig.quiet();
};
const remove = async (): Promise<void> => {
  await stranger().send([{ kind: 'flow', command: 'delete', filter: { table: 60 } }]);
  await rig.quiet();
};

describe('an edit by somebody else', () => {
  it('that removes a flow is found at once and put right, counted, and told with who wanted it', async () => {
    await start('repair');
    await remove();
    expect(rig.flows('br-int')).toEqual(['table=60,priority=0 actions=NORMAL']);
    expect(drift()).toMatchObject({ removed: 1 });
    expect(rig.logger.lines.join('\n')).toMatch(/removed what we installed.*table=60.*wiring base/);
  });

  it('that changes a flow is put right', async () => {
    await start('repair');
    await add('table=60,priority=0 actions=drop', cookieOf('wiring'));
    expect(rig.flows('br-int')).toEqual(['table=60,priority=0 actions=NORMAL']);
    expect(drift()).toMatchObject({ changed: 1 });
  });

  it('that adds a flow to a claimed table is removed, and told with its cookie', async () => {
    await start('repair');
    await add('table=60,priority=9 actions=drop', 0x1234n);
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(drift()).toMatchObject({ added: 1 });
    expect(rig.logger.lines.join('\n')).toContain('foreign cookie 0x1234');
  });

  it('that adds a flow to a table that was allotted to a plugin is removed, and told with the plugin’s name', async () => {
    await start('repair');
    rig.side.claimTables('other', [{ bridge: 'integration', tables: [100] }]);
    await add('table=100,priority=9 actions=drop', 0x1234n);
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(rig.logger.lines.join('\n')).toContain('foreign cookie 0x1234 in what other claims');
  });

  it('under a reserved cookie, a learned flow, or one in a table of nobody’s is none', async () => {
    await start('repair');
    await add('table=60,priority=9 actions=drop', 0x99n);
    await add('table=60,priority=8 actions=drop', LEARNED_COOKIE);
    await add('table=99,priority=8 actions=drop', 0x1234n);
    expect(rig.flows('br-int')).toHaveLength(4);
    expect(drift()).toEqual({ removed: 0, changed: 0, added: 0, row: 0 });
  });

  it('of a row is put right and counted', async () => {
    await start('repair');
    await rig.stated('wiring', 'port', {
      ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra', otherConfig: { a: '1' } }],
    });
    await rig.quiet();
    rig.transact([
      { op: 'update', table: 'Port', where: [['name', '==', 'extra']], row: { other_config: ['map', []] } },
    ]);
    await rig.quiet();
    expect(rig.row('Port', 'extra')?.other_config).toEqual(new Map([['a', '1']]));
    expect(drift()).toEqual({ removed: 0, changed: 0, added: 0, row: 1 });
  });

  it('that takes away one end of a patch is counted, and the end is made again', async () => {
    rig = await SwitchRig.start(['br-int', 'br-ex'], { settings: SETTINGS });
    await rig.stated('wiring', 'uplink', {
      ports: [
        { kind: 'patch', bridge: 'br-int', name: 'int-br-ex', peer: 'phy-br-ex' },
        { kind: 'patch', bridge: 'br-ex', name: 'phy-br-ex', peer: 'int-br-ex' },
      ],
      flows: [parseFlow('br-int', 'table=0,priority=2,in_port=int-br-ex actions=drop')],
    });
    rig.completeAll();
    await rig.quiet();
    rig.unplug('int-br-ex');
    await rig.quiet();
    expect(rig.row('Interface', 'int-br-ex')?.options).toEqual(new Map([['peer', 'phy-br-ex']]));
    expect(drift()).toEqual({ removed: 0, changed: 0, added: 0, row: 1 });
    expect(rig.logger.lines.join('\n')).toMatch(/edited a row of ours.*int-br-ex.*wiring uplink/);
  });

  it('that no monitor told of is found when everything is compared', async () => {
    await start('repair');
    rig.bridge('br-int').monitors.clear();
    await remove();
    expect(rig.flows('br-int')).toEqual([]);
    rig.side.compareAll('test');
    await rig.quiet();
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(drift()).toMatchObject({ removed: 1 });
  });
});

describe('where drift is only reported', () => {
  it('an edit is counted once and stays, until its key states something else', async () => {
    await start('report');
    await remove();
    rig.side.compareAll('test');
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual([]);
    expect(drift()).toMatchObject({ removed: 1 });
    await rig.stated('wiring', 'base', { flows: [parseFlow('br-int', 'table=60,priority=0 actions=drop')] });
    expect(rig.flows('br-int')).toEqual(['table=60,priority=0 actions=drop']);
  });

  it('an edited row stays too, and one that was taken away is made again', async () => {
    await start('report');
    await rig.stated('wiring', 'port', {
      ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra', otherConfig: { a: '1' } }],
    });
    await rig.quiet();
    rig.transact([
      { op: 'update', table: 'Port', where: [['name', '==', 'extra']], row: { other_config: ['map', []] } },
    ]);
    await rig.quiet();
    expect(rig.row('Port', 'extra')?.other_config).toEqual(new Map());
    rig.unplug('extra');
    await rig.quiet();
    expect(rig.row('Port', 'extra')).toBeDefined();
  });

  it('a bridge that lost its connection is wired again all the same', async () => {
    await start('report');
    rig.bridge('br-int').dropConnections();
    await remove();
    await rig.until(() => rig.flows('br-int').length > 0);
    expect(rig.flows('br-int')).toHaveLength(1);
  });
});

describe('a bridge that is found empty after its first flows were written', () => {
  const FLOW = { flows: [parseFlow('br-int', 'table=60,priority=1 actions=drop')] };

  it.each(['the switch was restarted', 'somebody deleted its flows'])('is told of, where %s', async (how) => {
    rig = await SwitchRig.start(['br-int']);
    await rig.stated('other', 'one', FLOW);
    const told: string[] = [];
    rig.side.onReconnected(({ bridges }) => told.push(...bridges));
    if (how === 'the switch was restarted') rig.bridge('br-int').restart();
    else
      await rig
        .bridge('br-int')
        .connect()
        .send([{ kind: 'flow', command: 'delete', filter: {} }]);
    await rig.until(() => told.length > 0);
    expect(told).toEqual(['br-int']);
    await rig.until(() => rig.flows('br-int').length > 0);
  });

  it('is not told of, where nothing of ours was on it', async () => {
    rig = await SwitchRig.start(['br-int', 'br-tun']);
    await rig.stated('other', 'one', FLOW);
    const told: string[] = [];
    rig.side.onReconnected(({ bridges }) => told.push(...bridges));
    for (const bridge of ['br-tun', 'br-int']) rig.bridge(bridge).restart();
    await rig.until(() => told.length > 0);
    await rig.quiet();
    expect(told).toEqual(['br-int']);
  });
});

describe('a bridge that was taken away and is made again before ovs-vswitchd looked', () => {
  const TUNNEL = {
    ports: [
      {
        kind: 'tunnel',
        bridge: 'br-tun',
        name: 'vxlan-1',
        type: 'vxlan',
        options: { remote_ip: '198.51.100.2' },
      } as const,
    ],
  };

  it('has its ports again, though its connection was never lost', async () => {
    rig = await SwitchRig.start(['br-int', 'br-tun']);
    await rig.stated('other', 'bridge', { bridges: [{ name: 'br-tun', presence: 'create' }] });
    await rig.stated('other', 'tunnel/1', TUNNEL);
    const bridge = rig.row('Bridge', 'br-tun')?._uuid;
    rig.transact([
      { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'delete', ['uuid', bridge]]] },
    ]);
    await rig.quiet();
    expect(rig.row('Bridge', 'br-tun')).toBeDefined();
    expect(rig.row('Port', 'vxlan-1')).toBeDefined();
  });
});
