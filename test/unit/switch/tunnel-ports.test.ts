import type { KeyProgress, PortRecord } from '@patchbay/sdk';
import { canonical } from '../../../core/switch/canonical';
import { addPort } from '../../../core/switch/ovsdb/fake';
import { Blueprint } from '../../../core/switch/planner/blueprint';
import type { InterfaceRow, PortRow, Rows } from '../../../core/switch/planner/rows';
import { SwitchRig } from '../../support/switch/rig';

type Options = Readonly<Record<string, string>>;

const tunnel = (name: string, options: Options, type = 'gre'): PortRecord => ({
  kind: 'tunnel',
  bridge: 'br-int',
  name,
  type,
  options: { remote_ip: '192.0.2.9', ...options },
});

describe('a tunnel that is on the switch under another name', () => {
  let rig: SwitchRig;

  beforeEach(async () => {
    rig = await SwitchRig.start(['br-int']);
  });

  afterEach(() => rig.stop());

  /** One that somebody else made. */
  const found = async (name: string, options: Options, type = 'gre'): Promise<void> => {
    const pairs = Object.entries({ remote_ip: '192.0.2.9', ...options });
    addPort(rig.server.database, 'br-int', name, { type, options: ['map', pairs] });
    await rig.quiet();
  };
  const progress = (key: string): Promise<KeyProgress> => rig.side.store.progress('wiring', key);
  const stated = async (key: string, ...ports: readonly PortRecord[]): Promise<KeyProgress> => {
    rig.state('wiring', key, { ports });
    await rig.quiet();
    return progress(key);
  };
  const ports = (): readonly string[] =>
    rig.server
      .rows('Port')
      .map(({ name }) => String(name))
      .filter((name) => name !== 'br-int')
      .sort();
  const optionsOf = (name: string) => Object.fromEntries(rig.row('Interface', name)?.options as Map<string, string>);

  it('is shared by the keys that want it, and other keys go on', async () => {
    expect(await stated('first', tunnel('one', {}))).toEqual({ state: 'applied' });
    expect(await stated('second', tunnel('two', {}))).toEqual({ state: 'applied' });
    expect(await stated('third', { kind: 'internal', bridge: 'br-int', name: 'three' })).toEqual({ state: 'applied' });
    expect(ports()).toEqual(['one', 'three']);
  });

  it('stays while one of those keys wants it, whichever goes', async () => {
    await stated('first', tunnel('one', {}));
    await stated('second', tunnel('two', {}));
    await rig.stated('wiring', 'first', null);
    await rig.quiet();
    expect(ports()).toEqual(['one']);
    await rig.stated('wiring', 'second', null);
    await rig.quiet();
    expect(ports()).toEqual([]);
  });

  it('is found by what every key calls it, also once another key that calls it so has gone', async () => {
    await found('theirs', {});
    await stated('first', tunnel('ours', {}));
    await stated('second', tunnel('ours', {}));
    await rig.stated('wiring', 'first', null);
    const match = { in_port: { port: 'ours' } };
    const flows = [{ bridge: 'br-int', table: 0, priority: 1, match, actions: [] }];
    expect(await rig.stated('wiring', 'flows', { flows })).toEqual({ state: 'applied' });
  });

  it('is not found by that name any more once no key gives it', async () => {
    await found('theirs', {});
    await stated('tunnel', tunnel('ours', {}));
    const flows = [{ bridge: 'br-int', table: 0, priority: 1, match: { in_port: { port: 'ours' } }, actions: [] }];
    await rig.stated('wiring', 'flows', { flows });
    await rig.stated('wiring', 'tunnel', null);
    await rig.quiet();
    expect(await progress('flows')).toEqual({
      state: 'pending',
      waitingFor: ['port ours on br-int'],
    });
  });

  it('is a named conflict where two keys want it otherwise', async () => {
    await stated('first', tunnel('one', { out_key: '1' }));
    expect(await stated('second', tunnel('two', { out_key: '2' }))).toEqual({
      state: 'quarantined',
      reason: 'Interface.options:out_key of one is stated differently by wiring first, which comes first',
    });
  });

  it.each<[string, string, Options, Options]>([
    ['the key', 'gre', { key: '1' }, { key: '2' }],
    ['the key of what comes in', 'gre', { in_key: '1', out_key: '3' }, { in_key: '2', out_key: '3' }],
    ['a key and none', 'gre', {}, { key: '2' }],
    ['a key and any', 'gre', { key: 'flow' }, { key: '2' }],
    ['the local address', 'gre', { local_ip: '192.0.2.1' }, { local_ip: '192.0.2.2' }],
    ['the remote address', 'gre', {}, { remote_ip: '192.0.2.8' }],
    ['the UDP port', 'vxlan', {}, { dst_port: '4790' }],
    ['the packets that it carries', 'gre', {}, { packet_type: 'legacy_l3' }],
  ])('is another than one that differs in %s', async (_what, type, one, two) => {
    await found('theirs', one, type);
    expect(await stated('tunnel', tunnel('ours', two, type))).toEqual({ state: 'applied' });
    expect(ports()).toEqual(['ours', 'theirs']);
  });

  it.each<[string, string, Options, Options]>([
    ['a number otherwise', 'gre', { key: '0x10' }, { key: '16' }],
    ['both keys as one', 'gre', { in_key: 'flow', out_key: 'flow' }, { key: 'flow' }],
    ['the default port', 'vxlan', {}, { dst_port: '4789' }],
    ['an address otherwise', 'ip6gre', { remote_ip: '2001:db8:0::9' }, { remote_ip: '2001:DB8::9' }],
    ['no key as key 0', 'gre', {}, { key: '0' }],
    ['what is no part of its place', 'gre', { df_default: 'false' }, { df_default: 'true' }],
  ])('is the same as one that says %s', async (_what, type, one, two) => {
    await found('theirs', one, type);
    expect(await stated('tunnel', tunnel('ours', two, type))).toEqual({ state: 'applied' });
    expect(ports()).toEqual(['theirs']);
    expect(optionsOf('theirs')).toMatchObject(two);
  });

  it('two of one key, with a key each, are two ports', async () => {
    expect(await stated('both', tunnel('in', { key: '1' }), tunnel('out', { key: '2' }))).toEqual({ state: 'applied' });
    expect(ports()).toEqual(['in', 'out']);
  });
});

/** A switch on which a tunnel is found under another name each time it is looked for. */
class RestlessRows implements Rows {
  private looks = 0;

  bridge(): undefined {
    return undefined;
  }

  port(): undefined {
    return undefined;
  }

  bridges(): never[] {
    return [];
  }

  ports(): PortRow[] {
    this.looks += 1;
    const maps = { otherConfig: {}, externalIds: {} };
    const options = { remote_ip: '192.0.2.9' };
    const name = `found${this.looks}`;
    const iface: InterfaceRow = { name, type: 'gre', ofport: 1, error: null, mac: null, options, ...maps };
    const columns = { tag: null, vlanMode: null, trunks: [], bondMode: null, lacp: null, qos: null };
    return [{ uuid: name, bridge: 'br-int', name, ...columns, ...maps, interfaces: [iface] }];
  }
}

describe('keys that never come out the same twice', () => {
  it('are held back by name, and what else there is gets planned', () => {
    const restless = new Blueprint(
      {
        canonical,
        fate: () => 'keep',
        required: [],
        drift: 'repair',
        describeStranger: () => 'a stranger',
        isReserved: () => false,
        rankOf: () => 0,
      },
      new RestlessRows(),
    );
    const state = (key: string, name: string, other: string): void => {
      const flow = { bridge: 'br-int', table: 0, priority: 1, match: { in_port: { port: other } }, actions: [] };
      restless.state('one', key, { ports: [tunnel(name, {})], flows: [flow] });
    };
    state('a', 'here', 'there');
    state('b', 'there', 'here');
    // In slices, so that a failure ends.
    let slices = 0;
    while (slices < 100 && restless.compileSome(5)) slices += 1;
    expect(slices).toBeLessThan(100);
    expect(restless.progress('one', 'a')).toEqual({
      state: 'quarantined',
      reason: expect.stringMatching(/key a of plugin one .*never came to rest/),
    });
  });
});
