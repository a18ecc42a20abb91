import type { QosRecord } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
  rig.plug('tap1');
  await rig.quiet();
});

afterEach(() => rig.stop());

type Queues = QosRecord['queues'];

const queue = (name: string, rate: string): Queues[number] => ({ name, otherConfig: { 'max-rate': rate } });
const qos = (queues: Queues, extra: Partial<QosRecord> = {}) => ({
  qos: [{ port: 'tap1', type: 'linux-htb', otherConfig: {}, queues, ...extra }],
});
const progress = (plugin: string, key = 'qos') => rig.side.store.progress(plugin, key);
const conflicts = () => rig.side.status().conflicts.map(({ reason }) => reason);

/** The port's queues by number, with their rates and who wanted them. */
const onPort = (): Readonly<Record<string, string>> => {
  const uuid = rig.row('Port', 'tap1')?.qos;
  const row = rig.server.rows('QoS').find(({ _uuid }) => JSON.stringify(uuid).includes(String(_uuid)));
  const queues = [...((row?.queues ?? new Map()) as ReadonlyMap<number, unknown>)];
  return Object.fromEntries(
    queues.map(([number, reference]) => {
      const found = rig.server.rows('Queue').find(({ _uuid }) => JSON.stringify(reference).includes(String(_uuid)));
      const config = found?.other_config as ReadonlyMap<string, string>;
      const marks = found?.external_ids as ReadonlyMap<string, string>;
      return [number, `${config.get('max-rate')} ${marks.get('patchbay-owner')}`];
    }),
  );
};

describe('two keys that state a QoS row for one port', () => {
  it.each<[string, Queues, Partial<QosRecord>, string]>([
    ['one queue', { 0: queue('a', '2') }, {}, 'queue 0'],
    ['the type', { 1: queue('b', '2') }, { type: 'linux-hfsc' }, 'type'],
    ['other_config', { 1: queue('b', '2') }, { otherConfig: { 'max-rate': '9' } }, 'other_config'],
  ])('otherwise in %s: the first in the plugins’ order has it, and the other is told', async (_what, queues, extra, place) => {
    rig.state('other', 'qos', qos(queues, extra));
    rig.state('wiring', 'qos', qos({ 0: queue('a', '1') }));
    await rig.quiet();
    const reason = `${place} of the QoS of tap1 is stated differently by wiring qos, which comes first`;
    expect(await progress('wiring')).toEqual({ state: 'applied' });
    expect(await progress('other')).toEqual({ state: 'quarantined', reason });
    expect(conflicts()).toEqual([reason]);
    expect(onPort()).toEqual({ 0: '1 wiring' });
  });

  it('are decided the same whoever comes first in time, and who loses later is told', async () => {
    rig.state('other', 'qos', qos({ 0: queue('a', '2') }));
    await rig.quiet();
    expect(await progress('other')).toEqual({ state: 'applied' });
    rig.state('wiring', 'qos', qos({ 0: queue('a', '1') }));
    await rig.quiet();
    expect(await progress('other')).toMatchObject({ state: 'quarantined' });
    expect(onPort()).toEqual({ 0: '1 wiring' });
    rig.state('wiring', 'qos', null);
    await rig.quiet();
    expect(await progress('other')).toEqual({ state: 'applied' });
    expect(conflicts()).toEqual([]);
    expect(onPort()).toEqual({ 0: '2 other' });
  });

  it('are one row where their queues are of other numbers, each marked with who wants it', async () => {
    rig.state('wiring', 'qos', qos({ 0: queue('a', '1') }));
    rig.state('other', 'qos', qos({ 1: queue('a', '2') }));
    await rig.quiet();
    expect(await progress('wiring')).toEqual({ state: 'applied' });
    expect(await progress('other')).toEqual({ state: 'applied' });
    expect(onPort()).toEqual({ 0: '1 wiring', 1: '2 other' });
    rig.state('wiring', 'qos', null);
    await rig.quiet();
    expect(onPort()).toEqual({ 1: '2 other' });
    rig.state('other', 'qos', null);
    await rig.quiet();
    expect(rig.server.rows('QoS')).toEqual([]);
    expect(rig.server.rows('Queue')).toEqual([]);
  });

  it('share it where they want the same', async () => {
    rig.state('wiring', 'qos', qos({ 0: queue('a', '1') }));
    rig.state('other', 'qos', qos({ 0: queue('a', '1') }));
    await rig.quiet();
    expect(await progress('other')).toEqual({ state: 'applied' });
    expect(onPort()).toEqual({ 0: '1 wiring' });
  });

  it('plan nothing once they are one row', async () => {
    rig.state('wiring', 'qos', qos({ 0: queue('a', '1') }));
    rig.state('other', 'qos', qos({ 1: queue('a', '2') }));
    await rig.quiet();
    rig.side.compareAll('test');
    await rig.quiet();
    expect(rig.side.plan().rows).toEqual([]);
    expect(rig.side.status().figures.drift.row).toBe(0);
  });
});

describe('a key that loses a column of a row to one that came later', () => {
  it('is told, and that it has it again once the other goes', async () => {
    const port = (value: string) => ({
      ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra', otherConfig: { a: value } }] as const,
    });
    rig.state('other', 'port', port('2'));
    await rig.quiet();
    rig.state('wiring', 'port', port('1'));
    await rig.quiet();
    expect(await progress('other', 'port')).toMatchObject({ state: 'quarantined' });
    rig.state('wiring', 'port', null);
    await rig.quiet();
    expect(await progress('other', 'port')).toEqual({ state: 'applied' });
  });
});
