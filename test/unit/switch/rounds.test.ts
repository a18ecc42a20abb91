import { DEAD_VLAN, type DesiredRecords, parseFlow } from '@patchbay/sdk';
import { cookieOf } from '../../../core/switch/cookies';
import { SwitchRig } from '../../support/switch/rig';

const flow = (text: string, bridge = 'br-int') => parseFlow(bridge, text);

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

const gate = (tag: number): DesiredRecords => ({
  gates: [
    {
      bridge: 'br-int',
      port: 'tap1',
      subject: 'p1',
      tag,
      admission: [{ ...flow('table=0,priority=5 actions=goto_table:60'), match: { in_port: { port: 'tap1' } } }],
    },
  ],
});

/** The required plugin wants nothing of the port. */
const unguarded = () => rig.state('guard', 'port/p1', {});

describe('a round', () => {
  it('writes a flow under its plugin’s cookie and acknowledges the key', async () => {
    const progress = await rig.stated('wiring', 'base', { flows: [flow('table=60,priority=0 actions=NORMAL')] });
    expect(progress).toEqual({ state: 'applied' });
    expect(rig.flows('br-int')).toEqual(['table=60,priority=0 actions=NORMAL']);
    expect(rig.bridge('br-int').table.all()[0]?.cookie).toBe(cookieOf('wiring'));
  });

  it('sends nothing for what is there already', async () => {
    await rig.stated('wiring', 'base', { flows: [flow('table=60,priority=0 actions=NORMAL')] });
    const before = rig.bridge('br-int').applied.length;
    await rig.stated('wiring', 'base', { flows: [flow('table=60,priority=0 actions=NORMAL')] });
    expect(rig.bridge('br-int').applied.length).toBe(before);
  });

  it('removes what a key withdraws, before its plugin is complete', async () => {
    await rig.stated('wiring', 'base', { flows: [flow('table=60,priority=0 actions=NORMAL')] });
    expect(await rig.stated('wiring', 'base', null)).toEqual({ state: 'unset' });
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('holds a flow back until its port is there, and says what it waits for', async () => {
    const named = { ...flow('table=0,priority=2 actions=drop'), match: { in_port: { port: 'tap1' } } };
    expect(await rig.stated('wiring', 'drop', { flows: [named] })).toEqual({
      state: 'pending',
      waitingFor: ['port tap1 on br-int'],
    });
    rig.plug('tap1');
    await rig.quiet();
    expect(rig.flows('br-int')).toHaveLength(1);
    expect(await rig.side.store.progress('wiring', 'drop')).toEqual({ state: 'applied' });
  });

  it('waits for a port that goes while it is wired, and blames nobody', async () => {
    rig.plug('tap1');
    await rig.quiet();
    const bridge = rig.bridge('br-int');
    const apply = bridge.apply.bind(bridge);
    bridge.apply = (message, resolve) => {
      rig.unplug('tap1');
      return apply(message, resolve);
    };
    unguarded();
    rig.state('wiring', 'port/p1', gate(7));
    await rig.quiet();
    expect(await rig.side.store.progress('wiring', 'port/p1')).toEqual({
      state: 'pending',
      waitingFor: ['port tap1 on br-int'],
    });
    expect(rig.logger.lines.filter((line) => line.includes('refused'))).toEqual([]);
  });

  it('writes an output set with the ports that are there', async () => {
    rig.plug('tap1');
    await rig.quiet();
    const flood = {
      ...flow('table=60,priority=1 actions=drop'),
      actions: [{ type: 'output_set', ports: ['tap1', 'tap2'] }] as const,
    };
    expect((await rig.stated('wiring', 'flood', { flows: [flood] })).state).toBe('pending');
    expect(rig.flows('br-int')).toEqual([expect.stringMatching(/actions=output:\d+$/)]);
    rig.plug('tap2');
    await rig.quiet();
    expect(rig.flows('br-int')).toEqual([expect.stringMatching(/actions=output:\d+,output:\d+$/)]);
  });

  it('makes a bridge with its controller in the same transaction', async () => {
    await rig.stated('wiring', 'bridge', { bridges: [{ name: 'br-tun', presence: 'create', failMode: 'secure' }] });
    await rig.quiet();
    expect(rig.row('Bridge', 'br-tun')?.controller).toHaveLength(1);
    expect(rig.server.rows('Controller').map((row) => row.target)).toEqual(['unix:patchbay-none']);
  });

  it('connects a patch port only after its flows', async () => {
    rig.addBridge('br-ex');
    const patch = (bridge: string, name: string, peer: string) => ({ kind: 'patch', bridge, name, peer }) as const;
    const drop = { ...flow('table=0,priority=2 actions=drop', 'br-ex'), match: { in_port: { port: 'phy-br-ex' } } };
    const peersWhenDropped: unknown[] = [];
    rig.bridge('br-ex').refuse(() => {
      peersWhenDropped.push(
        new Map(rig.row('Interface', 'phy-br-ex')?.options as ReadonlyMap<string, string>).get('peer'),
      );
      return undefined;
    });
    rig.state('wiring', 'physnet', {
      ports: [patch('br-int', 'int-br-ex', 'phy-br-ex'), patch('br-ex', 'phy-br-ex', 'int-br-ex')],
      flows: [drop],
    });
    await rig.quiet();
    await rig.quiet();
    expect(peersWhenDropped).toEqual(['nonexistent-peer']);
    expect(new Map(rig.row('Interface', 'phy-br-ex')?.options as ReadonlyMap<string, string>).get('peer')).toBe(
      'int-br-ex',
    );
    expect((await rig.side.store.progress('wiring', 'physnet')).state).toBe('applied');
  });

  it('takes the ports of a withdrawn key away', async () => {
    await rig.stated('wiring', 'port', { ports: [{ kind: 'internal', bridge: 'br-int', name: 'extra' }] });
    await rig.quiet();
    expect(rig.row('Port', 'extra')).toBeDefined();
    await rig.stated('wiring', 'port', null);
    await rig.quiet();
    expect(rig.row('Port', 'extra')).toBeUndefined();
  });
});

describe('a gate', () => {
  beforeEach(async () => {
    rig.plug('tap1');
    unguarded();
    await rig.quiet();
  });

  it('opens after its flows and is acknowledged when the switch acts on it', async () => {
    const tags: unknown[] = [];
    rig.bridge('br-int').refuse(() => {
      tags.push(rig.row('Port', 'tap1')?.tag);
      return undefined;
    });
    expect(await rig.stated('wiring', 'port/p1', gate(7))).toEqual({ state: 'applied' });
    expect(tags).toEqual([undefined]);
    expect(rig.row('Port', 'tap1')?.tag).toBe(7);
    expect(rig.flows('br-int')).toHaveLength(1);
  });

  it('stays shut while a required plugin’s key waits', async () => {
    const waiting = { ...flow('table=24,priority=2 actions=drop'), match: { in_port: { port: 'elsewhere' } } };
    rig.apply([
      { plugin: 'wiring', key: 'port/p1', records: gate(7) },
      { plugin: 'guard', key: 'port/p1', records: { flows: [waiting] } },
    ]);
    expect((await rig.side.store.progress('wiring', 'port/p1')).state).toBe('pending');
    expect(rig.row('Port', 'tap1')?.tag).toBe(DEAD_VLAN);
    expect(rig.flows('br-int')).toEqual([]);
    rig.state('guard', 'port/p1', { flows: [] });
    await rig.quiet();
    expect(rig.row('Port', 'tap1')?.tag).toBe(7);
    expect(rig.flows('br-int')).toHaveLength(1);
  });

  it('stays shut while a required plugin has said nothing of the port, and is shut where it takes its word back', async () => {
    rig.state('guard', 'port/p1', null);
    const progress = await rig.stated('wiring', 'port/p1', gate(7));
    expect(progress).toEqual({ state: 'pending', waitingFor: ['guard to state what it wants for the port'] });
    expect(rig.row('Port', 'tap1')?.tag).toBe(DEAD_VLAN);
    unguarded();
    await rig.quiet();
    expect(rig.row('Port', 'tap1')?.tag).toBe(7);
    rig.state('guard', 'port/p1', null);
    await rig.quiet();
    expect(rig.row('Port', 'tap1')?.tag).toBe(DEAD_VLAN);
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('that leads nowhere waits for nobody', async () => {
    rig.state('guard', 'port/p1', null);
    expect(await rig.stated('wiring', 'port/p1', gate(DEAD_VLAN))).toEqual({ state: 'applied' });
  });

  it('that leads into another VLAN now is shut while its flows change', async () => {
    await rig.stated('wiring', 'port/p1', gate(7));
    const tags: unknown[] = [];
    rig.bridge('br-int').refuse(() => {
      tags.push(rig.row('Port', 'tap1')?.tag);
      return undefined;
    });
    rig.apply([
      { plugin: 'guard', key: 'port/p1', records: { flows: [flow('table=24,priority=2 actions=drop')] } },
      { plugin: 'wiring', key: 'port/p1', records: gate(9) },
    ]);
    expect(await rig.side.store.progress('wiring', 'port/p1')).toEqual({ state: 'applied' });
    expect(tags).toEqual([DEAD_VLAN]);
    expect(rig.row('Port', 'tap1')?.tag).toBe(9);
  });

  it('shuts before its flows go', async () => {
    await rig.stated('wiring', 'port/p1', gate(7));
    const tags: unknown[] = [];
    rig.bridge('br-int').refuse(() => {
      tags.push(rig.row('Port', 'tap1')?.tag);
      return undefined;
    });
    await rig.stated('wiring', 'port/p1', {
      gates: [{ bridge: 'br-int', port: 'tap1', subject: 'p1', tag: DEAD_VLAN }],
    });
    expect(tags).toEqual([DEAD_VLAN]);
    expect(rig.flows('br-int')).toEqual([]);
  });

  it('stays shut when the switch could not make the port, and says why', async () => {
    rig.server.vswitchd.play({
      ofports: 'assign',
      config: 'apply',
      refusedInterfaces: new Map([['tap2', 'no such device']]),
    });
    rig.plug('tap2');
    await rig.quiet();
    const [first] = gate(7).gates ?? [];
    const records = {
      gates:
        first === undefined
          ? []
          : [
              {
                ...first,
                port: 'tap2',
                admission: [{ ...flow('table=0,priority=5 actions=drop'), match: { in_port: { port: 'tap2' } } }],
              },
            ],
    };
    const progress = await rig.stated('wiring', 'port/p2', records);
    expect(progress).toEqual({ state: 'pending', waitingFor: [expect.stringContaining('no such device')] });
    expect(rig.row('Port', 'tap2')?.tag).toBe(DEAD_VLAN);
  });

  it('shuts when the required key is refused by the switch', async () => {
    rig
      .bridge('br-int')
      .refuse((message) =>
        message.kind === 'flow' && message.command === 'add' && message.flow.table === 24
          ? 'OFPBAC_BAD_ARGUMENT'
          : undefined,
      );
    rig.apply([
      { plugin: 'wiring', key: 'port/p1', records: gate(7) },
      { plugin: 'guard', key: 'port/p1', records: { flows: [flow('table=24,priority=2 actions=drop')] } },
    ]);
    expect((await rig.side.store.progress('guard', 'port/p1')).state).toBe('quarantined');
    expect((await rig.side.store.progress('wiring', 'port/p1')).state).toBe('pending');
    expect(rig.row('Port', 'tap1')?.tag).toBe(DEAD_VLAN);
  });
});

describe('while ovs-vswitchd does not act on its configuration', () => {
  it('a port that is first seen and shut holds up nobody who only adds', async () => {
    rig.plug('tap1');
    await rig.quiet();
    rig.server.vswitchd.play({ ofports: 'assign', config: 'leave' });
    rig.state('wiring', 'port/p1', gate(DEAD_VLAN));
    expect(await rig.stated('other', 'late', { flows: [flow('table=60,priority=3 actions=drop')] })).toEqual({
      state: 'applied',
    });
    expect(rig.row('Port', 'tap1')?.tag).toBe(DEAD_VLAN);
  });

  it('flows of a port that is being shut stay until it is shut', async () => {
    rig.plug('tap1');
    unguarded();
    await rig.stated('wiring', 'port/p1', gate(7));
    await rig.quiet();
    rig.server.vswitchd.play({ ofports: 'assign', config: 'leave' });
    const shut = { bridge: 'br-int', port: 'tap1', subject: 'p1', tag: DEAD_VLAN };
    rig.state('wiring', 'port/p1', { gates: [shut] });
    while (rig.row('Port', 'tap1')?.tag !== DEAD_VLAN) await new Promise((resolve) => setTimeout(resolve, 1));
    const before = rig.flows('br-int').length;
    rig.server.vswitchd.play({ ofports: 'assign', config: 'apply' });
    await rig.quiet();
    expect(before - rig.flows('br-int').length).toBe(1);
  });
});
