import { LEARNED_COOKIE, parseFlow } from '@patchbay/sdk';
import { parseMaskedCookie } from '../../../core/kernel/config/reservations';
import { cookieOf } from '../../../core/switch/cookies';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

const install = async (bridge: string, text: string, cookie: bigint): Promise<void> =>
  rig
    .bridge(bridge)
    .connect()
    .send([{ kind: 'flow', command: 'add', flow: parseFlow(bridge, text), cookie }]);

const start = async (reserved: readonly string[] = []): Promise<void> => {
  rig = await SwitchRig.start(['br-int', 'br-ex'], {
    reservedCookies: reserved.flatMap((text) => parseMaskedCookie(text) ?? []),
  });
};

const reread = async (): Promise<void> => {
  rig.side.compareAll('test');
  await rig.quiet();
};

afterEach(() => rig.stop());

describe('a flow that nobody wants', () => {
  it('stays while its plugin is not complete, and goes when it is', async () => {
    await start();
    await install('br-int', 'table=60,priority=3 actions=drop', cookieOf('wiring'));
    await reread();
    expect(rig.flows('br-int')).toHaveLength(1);
    rig.side.store.complete('wiring');
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('of a foreign cookie goes from a claimed table once all plugins are complete', async () => {
    await start();
    await install('br-int', 'table=60,priority=3 actions=drop', 0x1234n);
    await install('br-int', 'table=99,priority=3 actions=drop', 0x1234n);
    await reread();
    rig.side.store.complete('wiring');
    await rig.quiet();
    expect(rig.flows('br-int')).toHaveLength(2);
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual(['table=99,priority=3 actions=drop']);
  });

  it('stays where the switch learned it or an operator reserved its cookie', async () => {
    await start(['0x99']);
    await install('br-int', 'table=60,priority=3 actions=drop', LEARNED_COOKIE);
    await install('br-int', 'table=60,priority=4 actions=drop', 0x99n);
    rig.completeAll();
    await reread();
    expect(rig.flows('br-int')).toHaveLength(2);
  });

  it('stays where its cookie is within a reserved mask, and goes where it is just beside', async () => {
    await start(['0x5a00000000000000/0xff00000000000000']);
    await install('br-int', 'table=60,priority=3 actions=drop', 0x5a12_3456_789a_bcden);
    await install('br-int', 'table=60,priority=4 actions=drop', 0x5b12_3456_789a_bcden);
    rig.completeAll();
    await reread();
    expect(rig.flows('br-int')).toEqual(['table=60,priority=3 actions=drop']);
  });

  it('of an unlisted plugin of ours goes once all are complete', async () => {
    await start();
    await install('br-int', 'table=99,priority=3 actions=drop', cookieOf('retired-plugin'));
    await reread();
    expect(rig.flows('br-int')).toHaveLength(1);
    rig.completeAll();
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('on a bridge that is not the agent’s stays', async () => {
    await start();
    await install('br-ex', 'table=0,priority=3 actions=drop', 0x1234n);
    rig.state('other', 'normal', { flows: [parseFlow('br-ex', 'table=0,priority=0 actions=NORMAL')] });
    rig.completeAll();
    await reread();
    expect(rig.flows('br-ex')).toHaveLength(2);
  });
});

it('a port of an earlier run that no key wants goes once its plugin is complete', async () => {
  await start();
  await rig.stated('wiring', 'port', { ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra' }] });
  await rig.quiet();
  await rig.restart();
  expect(rig.row('Port', 'extra')).toBeDefined();
  rig.side.store.complete('wiring');
  await rig.quiet();
  expect(rig.row('Port', 'extra')).toBeUndefined();
});

describe('two keys that want the same match', () => {
  it('with different actions: the first plugin wins and the other is told', async () => {
    await start();
    rig.apply([
      { plugin: 'other', key: 'b', records: { flows: [parseFlow('br-int', 'table=60,priority=3 actions=drop')] } },
      { plugin: 'wiring', key: 'a', records: { flows: [parseFlow('br-int', 'table=60,priority=3 actions=NORMAL')] } },
    ]);
    expect(await rig.side.store.progress('other', 'b')).toEqual({
      state: 'quarantined',
      reason: expect.stringContaining('stated differently by wiring a'),
    });
    expect(rig.flows('br-int')).toEqual(['table=60,priority=3 actions=NORMAL']);
    expect(rig.side.status().conflicts).toHaveLength(1);
    await rig.stated('wiring', 'a', null);
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual(['table=60,priority=3 actions=drop']);
  });
});

describe('another agent on the switch', () => {
  it('stops all writing while it is connected, and ours goes on when it has left', async () => {
    rig = await SwitchRig.start([]);
    rig.addBridge('br-int', ['tcp:127.0.0.1:6633']);
    const connected = (is: boolean) =>
      rig.transact([{ op: 'update', table: 'Controller', where: [], row: { is_connected: is } }]);
    connected(true);
    await rig.quiet();
    const stated = await rig.stated('wiring', 'a', {
      flows: [parseFlow('br-int', 'table=60,priority=3 actions=drop')],
    });
    expect(stated).toEqual({ state: 'pending', waitingFor: [expect.stringContaining('another agent is connected')] });
    expect(rig.flows('br-int')).toEqual([]);
    connected(false);
    await rig.quiet();
    expect(rig.flows('br-int')).toHaveLength(1);
  });
});
