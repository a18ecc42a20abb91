import { parseFlow } from '@patchbay/sdk';
import type { ReservedFlows } from '../../../core/kernel/config/reservations';
import { cookieOf } from '../../../core/switch/cookies';
import { addPort } from '../../../core/switch/ovsdb/fake';
import { SETTINGS, SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

afterEach(() => rig.stop());

/** Of a daemon that draws its cookie at each start. */
const RANDOM = 0xbadc0ffeen;
const REFERENCE = 0x77n;
const PLACES: readonly ReservedFlows[] = [
  { bridge: 'tunnel', tables: [4, 20] },
  { bridge: 'br-int', tables: [60], priorities: [10, 20] },
  { bridge: 'provider', tables: [0], priorities: [7, 7] },
];

const start = async (drift: 'repair' | 'report' = 'repair'): Promise<void> => {
  rig = await SwitchRig.start(['br-int', 'br-tun'], { reservedFlows: PLACES, settings: { ...SETTINGS, drift } });
};
const install = async (bridge: string, text: string, cookie: bigint): Promise<void> => {
  await rig
    .bridge(bridge)
    .connect()
    .send([{ kind: 'flow', command: 'add', flow: parseFlow(bridge, text), cookie }]);
  await rig.quiet();
};
const reread = async (): Promise<void> => {
  rig.side.compareAll('test');
  await rig.quiet();
};
const drift = () => rig.side.status().figures.drift;
const conflicts = () => rig.side.status().conflicts.map(({ reason }) => reason);
const log = () => rig.logger.lines.join('\n');
const wanted = (text: string) => ({ flows: [parseFlow('br-tun', text)] });

describe('in a reserved place', () => {
  it('a stranger’s flow is no drift and is not swept, by role and by name, and one beside it is', async () => {
    await start();
    await install('br-tun', 'table=20,priority=9 actions=drop', RANDOM);
    await install('br-int', 'table=60,priority=10 actions=drop', RANDOM);
    await install('br-int', 'table=60,priority=21 actions=drop', RANDOM);
    rig.completeAll();
    await reread();
    await install('br-tun', 'table=4,priority=2 actions=drop', RANDOM + 1n);
    await install('br-tun', 'table=5,priority=2 actions=drop', RANDOM + 1n);
    expect(rig.flows('br-tun')).toEqual(['table=20,priority=9 actions=drop', 'table=4,priority=2 actions=drop']);
    expect(rig.flows('br-int')).toEqual(['table=60,priority=10 actions=drop']);
    expect(drift()).toMatchObject({ added: 1, changed: 0, removed: 0 });
  });

  it('what is ours and nobody wants goes all the same', async () => {
    await start();
    await install('br-tun', 'table=20,priority=9 actions=drop', cookieOf('other'));
    await install('br-tun', 'table=20,priority=8 actions=drop', cookieOf('retired-plugin'));
    rig.completeAll();
    await reread();
    expect(rig.flows('br-tun')).toEqual([]);
  });

  it('a flow of ours that a stranger removes is written again', async () => {
    await start();
    await rig.stated('other', 'a', wanted('table=20,priority=1 actions=drop'));
    await rig
      .bridge('br-tun')
      .connect()
      .send([{ kind: 'flow', command: 'delete', filter: { table: 20 } }]);
    await rig.quiet();
    expect(rig.flows('br-tun')).toEqual(['table=20,priority=1 actions=drop']);
  });
});

describe('a plugin that wants a flow in the very place of a reserved one', () => {
  const THEIRS = 'table=20,priority=9 actions=drop';
  const OURS = 'table=20,priority=9 actions=NORMAL';

  it('has it; log and conflicts name the flow, the key and the cookie that lost, once, until it is wanted no more', async () => {
    await start();
    await install('br-tun', THEIRS, RANDOM);
    expect(await rig.stated('other', 'network/1', wanted(OURS))).toEqual({ state: 'applied' });
    await rig.quiet();
    expect(rig.flows('br-tun')).toEqual([OURS]);
    const reason =
      'flow br-tun table=20,priority=9 is wanted by other network/1, and takes the place of a reserved flow: foreign cookie 0xbadc0ffee in what other claims';
    expect(conflicts()).toEqual([reason]);
    await install('br-tun', THEIRS, RANDOM);
    expect(rig.flows('br-tun')).toEqual([OURS]);
    expect(drift()).toMatchObject({ changed: 1 });
    expect(log().split('takes the place of one that is reserved')).toHaveLength(2);
    await rig.stated('other', 'network/1', null);
    await rig.quiet();
    expect(conflicts()).toEqual([]);
  });

  it('is told likewise where the cookie is reserved', async () => {
    rig = await SwitchRig.start(['br-tun'], { reservedCookies: [{ value: RANDOM, mask: 0xffff_ffff_ffff_ffffn }] });
    await install('br-tun', THEIRS, RANDOM);
    await rig.stated('other', 'network/1', wanted(OURS));
    expect(conflicts()).toEqual([expect.stringContaining('reserved cookie 0xbadc0ffee')]);
  });

  it('leaves it to the stranger who changes it later, where drift is only reported', async () => {
    await start('report');
    await rig.stated('other', 'network/1', wanted(OURS));
    await install('br-tun', THEIRS, RANDOM);
    expect(rig.flows('br-tun')).toEqual([THEIRS]);
    expect(drift()).toMatchObject({ changed: 1 });
  });
});

describe('taking the switch over with reserved places', () => {
  const marks = (bridge: string) => rig.row('Bridge', bridge)?.external_ids as ReadonlyMap<string, string>;
  const takeOver = () =>
    rig.apply([
      { plugin: 'other', key: 'bridge', records: wanted('table=0,priority=0 actions=drop') },
      {
        plugin: 'wiring',
        key: 'bridge',
        records: { flows: [parseFlow('br-int', 'table=60,priority=0 actions=drop')] },
      },
    ]);
  const found = async (): Promise<void> => {
    rig = await SwitchRig.start([], { reservedFlows: PLACES });
    for (const bridge of ['br-int', 'br-tun']) rig.addBridge(bridge, ['tcp:127.0.0.1:6633']);
    await install('br-tun', 'table=0,priority=0 actions=drop', REFERENCE);
    await install('br-tun', 'table=20,priority=9 actions=drop', RANDOM);
    await install('br-tun', 'table=20,priority=2 actions=drop', REFERENCE);
    await install('br-tun', 'table=9,priority=2 actions=drop', RANDOM);
    await install('br-int', 'table=23,priority=0 actions=drop', REFERENCE);
    await install('br-int', 'table=60,priority=11 actions=drop', RANDOM);
    await install('br-int', 'table=60,priority=12 actions=drop', REFERENCE);
  };

  it('leaves the stranger’s flows, and sweeps what the reference agent itself left there, also after a restart in between', async () => {
    await found();
    await reread();
    takeOver();
    await rig.quiet();
    expect(marks('br-tun').get('patchbay-reference-cookies')).toBe('0x77');
    await rig.restart();
    takeOver();
    await rig.quiet();
    expect(rig.side.status().takingOver).toEqual(['br-int', 'br-tun']);
    expect(rig.flows('br-tun')).toHaveLength(4);
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-tun')).toEqual(['table=0,priority=0 actions=drop', 'table=20,priority=9 actions=drop']);
    expect(rig.flows('br-int')).toEqual([
      'table=23,priority=0 actions=drop',
      'table=60,priority=0 actions=drop',
      'table=60,priority=11 actions=drop',
    ]);
  });

  it('is complete when the last of what the reference agent left there is gone', async () => {
    await found();
    await reread();
    takeOver();
    rig.completeAll();
    await rig.quiet();
    rig.side.compareAll('test');
    await rig.quiet();
    expect(marks('br-tun').has('patchbay-reference-cookies')).toBe(false);
    expect(rig.side.status().takingOver).toEqual([]);
  });

  it('on a provider bridge leaves the stranger’s, and sweeps the reference agent’s', async () => {
    rig = await SwitchRig.start([], { reservedFlows: PLACES });
    for (const bridge of ['br-int', 'br-ex']) rig.addBridge(bridge, ['tcp:127.0.0.1:6633']);
    for (const [bridge, name, peer] of [
      ['br-int', 'int-br-ex', 'phy-br-ex'],
      ['br-ex', 'phy-br-ex', 'int-br-ex'],
    ] as const)
      addPort(rig.server.database, bridge, name, { type: 'patch', options: ['map', [['peer', peer]]] });
    await rig.quiet();
    const number = Number(rig.row('Interface', 'phy-br-ex')?.ofport);
    const telltale = `table=0,priority=2,in_port=${number} actions=drop`;
    await install('br-ex', telltale, REFERENCE);
    await install('br-ex', 'table=0,priority=7,dl_vlan=1 actions=drop', REFERENCE);
    await install('br-ex', 'table=0,priority=7,dl_vlan=2 actions=drop', RANDOM);
    rig.state('other', 'bridge/br-ex', { flows: [parseFlow('br-ex', telltale)] });
    await rig.quiet();
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-ex')).toEqual([telltale, 'table=0,priority=7,dl_vlan=2 actions=drop']);
  });
});
