import { type Manifest, parseFlow } from '@patchbay/sdk';
import { unclaimed } from '../../../core/kernel/claims';

const identity = { integrationBridge: 'br-int', tunnelBridge: 'br-tun' };
const flow = (bridge: string, text: string) => parseFlow(bridge, `${text} actions=drop`);
const check = (manifest: Pick<Manifest, 'claims' | 'columns' | 'tables'>, records: Parameters<typeof unclaimed>[1]) =>
  unclaimed({ manifest, allotted: { copy: 100 }, identity }, records);

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
