import { parseFlow } from '@patchbay/sdk';
import { cookieOf } from '../../../core/switch/cookies';
import { addPort } from '../../../core/switch/ovsdb/fake';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

afterEach(() => rig.stop());

const REFERENCE = 0x77n;
const install = async (bridge: string, text: string, cookie: bigint): Promise<void> =>
  rig
    .bridge(bridge)
    .connect()
    .send([{ kind: 'flow', command: 'add', flow: parseFlow(bridge, text), cookie }]);

const patch = (bridge: string, name: string, peer: string) =>
  addPort(rig.server.database, bridge, name, { type: 'patch', options: ['map', [['peer', peer]]] });
const interfaceRow = (name: string) => rig.row('Interface', name);
const marks = (bridge: string) => rig.row('Bridge', bridge)?.external_ids as ReadonlyMap<string, string>;

/** A provider bridge as the reference agent leaves it, with an operator's flow beside. */
const referenceWasHere = async (): Promise<number> => {
  rig = await SwitchRig.start([]);
  for (const bridge of ['br-int', 'br-ex']) rig.addBridge(bridge, ['tcp:127.0.0.1:6633']);
  patch('br-int', 'int-br-ex', 'phy-br-ex');
  patch('br-ex', 'phy-br-ex', 'int-br-ex');
  await rig.quiet();
  const number = Number(interfaceRow('phy-br-ex')?.ofport);
  await install('br-ex', `table=0,priority=2,in_port=${number} actions=drop`, REFERENCE);
  await install('br-ex', `table=0,priority=4,in_port=${number},dl_vlan=3 actions=strip_vlan,NORMAL`, REFERENCE);
  await install('br-ex', 'table=0,priority=9,dl_vlan=7 actions=drop', 0n);
  return number;
};
const takeOver = (number: number) =>
  rig.apply([
    {
      plugin: 'other',
      key: 'bridge/br-ex',
      records: {
        flows: [parseFlow('br-ex', `table=0,priority=2,in_port=${number} actions=drop`)],
        bridges: [{ name: 'br-ex', presence: 'expect' }],
      },
    },
    { plugin: 'wiring', key: 'bridge', records: { bridges: [{ name: 'br-int', presence: 'create' }] } },
  ]);

describe('taking a provider bridge over', () => {
  it('goes on after a restart in its midst, when the flow that told is overwritten', async () => {
    const number = await referenceWasHere();
    takeOver(number);
    await rig.quiet();
    expect(rig.flows('br-ex')).toHaveLength(3);
    expect(marks('br-ex').get('patchbay-reference-cookies')).toBe('0x77');
    await rig.restart();
    takeOver(number);
    await rig.quiet();
    expect(rig.side.status().takingOver).toEqual(['br-ex']);
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-ex')).toEqual([
      `table=0,priority=2,in_port=${number} actions=drop`,
      'table=0,priority=9,dl_vlan=7 actions=drop',
    ]);
  });

  it('records it before any flow is written, and forgets it when the last flow is gone', async () => {
    const number = await referenceWasHere();
    takeOver(number);
    await rig.quiet();
    rig.completeAll();
    await rig.quiet();
    expect(marks('br-ex').has('patchbay-reference-cookies')).toBe(false);
    expect(rig.side.status().takingOver).toEqual([]);
  });
});

describe('giving the switch back', () => {
  const targetsOf = (bridge: string): readonly unknown[] => {
    const uuids = JSON.stringify(rig.row('Bridge', bridge)?.controller);
    const rows = rig.server.rows('Controller').filter(({ _uuid }) => uuids.includes(String(_uuid)));
    return rows.map(({ target }) => target).sort();
  };
  const wire = async (): Promise<void> => {
    rig = await SwitchRig.start([]);
    rig.state('wiring', 'bridge', {
      bridges: [{ name: 'br-int', presence: 'create' }],
      flows: [
        'table=0,priority=1,in_port=5 actions=goto_table:58',
        'table=58,priority=0 actions=goto_table:59',
        'table=99,priority=1 actions=drop',
        'table=60,priority=1 actions=goto_table:94',
        'table=94,priority=1 actions=NORMAL',
      ].map((text) => parseFlow('br-int', text)),
    });
    rig.state('wiring', 'port', { ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra' }] });
    await rig.quiet();
    rig.completeAll();
    await rig.quiet();
  };

  it('withdraws what nothing leads to in tables that are never swept, led past where it only leads on', async () => {
    await wire();
    await rig.side.release();
    expect(rig.flows('br-int')).toEqual([
      'table=0,priority=1,in_port=5 actions=goto_table:59',
      'table=60,priority=1 actions=goto_table:94',
      'table=94,priority=1 actions=NORMAL',
    ]);
  });

  it('leads past within a clone too, and keeps what a clone leads to', async () => {
    rig = await SwitchRig.start(['br-int']);
    rig.state('wiring', 'cloned', {
      flows: [
        'table=0,priority=1,in_port=5 actions=clone(resubmit(,58)),clone(resubmit(,99))',
        'table=58,priority=0 actions=goto_table:59',
        'table=99,priority=1 actions=drop',
      ].map((text) => parseFlow('br-int', text)),
    });
    await rig.quiet();
    await rig.side.release();
    expect(rig.flows('br-int')).toEqual([
      'table=0,priority=1,in_port=5 actions=clone(resubmit(,59)),clone(resubmit(,99))',
      'table=99,priority=1 actions=drop',
    ]);
  });

  it('is planned beforehand, and the plan changes nothing', async () => {
    await wire();
    const before = rig.flows('br-int');
    const { rows, flows } = rig.side.planRelease();
    expect(rows[0]).toBe('set-controller br-int tcp:127.0.0.1:6633');
    expect(rows[1]).toBe('set Bridge br-int external_ids:patchbay-owner=[]');
    expect(rows[2]).toMatch(/^set Bridge br-int external_ids:patchbay-released=/);
    const cookie = /cookie=0x50617463\w+,/;
    expect(flows['br-int']?.map((line) => line.replace(cookie, ''))).toEqual([
      '~ table=0,priority=1,in_port=5 actions=goto_table:58',
      '+ table=0,priority=1,in_port=5 actions=goto_table:59',
      '- table=58,priority=0 actions=goto_table:59',
      '- table=99,priority=1 actions=drop',
    ]);
    expect(rig.flows('br-int')).toEqual(before);
    expect(rig.side.status().writing).toBe('yes');
  });

  it('swaps the controller, takes its marks off, and says since when', async () => {
    await wire();
    await rig.side.release();
    expect(rig.server.rows('Controller').map((row) => row.target)).toEqual(['tcp:127.0.0.1:6633']);
    expect((rig.row('Port', 'extra')?.external_ids as ReadonlyMap<string, string>).size).toBe(0);
    expect(marks('br-int').get('patchbay-released')).toMatch(/^\d{4}-/);
  });

  it('puts the controllers back that were there when the switch was taken over', async () => {
    const elsewhere = ['tcp:192.0.2.1:6699', 'tcp:192.0.2.2:6699'];
    rig = await SwitchRig.start([], { replacedControllers: elsewhere });
    rig.addBridge('br-int', [...elsewhere, 'tcp:192.0.2.9:6653']);
    rig.state('wiring', 'bridge', { bridges: [{ name: 'br-int', presence: 'create' }] });
    rig.state('wiring', 'bridge/br-new', { bridges: [{ name: 'br-new', presence: 'create' }] });
    await rig.quiet();
    expect(targetsOf('br-int')).toEqual(['tcp:192.0.2.9:6653', 'unix:patchbay-none']);
    await rig.restart();
    await rig.side.release();
    expect(targetsOf('br-int')).toEqual([...elsewhere, 'tcp:192.0.2.9:6653'].sort());
    expect(targetsOf('br-new')).toEqual(elsewhere);
    expect(marks('br-int').has('patchbay-former-controllers')).toBe(false);
  });

  it('writes nothing from then on, and is undone by the next start', async () => {
    await wire();
    await rig.side.release();
    expect(rig.side.status().writing).toEqual({ held: expect.stringContaining('given back') });
    await rig.restart();
    rig.state('wiring', 'bridge', { bridges: [{ name: 'br-int', presence: 'create' }] });
    await rig.quiet();
    expect(marks('br-int').has('patchbay-released')).toBe(false);
    expect(rig.server.rows('Controller').map((row) => row.target)).toEqual(['unix:patchbay-none']);
    expect(cookieOf('wiring')).toBe(rig.bridge('br-int').table.all()[0]?.cookie);
  });
});
