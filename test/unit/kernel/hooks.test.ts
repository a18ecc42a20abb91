import { type AgentHooks, HOOKS, type HookName, type PatchbayError, refuse } from '@patchbay/sdk';
import { EventContext } from '../../../core/kernel/event-context';
import { TapMarker } from '../../../core/kernel/hooks/marker';
import { HOOK_SETTINGS, type HookSettings } from '../../../core/kernel/hooks/options';
import { HookTable } from '../../../core/kernel/hooks/table';
import { RecordingLog } from '../../support/kernel/recording-logger';
import { BOUND, DRAFT, PORT, SEGMENT, VIF } from '../../support/kernel/samples';

interface Bed {
  readonly table: HookTable;
  readonly log: RecordingLog;
  readonly conditions: Map<string, PatchbayError>;
  /** Taps as a plugin would. */
  readonly tap: (plugin: string, taps: (hooks: AgentHooks) => void) => void;
  readonly advance: (ms: number) => void;
}

function bed(
  plugins: readonly string[],
  options: { required?: readonly string[]; settings?: Partial<HookSettings>; standIns?: [string, string][] } = {},
): Bed {
  const log = new RecordingLog();
  const conditions = new Map<string, PatchbayError>();
  let now = 0;
  const table = new HookTable({
    context: new EventContext(),
    marker: new TapMarker(),
    settings: { ...HOOK_SETTINGS, budgetsMs: { before: 20, on: 20, resolve: 20, contribute: 20 }, ...options.settings },
    loggerOf: log.for,
    isRequired: (plugin) => (options.required ?? []).includes(plugin),
    condition: (plugin, name, error) => {
      if (error === null) conditions.delete(`${plugin} ${name}`);
      else conditions.set(`${plugin} ${name}`, error);
    },
    knownPlugins: new Set(plugins),
    standIns: new Map(options.standIns),
    now: () => now,
  });
  return {
    table,
    log,
    conditions,
    tap: (plugin, taps) => taps(table.hooksFor(plugin)),
    advance: (ms) => {
      now += ms;
    },
  };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('taps of a fact', () => {
  it('run in plugin order', async () => {
    const { table, tap } = bed(['one', 'two', 'three']);
    const seen: string[] = [];
    for (const plugin of ['three', 'one', 'two'])
      tap(plugin, (hooks) => hooks.onPortAdded(() => void seen.push(plugin)));
    table.seal(['one', 'two', 'three']);
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  it('run before whom they name, even if that one tapped later', async () => {
    const { table, tap } = bed(['early', 'late']);
    const seen: string[] = [];
    tap('late', (hooks) => hooks.onPortAdded(() => void seen.push('late'), { before: ['early'] }));
    tap('early', (hooks) => hooks.onPortAdded(() => void seen.push('early')));
    table.seal(['early', 'late']);
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(seen).toEqual(['late', 'early']);
  });

  it('follow the plugin that took the place of whom they name', async () => {
    const { table, tap } = bed(['first', 'own'], { standIns: [['stock', 'own']] });
    tap('first', (hooks) => hooks.onPortAdded(() => undefined, { after: ['stock'] }));
    tap('own', (hooks) => hooks.onPortAdded(() => undefined));
    table.seal(['first', 'own']);
    expect(table.listing().find(({ hook }) => hook === 'onPortAdded')?.plugins).toEqual(['own', 'first']);
  });

  it('refuse a neighbour that nobody is, and guess who was meant', () => {
    const { tap } = bed(['security-groups', 'mine']);
    expect(() => tap('mine', (hooks) => hooks.onPortAdded(() => undefined, { before: ['security-group'] }))).toThrow(
      'PB-TAP-UNKNOWN-NEIGHBOUR: mine wants its onPortAdded tap before security-group, and there is no plugin of that id; did you mean security-groups?',
    );
  });

  it('refuse a second tap of the same plugin', () => {
    const { tap } = bed(['one']);
    const twice = (hooks: AgentHooks): void => {
      hooks.onPortAdded(() => undefined);
      hooks.onPortAdded(() => undefined);
    };
    expect(() => tap('one', twice)).toThrow('PB-TAP-TWICE: one taps onPortAdded twice');
  });

  it('refuse a tap after the hooks are sealed', () => {
    const { table, tap } = bed(['one']);
    table.seal(['one']);
    expect(() => tap('one', (hooks) => hooks.onPortAdded(() => undefined))).toThrow('PB-TAP-LATE');
  });

  it('print a loop as a path', () => {
    const { table, tap } = bed(['a', 'b', 'c']);
    tap('a', (hooks) => hooks.onPortAdded(() => undefined, { before: ['b'] }));
    tap('b', (hooks) => hooks.onPortAdded(() => undefined, { before: ['c'] }));
    tap('c', (hooks) => hooks.onPortAdded(() => undefined, { before: ['a'] }));
    expect(() => table.seal(['a', 'b', 'c'])).toThrow('a → b → c → a');
  });

  it('do not stop those that follow when one throws', async () => {
    const { table, tap, conditions } = bed(['bad', 'good'], { required: ['bad'] });
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
    const { table, tap, conditions } = bed(['flaky']);
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
    const { table, tap } = bed(['slow']);
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
    const { table, tap } = bed(['one']);
    const causes: string[] = [];
    tap('one', (hooks) => hooks.onPortAdded((_bound, { cause }) => void causes.push(cause)));
    table.seal(['one']);
    await table.callsFor('req-7').tell('onPortAdded', BOUND);
    expect(causes).toEqual(['req-7']);
  });

  it('are passed over when their plugin does not run', async () => {
    const { table, tap } = bed(['gone']);
    const tapped = jest.fn();
    tap('gone', (hooks) => hooks.onPortAdded(tapped));
    table.seal(['gone']);
    table.switchOff('gone', 'it did not start');
    await table.callsFor('test').tell('onPortAdded', BOUND);
    expect(tapped).not.toHaveBeenCalled();
    expect(table.trace()).toMatchObject([{ outcome: 'skipped', detail: 'it did not start' }]);
  });

  it('leave the last ones in the trace', async () => {
    const { table, tap } = bed(['one'], { settings: { traceSize: 2 } });
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
    const { table } = bed(['one']);
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
    const { table } = bed([]);
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

describe('before-taps', () => {
  it('change the draft for those that follow and for the act', async () => {
    const { table, tap } = bed(['mtu', 'reader']);
    const seen: unknown[] = [];
    tap('mtu', (hooks) => hooks.beforePortBind((draft) => ({ ...draft, port: { ...draft.port, mtu: 1400 } })));
    tap('reader', (hooks) =>
      hooks.beforePortBind((draft) => {
        seen.push(draft.port.mtu);
        return undefined;
      }),
    );
    table.seal(['mtu', 'reader']);
    const answer = await table.callsFor('test').beforePortBind(DRAFT);
    expect(seen).toEqual([1400]);
    expect(answer).toMatchObject({ port: { mtu: 1400 } });
  });

  it('refuse with a reason, and those that follow are not asked', async () => {
    const { table, tap } = bed(['guard', 'later']);
    const later = jest.fn();
    tap('guard', (hooks) => hooks.beforePortBind(() => refuse('no such tenant here')));
    tap('later', (hooks) => hooks.beforePortBind(later));
    table.seal(['guard', 'later']);
    expect(await table.callsFor('test').beforePortBind(DRAFT)).toEqual({ refused: 'no such tenant here', by: 'guard' });
    expect(later).not.toHaveBeenCalled();
  });

  it.each([
    ['port.id', { ...DRAFT, port: { ...PORT, id: 'another' } }],
    ['vif', { ...DRAFT, vif: { ...VIF, ofport: 6 } }],
    ['segment.networkId', { ...DRAFT, segment: { ...SEGMENT, networkId: 'another' } }],
    ['port.mtu', { ...DRAFT, port: { ...PORT, mtu: 'large' } }],
    ['port', { vif: VIF, segment: SEGMENT }],
    ['port.fixedIps.0.subnetId', { ...DRAFT, port: { ...PORT, fixedIps: [{ ipAddress: '10.0.0.1' }] } }],
  ])('cannot change %s', async (field, returned) => {
    const { table, tap, conditions } = bed(['wild']);
    tap('wild', (hooks) => hooks.beforePortBind(() => returned as never));
    table.seal(['wild']);
    expect(await table.callsFor('test').beforePortBind(DRAFT)).toEqual(DRAFT);
    expect(conditions.get('wild hook beforePortBind')).toMatchObject({ code: 'PB-DRAFT-INVALID', fields: { field } });
  });

  it('close the port when a required plugin fails, and ask for another try', async () => {
    const { table, tap } = bed(['wall'], { required: ['wall'] });
    tap('wall', (hooks) =>
      hooks.beforePortBind(() => {
        throw new Error('no rules yet');
      }),
    );
    table.seal(['wall']);
    expect(await table.callsFor('test').beforePortBind(DRAFT)).toEqual({
      refused: 'PB-TAP-FAILED: wall failed in beforePortBind: no rules yet',
      by: 'wall',
      retry: true,
    });
  });

  it('close every port while a required plugin does not run', async () => {
    const { table } = bed(['wall'], { required: ['wall'] });
    table.seal(['wall']);
    table.switchOff('wall', 'it did not start');
    expect(await table.callsFor('test').beforePortBind(DRAFT)).toMatchObject({ by: 'wall', retry: true });
  });

  it('of an advisory plugin are switched off after failures in a row, and let through again after a while', async () => {
    const { table, tap, conditions, advance } = bed(['wobbly'], {
      settings: { breaker: { failures: 2, probeAfterMs: 1000 } },
    });
    let calls = 0;
    let healthy = false;
    tap('wobbly', (hooks) =>
      hooks.beforePortBind(() => {
        calls += 1;
        if (!healthy) throw new Error('boom');
        return undefined;
      }),
    );
    table.seal(['wobbly']);
    const bind = () => table.callsFor('test').beforePortBind(DRAFT);
    for (let turn = 0; turn < 4; turn += 1) await bind();
    expect(calls).toBe(2);
    expect(conditions.has('wobbly before taps')).toBe(true);
    healthy = true;
    advance(1000);
    await bind();
    await bind();
    expect(calls).toBe(4);
    expect([...conditions]).toEqual([]);
  });

  it('of a required plugin are never switched off', async () => {
    const { table, tap } = bed(['wall'], {
      required: ['wall'],
      settings: { breaker: { failures: 1, probeAfterMs: 1e6 } },
    });
    let calls = 0;
    tap('wall', (hooks) =>
      hooks.beforePortBind(() => {
        calls += 1;
        throw new Error('boom');
      }),
    );
    table.seal(['wall']);
    for (let turn = 0; turn < 3; turn += 1) await table.callsFor('test').beforePortBind(DRAFT);
    expect(calls).toBe(3);
  });
});

describe('questions', () => {
  it('are answered by the first that does not pass', async () => {
    const { table, tap } = bed(['passes', 'answers', 'too-late']);
    const late = jest.fn(() => 9);
    tap('passes', (hooks) => hooks.resolveLocalVlan(() => undefined));
    tap('answers', (hooks) => hooks.resolveLocalVlan(async () => 7));
    tap('too-late', (hooks) => hooks.resolveLocalVlan(late));
    table.seal(['passes', 'answers', 'too-late']);
    expect(await table.callsFor('test').resolveLocalVlan({ segment: SEGMENT, vif: VIF })).toBe(7);
    expect(late).not.toHaveBeenCalled();
  });

  it('are undefined when nobody answers', async () => {
    const { table } = bed([]);
    table.seal([]);
    expect(await table.callsFor('test').resolveLocalVlan({ segment: SEGMENT, vif: VIF })).toBeUndefined();
  });

  it.each([0, 4095, 1.5, '7'])('count the answer %p to resolveLocalVlan as a failure and a pass', async (wrong) => {
    const { table, tap, conditions } = bed(['wrong', 'right']);
    tap('wrong', (hooks) => hooks.resolveLocalVlan(() => wrong as number));
    tap('right', (hooks) => hooks.resolveLocalVlan(() => 3));
    table.seal(['wrong', 'right']);
    expect(await table.callsFor('test').resolveLocalVlan({ segment: SEGMENT, vif: VIF })).toBe(3);
    expect(conditions.get('wrong hook resolveLocalVlan')?.code).toBe('PB-ANSWER-INVALID');
  });
});

describe('the state report', () => {
  it('merges contributions map by map in plugin order', async () => {
    const { table, tap } = bed(['a', 'b']);
    tap('a', (hooks) => hooks.onReportState(() => ({ configurations: { bridge_mappings: { x: 1 }, devices: 1 } })));
    tap('b', (hooks) => hooks.onReportState(() => ({ configurations: { bridge_mappings: { y: 2 }, devices: 5 } })));
    table.seal(['a', 'b']);
    expect(await table.callsFor('test').reportState({ devices: 5 })).toEqual({
      configurations: { bridge_mappings: { x: 1, y: 2 }, devices: 5 },
    });
  });

  it('goes without the part that is no plain data or that threw', async () => {
    const { table, tap } = bed(['map', 'throws', 'good']);
    tap('map', (hooks) => hooks.onReportState(() => ({ configurations: { when: new Map() } })));
    tap('throws', (hooks) =>
      hooks.onReportState(() => {
        throw new Error('boom');
      }),
    );
    tap('good', (hooks) => hooks.onReportState(() => ({ configurations: { good: true } })));
    table.seal(['map', 'throws', 'good']);
    expect(await table.callsFor('test').reportState({ devices: 0 })).toEqual({ configurations: { good: true } });
  });
});
