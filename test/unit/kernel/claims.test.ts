import { type Manifest, parseFlow } from '@patchbay/sdk';
import { unclaimed } from '../../../core/kernel/claims';

const identity = { integrationBridge: 'br-int', tunnelBridge: 'br-tun' };
const flow = (bridge: string, text: string) => parseFlow(bridge, `${text} actions=drop`);
/** Meter 20000 of br-int is the plugin's. */
const wasAllotted = (kind: string, bridge: string, number: number) =>
  kind === 'meter' && bridge === 'br-int' && number === 20_000;
const check = (
  manifest: Pick<Manifest, 'claims' | 'columns' | 'numbers' | 'tables'>,
  records: Parameters<typeof unclaimed>[1],
) => unclaimed({ manifest, allotted: { copy: 100 }, wasAllotted, identity }, records);

describe('claims', () => {
  it('cover a flow in a claimed table, and name one that is elsewhere', () => {
    const manifest = { claims: [{ bridge: 'integration', tables: [60] }] } as const;
    expect(check(manifest, { flows: [flow('br-int', 'table=60,priority=1')] })).toBeUndefined();
    expect(check(manifest, { flows: [flow('br-int', 'table=61,priority=1')] })).toBe(
      'a flow on br-int in table 61 at priority 1',
    );
    expect(check(manifest, { flows: [flow('br-tun', 'table=60,priority=1')] })).toMatch(/br-tun/);
  });

  it('hold a flow to the claimed priorities', () => {
    const manifest = { claims: [{ bridge: 'integration', tables: 'all', priorities: [5, 6] }] } as const;
    expect(check(manifest, { flows: [flow('br-int', 'priority=5'), flow('br-int', 'priority=6')] })).toBeUndefined();
    expect(check(manifest, { flows: [flow('br-int', 'priority=7')] })).toMatch(/priority 7/);
  });

  it('of the provider role cover every bridge but the agent’s own two', () => {
    const manifest = { claims: [{ bridge: 'provider', tables: 'all' }] } as const;
    expect(check(manifest, { flows: [flow('br-ex', 'priority=1')] })).toBeUndefined();
    expect(check(manifest, { flows: [flow('br-int', 'priority=1')] })).toBeDefined();
  });

  it('are not needed in a table of the plugin’s own, on the bridge it was asked for', () => {
    const manifest = { tables: [{ bridge: 'integration', name: 'copy' }] } as const;
    expect(check(manifest, { flows: [flow('br-int', 'table=100,priority=1')] })).toBeUndefined();
    expect(check(manifest, { flows: [flow('br-tun', 'table=100,priority=1')] })).toBeDefined();
  });

  it('are asked for the flows of a gate too', () => {
    const gate = { bridge: 'br-int', port: 'tap1', subject: 'p1', admission: [flow('br-int', 'priority=1')] };
    expect(check({}, { gates: [gate] })).toBe('a flow on br-int in table 0 at priority 1');
  });

  it('are not needed for a meter that the plugin was allotted, and name any other', () => {
    const meter = (number: number, bridge = 'br-int') =>
      ({ bridge, meter: number, unit: 'pktps', bands: [{ kind: 'drop', rate: 1, burst: 0 }] }) as const;
    expect(check({}, { meters: [meter(20_000)] })).toBeUndefined();
    expect(check({}, { meters: [meter(20_001)] })).toBe('meter 20001 on br-int');
    expect(check({}, { meters: [meter(20_000, 'br-ex')] })).toBe('meter 20000 on br-ex');
  });

  it('cover meters and groups by range and bridge, each kind for itself', () => {
    const manifest = { numbers: [{ kind: 'group', bridge: 'integration', numbers: [7, 9] }] } as const;
    const group = (number: number, bridge = 'br-int') => ({ bridge, group: number, kind: 'all', buckets: [] }) as const;
    expect(check(manifest, { groups: [group(7), group(9)] })).toBeUndefined();
    expect(check(manifest, { groups: [group(10)] })).toBe('group 10 on br-int');
    expect(check(manifest, { groups: [group(7, 'br-tun')] })).toBe('group 7 on br-tun');
    const meter = { bridge: 'br-int', meter: 7, unit: 'pktps', bands: [{ kind: 'drop', rate: 1, burst: 0 }] } as const;
    expect(check(manifest, { meters: [meter] })).toBe('meter 7 on br-int');
  });

  it('name the column of a row that nobody claimed', () => {
    const gates = [{ bridge: 'br-int', port: 'tap1', subject: 'p1', tag: 7 }];
    expect(check({}, { gates })).toBe('Port:tag on br-int');
    expect(check({ columns: [{ bridge: 'integration', columns: ['Port:tag'] }] }, { gates })).toBeUndefined();
    const ports = [{ kind: 'internal', bridge: 'br-int', name: 'x' }] as const;
    expect(check({}, { ports })).toBe('Bridge:ports on br-int');
    const bridges = [{ name: 'br-x', presence: 'expect', failMode: 'secure' }] as const;
    expect(check({}, { bridges })).toBe('Bridge:fail_mode on br-x');
  });

  it('let a plugin expect a bridge without writing it', () => {
    expect(check({}, { bridges: [{ name: 'br-x', presence: 'expect' }] })).toBeUndefined();
  });
});
