import { type DesiredRecords, type Flow, parseFlow } from '@patchbay/sdk';
import type { ReservedFlows } from '../../../core/kernel/config/reservations';
import { createSwitch, OWN_CONTROLLER, type Switch } from '../../../core/switch';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';
import { LineLogger, OWN_BRIDGE, PLUGINS, SETTINGS } from '../../support/switch/rig';

/** No other required plugin: each would have to state a key of every port before its gate opens. */
const WIRING = PLUGINS.filter(({ id, required }) => id === 'wiring' || !required);

jest.setTimeout(120_000);

let ovs: PrivateSwitch;
let side: Switch;
let logger: LineLogger;

const make = (reservedFlows: readonly ReservedFlows[] = []): Switch =>
  createSwitch({
    settings: { ...SETTINGS, ovsdb_connection: `unix:${ovs.dbSocket}`, ovs_run_dir: ovs.runDir },
    logger,
    plugins: WIRING,
    reservedFlows,
  });

const restart = async (): Promise<void> => {
  await side.stop();
  side = make();
  await side.start();
  side.beginWriting();
};

beforeEach(async () => {
  ovs = await startPrivateSwitch();
  logger = new LineLogger();
  side = make();
  await side.start();
  side.beginWriting();
});

afterEach(async () => {
  await side.stop();
  await ovs.stop();
});

const flow = (text: string): Flow => parseFlow('br-int', text);
const fromPort = (port: string, text: string): Flow => {
  const parsed = flow(text);
  return { ...parsed, match: { ...parsed.match, in_port: { port } } };
};
const BRIDGE: DesiredRecords = {
  bridges: [OWN_BRIDGE],
  flows: [flow('table=0,priority=0 actions=drop'), flow('table=60,priority=0 actions=NORMAL')],
};

const until = async (what: string, test: () => boolean | Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < 2_400; attempt++) {
    if (await test()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never: ${what}\n${logger.lines.slice(-20).join('\n')}`);
};
const applied = (plugin: string, key: string) =>
  until(`${plugin} ${key} applied`, async () => (await side.store.progress(plugin, key)).state === 'applied');
const state = (plugin: string, key: string, records: DesiredRecords | null) =>
  side.store.apply([{ plugin, key, records }], 'test');
const dump = async () =>
  (await ovs.ofctl('-O', 'OpenFlow14', 'dump-flows', '--no-stats', '--no-names', `${ovs.runDir}/br-int.mgmt`))
    .trim()
    .split('\n')
    .filter(Boolean)
    .sort();
const flowMods = () => side.status().figures.added + side.status().figures.changed + side.status().figures.removed;

const port = (index: number, extra: readonly Flow[] = []): DesiredRecords => ({
  gates: [
    {
      bridge: 'br-int',
      port: `tap${index}`,
      subject: `p${index}`,
      tag: 10,
      admission: [fromPort(`tap${index}`, 'table=0,priority=9 actions=goto_table:60')],
    },
  ],
  flows: [fromPort(`tap${index}`, 'table=60,priority=2,icmp6,icmp_type=136 actions=drop'), ...extra],
});

const wireBridge = async () => {
  state('wiring', 'bridge', BRIDGE);
  await applied('wiring', 'bridge');
};

describe('on Open vSwitch', () => {
  it('makes a bridge and its flows, and plans nothing afterwards', async () => {
    await wireBridge();
    side.compareAll('test');
    await side.settled();
    expect(side.plan()).toEqual({ rows: [], flows: {}, unknown: [] });
    expect(await dump()).toHaveLength(2);
  });

  it('keeps the flows of a bridge whose only controller is a socket nobody serves', async () => {
    await wireBridge();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await dump()).toHaveLength(2);
    expect((await ovs.vsctl('get-controller', 'br-int')).trim()).toBe(OWN_CONTROLLER);
  });

  it('swaps the reference agent’s controller for ours without losing a flow', async () => {
    await ovs.vsctl(
      'add-br',
      'br-int',
      '--',
      'set',
      'Bridge',
      'br-int',
      'datapath_type=netdev',
      'fail_mode=secure',
      '--',
      'set-controller',
      'br-int',
      'tcp:127.0.0.1:6633',
    );
    await ovs.ofctl('add-flow', `${ovs.runDir}/br-int.mgmt`, 'table=5,cookie=0x77,actions=drop');
    await wireBridge();
    expect((await ovs.vsctl('get-controller', 'br-int')).trim()).toBe(OWN_CONTROLLER);
    expect(await dump()).toEqual(expect.arrayContaining([expect.stringContaining('cookie=0x77')]));
  });

  it('wires a port: flows first, then the tag', async () => {
    await wireBridge();
    await ovs.vsctl('add-port', 'br-int', 'tap1', '--', 'set', 'Interface', 'tap1', 'type=dummy');
    state('wiring', 'port/p1', port(1));
    await applied('wiring', 'port/p1');
    expect((await ovs.vsctl('get', 'Port', 'tap1', 'tag')).trim()).toBe('10');
    expect(await dump()).toHaveLength(4);
  });

  it('sends no flow modification after a restart that changes nothing', async () => {
    await wireBridge();
    await ovs.vsctl('add-port', 'br-int', 'tap1', '--', 'set', 'Interface', 'tap1', 'type=dummy');
    state('wiring', 'port/p1', port(1));
    await applied('wiring', 'port/p1');
    await restart();
    side.store.apply(
      [
        { plugin: 'wiring', key: 'bridge', records: BRIDGE },
        { plugin: 'wiring', key: 'port/p1', records: port(1) },
      ],
      'test',
    );
    for (const { id } of WIRING) side.store.complete(id);
    await applied('wiring', 'port/p1');
    await side.settled();
    expect(flowMods()).toBe(0);
    expect(side.status().figures.rows).toBe(0);
    expect(await dump()).toHaveLength(4);
  });

  it('lets one poisoned key among 200 harm only itself', async () => {
    await wireBridge();
    const words = Array.from({ length: 200 }, (_, index) => [
      '--',
      'add-port',
      'br-int',
      `tap${index}`,
      '--',
      'set',
      'Interface',
      `tap${index}`,
      'type=dummy',
    ]).flat();
    await ovs.vsctl(...words.slice(1));
    const poison = flow('table=60,priority=5 actions=group:4242');
    side.store.apply(
      Array.from({ length: 200 }, (_, index) => ({
        plugin: 'wiring',
        key: `port/p${index}`,
        records: port(index, index === 77 ? [poison] : []),
      })),
      'test',
    );
    await until('all settled', async () => {
      const progress = await Promise.all(
        Array.from({ length: 200 }, (_, index) => side.store.progress('wiring', `port/p${index}`)),
      );
      return (
        progress.filter(({ state: come }) => come === 'applied').length === 199 && progress[77]?.state === 'quarantined'
      );
    });
    expect(await dump()).toHaveLength(2 + 199 * 2);
    const tags = (await ovs.vsctl('--bare', '--columns=tag', 'find', 'Port', 'tag=10')).split('\n').filter(Boolean);
    expect(tags).toHaveLength(199);
    expect((await ovs.vsctl('get', 'Port', 'tap77', 'tag')).trim()).toBe('4095');
  });

  it('wires a bridge again that was deleted', async () => {
    await wireBridge();
    await ovs.vsctl('del-br', 'br-int');
    await until('the bridge is back', async () => (await ovs.vsctl('list-br')).includes('br-int'));
    await until('its flows are back', async () => (await dump()).length === 2);
  });

  it('keeps writing through a bridge whose flows somebody deleted', async () => {
    await wireBridge();
    const emptied: string[] = [];
    side.onReconnected(({ bridges }) => emptied.push(...bridges));
    await ovs.ofctl('del-flows', `${ovs.runDir}/br-int.mgmt`);
    await until('flows are back', async () => (await dump()).length === 2);
    await until('it was told', () => emptied.length > 0);
    expect(new Set(emptied)).toEqual(new Set(['br-int']));
  });

  it('writes nothing while another Patchbay holds the switch, and goes on when it has left', async () => {
    await wireBridge();
    const second = make();
    await second.start();
    second.beginWriting();
    second.store.apply(
      [{ plugin: 'other', key: 'late', records: { flows: [flow('table=7,priority=1 actions=drop')] } }],
      'test',
    );
    expect(await second.store.progress('other', 'late')).toEqual({
      state: 'pending',
      waitingFor: [expect.stringContaining('another Patchbay')],
    });
    expect(second.status().writing).toMatchObject({ held: expect.stringContaining('another Patchbay') });
    await side.stop();
    side = second;
    await applied('other', 'late');
    expect(await dump()).toHaveLength(3);
  });

  it('writes nothing while the switch restores flows', async () => {
    await wireBridge();
    await ovs.vsctl('set', 'Open_vSwitch', '.', 'other_config:flow-restore-wait=true');
    await until('it noticed', () => side.status().writing !== 'yes');
    state('other', 'late', { flows: [flow('table=7,priority=1 actions=drop')] });
    expect((await side.store.progress('other', 'late')).state).toBe('pending');
    await ovs.vsctl('remove', 'Open_vSwitch', '.', 'other_config', 'flow-restore-wait');
    await applied('other', 'late');
  });

  it('leaves flows in a reserved place alone, puts its own in the very place of one and tells so, and sweeps the rest', async () => {
    await side.stop();
    side = make([{ bridge: 'integration', tables: [60], priorities: [5, 9] }]);
    await side.start();
    side.beginWriting();
    await wireBridge();
    const bridge = `${ovs.runDir}/br-int.mgmt`;
    for (const [priority, cookie] of [
      [5, '0xbad'],
      [9, '0xbad'],
      [10, '0xbad'],
    ] as const)
      await ovs.ofctl(
        'add-flow',
        bridge,
        `cookie=${cookie},table=60,priority=${priority},ip,nw_src=192.0.2.0/24 actions=drop`,
      );
    await until('all are seen', () => side.status().flows === 5);
    state('other', 'same', { flows: [flow('table=60,priority=9,ip,nw_src=192.0.2.77/24 actions=NORMAL')] });
    await applied('other', 'same');
    for (const { id } of WIRING) side.store.complete(id);
    side.compareAll('test');
    await until('one beside the place is swept', async () => (await dump()).length === 4);
    expect((await dump()).filter((line) => line.includes('cookie=0xbad'))).toEqual([
      expect.stringContaining('priority=5,ip,nw_src=192.0.2.0/24 actions=drop'),
    ]);
    expect(side.status().conflicts).toEqual([
      expect.objectContaining({
        reason: expect.stringMatching(/table=60,priority=9.* other same, .*foreign cookie 0xbad/),
      }),
    ]);
    side.compareAll('test');
    await side.settled();
    expect(side.plan().flows).toEqual({});
  });

  it('replaces and removes groups and meters with their flows', async () => {
    await wireBridge();
    const meters = {
      meters: [{ bridge: 'br-int', meter: 5, unit: 'kbps', bands: [{ kind: 'drop', rate: 1000 }] }],
    } as const;
    const groups = {
      groups: [
        { bridge: 'br-int', group: 9, kind: 'all', buckets: [{ actions: [{ type: 'output', port: 'LOCAL' }] }] },
      ],
    } as const;
    state('other', 'shaped', { ...meters, ...groups, flows: [flow('table=7,priority=1 actions=meter:5,group:9')] });
    await applied('other', 'shaped');
    side.compareAll('test');
    await side.settled();
    expect(side.plan().flows).toEqual({});
    state('other', 'shaped', null);
    await until('all gone', async () => (await dump()).length === 2);
    expect(await ovs.ofctl('-O', 'OpenFlow14', 'dump-groups', `${ovs.runDir}/br-int.mgmt`)).not.toContain('group_id=9');
  });

  it('shares a tunnel that is there under another name, and makes one beside it that has another key', async () => {
    await wireBridge();
    const tunnel = (name: string, key: string): DesiredRecords => ({
      ports: [{ kind: 'tunnel', bridge: 'br-int', name, type: 'gre', options: { remote_ip: '192.0.2.9', key } }],
    });
    state('other', 'one', tunnel('one', '1'));
    await applied('other', 'one');
    state('other', 'same', tunnel('same', '1'));
    state('other', 'two', tunnel('two', '2'));
    await applied('other', 'same');
    await applied('other', 'two');
    expect((await ovs.vsctl('list-ports', 'br-int')).trim().split('\n')).toEqual(['one', 'two']);
  });

  it('makes one QoS row of what two plugins want for a port, and takes it away with the last of them', async () => {
    await wireBridge();
    await ovs.vsctl('add-port', 'br-int', 'tap1', '--', 'set', 'Interface', 'tap1', 'type=dummy');
    const qos = (number: number): DesiredRecords => ({
      qos: [
        {
          port: 'tap1',
          type: 'linux-htb',
          otherConfig: { 'max-rate': '1000000' },
          queues: { [number]: { name: 'mine', otherConfig: { 'min-rate': '1000' } } },
        },
      ],
    });
    for (const [index, plugin] of ['wiring', 'other'].entries()) state(plugin, 'qos', qos(index));
    for (const plugin of ['wiring', 'other']) await applied(plugin, 'qos');
    const row = async () => (await ovs.vsctl('--bare', 'get', 'Port', 'tap1', 'qos')).trim();
    const queues = async () => (await ovs.vsctl('get', 'QoS', await row(), 'queues')).match(/\b\d(?==)/g);
    expect(await queues()).toEqual(['0', '1']);
    side.compareAll('test');
    await side.settled();
    expect(side.plan().rows).toEqual([]);
    for (const plugin of ['wiring', 'other']) state(plugin, 'qos', null);
    await until('it is gone', async () => (await ovs.vsctl('--bare', '--columns=_uuid', 'list', 'QoS')).trim() === '');
    expect((await ovs.vsctl('--bare', '--columns=_uuid', 'list', 'Queue')).trim()).toBe('');
  });

  it('writes the VLAN and MAC columns of a port of its own, puts them right, and clears them with the record', async () => {
    await wireBridge();
    const columns = { tag: 7, vlanMode: 'native-tagged', trunks: [20, 7], mac: '52:54:00:00:00:0a' } as const;
    const extra = (stated: Partial<typeof columns>): DesiredRecords => ({
      ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra', ...stated }],
    });
    const read = async () =>
      `${await ovs.vsctl('get', 'Port', 'extra', 'tag', 'vlan_mode', 'trunks')}${await ovs.vsctl('get', 'Interface', 'extra', 'mac', 'mac_in_use')}`
        .trim()
        .split('\n');
    const written = ['7', 'native-tagged', '[7, 20]', '"52:54:00:00:00:0a"', '"52:54:00:00:00:0a"'];
    state('other', 'extra', extra(columns));
    await applied('other', 'extra');
    expect(await read()).toEqual(written);
    await ovs.vsctl('set', 'Port', 'extra', 'tag=9', '--', 'clear', 'Interface', 'extra', 'mac');
    await until('it is put right', async () => (await read()).join() === written.join());
    expect(side.status().figures.drift.row).toBeGreaterThan(0);
    side.compareAll('test');
    await side.settled();
    expect(side.plan().rows).toEqual([]);
    await restart();
    state('wiring', 'bridge', BRIDGE);
    state('other', 'extra', extra({}));
    await applied('other', 'extra');
    expect((await read()).slice(0, 4)).toEqual(['[]', '[]', '[]', '[]']);
  });
});

describe('groups and meters on Open vSwitch', () => {
  const group: DesiredRecords = {
    groups: [
      {
        bridge: 'br-int',
        group: 7,
        kind: 'all',
        buckets: [{ actions: [{ type: 'output', port: { port: 'tap1' } }] }],
      },
    ],
  };
  const meter: DesiredRecords = {
    meters: [{ bridge: 'br-int', meter: 3, unit: 'kbps', bands: [{ kind: 'drop', rate: 100 }] }],
  };
  const ofctl = (...words: readonly [string, ...string[]]) => {
    const [command, ...rest] = words;
    return ovs.ofctl('-O', 'OpenFlow14', command, `${ovs.runDir}/br-int.mgmt`, ...rest);
  };
  const refusals = () => logger.lines.filter((line) => line.startsWith('error'));
  const plug = () => ovs.vsctl('add-port', 'br-int', 'tap1', '--', 'set', 'Interface', 'tap1', 'type=internal');
  const wire = async (): Promise<void> => {
    await wireBridge();
    state('wiring', 'group', group);
    state('wiring', 'meter', meter);
    state('wiring', 'to-group', { flows: [flow('table=60,priority=5 actions=group:7')] });
    state('wiring', 'to-meter', { flows: [flow('table=60,priority=6,ip actions=meter:3,NORMAL')] });
  };

  it('a flow waits for the group that waits for a port', async () => {
    await wire();
    expect(await side.store.progress('wiring', 'to-group')).toEqual({
      state: 'pending',
      waitingFor: ['group 7 on br-int, which waits for port tap1 on br-int'],
    });
    await plug();
    await applied('wiring', 'to-group');
    expect(await ofctl('dump-groups')).toContain('group_id=7');
    await ovs.vsctl('del-port', 'br-int', 'tap1');
    await until('group gone', async () => !(await ofctl('dump-groups')).includes('group_id=7'));
    await until('flow gone', async () => !(await dump()).join().includes('group:7'));
    expect(refusals()).toEqual([]);
  });

  it('what somebody deletes comes back at once', async () => {
    await plugged();
    await ofctl('del-groups');
    await until('group back', async () => (await ofctl('dump-groups')).includes('group_id=7'));
    await until('flow back', async () => (await dump()).join().includes('group:7'));
    await ofctl('del-meters');
    await until('meter back', async () => (await ofctl('dump-meters')).includes('meter=3'));
    await until('its flow back', async () => (await dump()).join().includes('meter:3'));
    expect(refusals()).toEqual([]);
  });

  const plugged = async (): Promise<void> => {
    await wire();
    await plug();
    for (const key of ['group', 'meter', 'to-group', 'to-meter']) await applied('wiring', key);
  };
});
