import { type AgentHooks, HOOKS, type HookName } from '@patchbay/sdk';
import type { HookTable } from '../../../core/kernel/hooks/table';
import { hookBed } from '../../support/kernel/hook-bed';
import { BOUND, DRAFT, PORT, SEGMENT, VIF } from '../../support/kernel/samples';

const never = (): Promise<never> => new Promise(() => undefined);

describe('taps of a fact', () => {
  it('run in plugin order', async () => {
    const { table, tap } = hookBed(['one', 'two', 'three']);
    const seen: string[] = [];
    for (const plugin of ['three', 'one', 'two'])
      tap(plugin, (hooks) => hooks.onPortAdded(() => void seen.push(plugin)));
    table.seal(['one', 'two', 'three']);
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  it('run before whom they name, even if that one tapped later', async () => {
    const { table, tap } = hookBed(['early', 'late']);
    const seen: string[] = [];
    tap('late', (hooks) => hooks.onPortAdded(() => void seen.push('late'), { before: ['early'] }));
    tap('early', (hooks) => hooks.onPortAdded(() => void seen.push('early')));
    table.seal(['early', 'late']);
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(seen).toEqual(['late', 'early']);
  });

  it('follow the plugin that took the place of whom they name', async () => {
    const { table, tap } = hookBed(['first', 'own'], { standIns: [['stock', 'own']] });
    tap('first', (hooks) => hooks.onPortAdded(() => undefined, { after: ['stock'] }));
    tap('own', (hooks) => hooks.onPortAdded(() => undefined));
    table.seal(['first', 'own']);
    expect(table.listing().find(({ hook }) => hook === 'onPortAdded')?.plugins).toEqual(['own', 'first']);
  });

  it('refuse a neighbour that nobody is, and guess who was meant', () => {
    const { tap } = hookBed(['security-groups', 'mine']);
    expect(() => tap('mine', (hooks) => hooks.onPortAdded(() => undefined, { before: ['security-group'] }))).toThrow(
      'PB-TAP-UNKNOWN-NEIGHBOUR: mine wants its onPortAdded tap before security-group, and there is no plugin of that id; did you mean security-groups?',
    );
  });

  it('refuse a second tap of the same plugin', () => {
    const { tap } = hookBed(['one']);
    const twice = (hooks: AgentHooks): void => {
      hooks.onPortAdded(() => undefined);
      hooks.onPortAdded(() => undefined);
    };
    expect(() => tap('one', twice)).toThrow('PB-TAP-TWICE: one taps onPortAdded twice');
  });

  it('refuse a tap after the hooks are sealed', () => {
    const { table, tap } = hookBed(['one']);
    table.seal(['one']);
    expect(() => tap('one', (hooks) => hooks.onPortAdded(() => undefined))).toThrow('PB-TAP-LATE');
  });

  it('print a loop as a path', () => {
    const { table, tap } = hookBed(['a', 'b', 'c']);
    tap('a', (hooks) => hooks.onPortAdded(() => undefined, { before: ['b'] }));
    tap('b', (hooks) => hooks.onPortAdded(() => undefined, { before: ['c'] }));
    tap('c', (hooks) => hooks.onPortAdded(() => undefined, { before: ['a'] }));
    expect(() => table.seal(['a', 'b', 'c'])).toThrow('a → b → c → a');
  });

  it('name whose wishes make a loop, and not whom they are about', () => {
    const { table, tap } = hookBed(['a', 'b', 'c']);
    tap('a', (hooks) => hooks.onPortAdded(() => undefined));
    tap('b', (hooks) => hooks.onPortAdded(() => undefined, { before: ['a'], after: ['a'] }));
    tap('c', (hooks) => hooks.onPortAdded(() => undefined, { before: ['b'] }));
    expect(table.contradiction(['a', 'b', 'c'])?.plugins).toEqual(['b']);
    table.discard('b');
    expect(table.contradiction(['a', 'b', 'c'])).toBeUndefined();
  });

  it('do not stop those that follow when one throws', async () => {
    const { table, tap, conditions } = hookBed(['bad', 'good'], { required: ['bad'] });
    const good = jest.fn();
    tap('bad', (hooks) =>
      hooks.onPortAdded(() => {
        throw new Error('boom');
      }),
    );
    tap('good', (hooks) => hooks.onPortAdded(good));
    table.seal(['bad', 'good']);
    const { failures } = await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(good).toHaveBeenCalledTimes(1);
    expect(failures).toMatchObject([{ plugin: 'bad', required: true }]);
    expect(conditions.get('bad hook onPortAdded')?.code).toBe('PB-TAP-FAILED');
  });

  it('take the complaint away when they succeed again', async () => {
    const { table, tap, conditions } = hookBed(['flaky']);
    let fail = true;
    tap('flaky', (hooks) =>
      hooks.onPortAdded(() => {
        if (fail) throw new Error('boom');
      }),
    );
    table.seal(['flaky']);
    await table.callsFor('test').tell('onPortAdded', BOUND);
    fail = false;
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect([...conditions]).toEqual([]);
  });

  it('are cut off at their budget, with their signal aborted', async () => {
    const { table, tap } = hookBed(['slow']);
    let signal: AbortSignal | undefined;
    tap('slow', (hooks) =>
      hooks.onPortAdded((_bound, context) => {
        signal = context.signal;
        return never();
      }),
    );
    table.seal(['slow']);
    const { failures } = await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(failures[0]?.reason).toContain('PB-TAP-TIMED-OUT: slow did not answer onPortAdded within 20 ms');
    expect(signal?.aborted).toBe(true);
  });

  it('are told the cause', async () => {
    const { table, tap } = hookBed(['one']);
    const causes: string[] = [];
    tap('one', (hooks) => hooks.onPortAdded((_bound, { cause }) => void causes.push(cause)));
    table.seal(['one']);
    await table.callsFor('req-7').tell('onPortAdded', BOUND);
    expect(causes).toEqual(['req-7']);
  });

  it('are passed over when their plugin does not run', async () => {
    const { table, tap } = hookBed(['gone']);
    const tapped = jest.fn();
    tap('gone', (hooks) => hooks.onPortAdded(tapped));
    table.seal(['gone']);
    table.switchOff('gone', 'it did not start');
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(tapped).not.toHaveBeenCalled();
    expect(table.trace()).toMatchObject([{ outcome: 'skipped', detail: 'it did not start' }]);
  });

  it('leave the last ones in the trace', async () => {
    const { table, tap } = hookBed(['one'], { settings: { traceSize: 2 } });
    tap('one', (hooks) => hooks.onPortAdded(() => undefined));
    table.seal(['one']);
    for (const cause of ['a', 'b', 'c']) await table.callsFor(cause).tell('onPortAdded', BOUND);
    expect(table.trace().map(({ cause }) => cause)).toEqual(['b', 'c']);
  });
});

describe('payloads', () => {
  const PAYLOADS: Readonly<Record<HookName, unknown>> = {
    beforePortBind: DRAFT,
    beforePortUnbind: { bound: BOUND, reason: 'deleted' },
    onPortIsolated: { vif: VIF, reason: 'unknown-port', detail: '' },
    onPortAdded: BOUND,
    onPortUpdated: { previous: BOUND, current: BOUND },
    onPortRemoved: { bound: BOUND, reason: 'deleted' },
    onNetworkDeleted: { networkId: 'net-1' },
    onSegmentBound: { segment: SEGMENT, localVlan: 1 },
    onSegmentReleased: { segment: SEGMENT, localVlan: 1 },
    onSecurityGroupUpdated: { securityGroupIds: ['a'], change: 'rules' },
    onTunnelEndpointAdded: { tunnelType: 'vxlan', ipAddress: '192.0.2.1' },
    onTunnelEndpointRemoved: { tunnelType: 'vxlan', ipAddress: '192.0.2.1' },
    onForwardingChanged: { remotes: [], knowledge: 'complete' },
    onSwitchReconnected: { bridges: ['br-int'] },
    onAgentSynced: { ports: 1 },
    resolveLocalVlan: { segment: SEGMENT, vif: VIF },
    resolveTunnelPort: { endpoint: { tunnelType: 'vxlan', ipAddress: '192.0.2.1' } },
    onReportState: { devices: 1 },
  };

  async function deliver(table: HookTable, hook: HookName, payload: unknown): Promise<void> {
    const calls = table.callsFor('test');
    const call: Partial<Record<HookName, (given: never) => Promise<unknown>>> = {
      beforePortBind: calls.beforePortBind,
      beforePortUnbind: calls.beforePortUnbind,
      resolveLocalVlan: calls.resolveLocalVlan,
      resolveTunnelPort: calls.resolveTunnelPort,
      onReportState: calls.reportState,
    };
    const own = call[hook] ?? ((given: never) => calls.tell(hook as 'onPortAdded', given));
    await own(payload as never);
  }

  it.each(
    Object.keys(HOOKS) as HookName[],
  )('of %s arrive as frozen copies that survive a structured clone', async (hook) => {
    const { table } = hookBed(['one']);
    const seen: unknown[] = [];
    const hooks = table.hooksFor('one') as unknown as Record<HookName, (tap: (payload: unknown) => undefined) => void>;
    hooks[hook]((payload) => void seen.push(payload));
    table.seal(['one']);
    await deliver(table, hook, PAYLOADS[hook]);
    expect(seen).toHaveLength(1);
    expect(structuredClone(seen[0])).toEqual(PAYLOADS[hook]);
    expect(seen[0]).not.toBe(PAYLOADS[hook]);
    expect(deeplyFrozen(seen[0])).toBe(true);
  });

  it('that are no plain data are refused with the field', async () => {
    const { table } = hookBed([]);
    table.seal([]);
    const payload = { ...BOUND, port: { ...PORT, profile: { callback: () => 1 } } };
    await expect(table.callsFor('test').tell('onPortAdded', payload)).rejects.toThrow(
      'PB-NOT-PLAIN-DATA: the payload of onPortAdded is not plain data at port.profile.callback: it is a function',
    );
  });
});

function deeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(deeplyFrozen);
}
