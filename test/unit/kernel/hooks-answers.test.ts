import { refuse } from '@patchbay/sdk';
import { mergedReport } from '../../../core/kernel/hooks/contributions';
import { hookBed } from '../../support/kernel/hook-bed';
import { DRAFT, PORT, SEGMENT, VIF } from '../../support/kernel/samples';

describe('before-taps', () => {
  it('change the draft for those that follow and for the act', async () => {
    const { table, tap } = hookBed(['mtu', 'reader']);
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
    const { table, tap } = hookBed(['guard', 'later']);
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
    const { table, tap, conditions } = hookBed(['wild']);
    tap('wild', (hooks) => hooks.beforePortBind(() => returned as never));
    table.seal(['wild']);
    expect(await table.callsFor('test').beforePortBind(DRAFT)).toEqual(DRAFT);
    expect(conditions.get('wild hook beforePortBind')).toMatchObject({ code: 'PB-DRAFT-INVALID', fields: { field } });
  });

  it('close the port when a required plugin fails, and ask for another try', async () => {
    const { table, tap } = hookBed(['wall'], { required: ['wall'] });
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
    const { table } = hookBed(['wall'], { required: ['wall'] });
    table.seal(['wall']);
    table.switchOff('wall', 'it did not start');
    expect(await table.callsFor('test').beforePortBind(DRAFT)).toMatchObject({ by: 'wall', retry: true });
  });

  it('of an advisory plugin are switched off after failures in a row, and let through again after a while', async () => {
    const { table, tap, conditions, advance } = hookBed(['wobbly'], {
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
    const { table, tap } = hookBed(['wall'], {
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
    const { table, tap } = hookBed(['passes', 'answers', 'too-late']);
    const late = jest.fn(() => 9);
    tap('passes', (hooks) => hooks.resolveLocalVlan(() => undefined));
    tap('answers', (hooks) => hooks.resolveLocalVlan(async () => 7));
    tap('too-late', (hooks) => hooks.resolveLocalVlan(late));
    table.seal(['passes', 'answers', 'too-late']);
    expect(await table.callsFor('test').resolveLocalVlan({ segment: SEGMENT, vif: VIF })).toBe(7);
    expect(late).not.toHaveBeenCalled();
  });

  it('are undefined when nobody answers', async () => {
    const { table } = hookBed([]);
    table.seal([]);
    expect(await table.callsFor('test').resolveLocalVlan({ segment: SEGMENT, vif: VIF })).toBeUndefined();
  });

  it.each([0, 4095, 1.5, '7'])('count the answer %p to resolveLocalVlan as a failure and a pass', async (wrong) => {
    const { table, tap, conditions } = hookBed(['wrong', 'right']);
    tap('wrong', (hooks) => hooks.resolveLocalVlan(() => wrong as number));
    tap('right', (hooks) => hooks.resolveLocalVlan(() => 3));
    table.seal(['wrong', 'right']);
    expect(await table.callsFor('test').resolveLocalVlan({ segment: SEGMENT, vif: VIF })).toBe(3);
    expect(conditions.get('wrong hook resolveLocalVlan')?.code).toBe('PB-ANSWER-INVALID');
  });
});

describe('the state report', () => {
  it('merges contributions map by map in plugin order', async () => {
    const { table, tap } = hookBed(['a', 'b']);
    tap('a', (hooks) => hooks.onReportState(() => ({ configurations: { bridge_mappings: { x: 1 }, devices: 1 } })));
    tap('b', (hooks) => hooks.onReportState(() => ({ configurations: { bridge_mappings: { y: 2 }, devices: 5 } })));
    table.seal(['a', 'b']);
    expect(await table.callsFor('test').reportState({ devices: 5 })).toEqual({
      configurations: { bridge_mappings: { x: 1, y: 2 }, devices: 5 },
    });
  });

  const merged = async (...contributed: readonly Readonly<Record<string, unknown>>[]) => {
    const ids = contributed.map((_, index) => `plugin-${index}`);
    const { table, tap } = hookBed(ids);
    for (const [index, id] of ids.entries()) {
      tap(id, (hooks) => hooks.onReportState(() => ({ configurations: contributed[index] ?? {} })));
    }
    table.seal(ids);
    return (await table.callsFor('test').reportState({ devices: 0 })).configurations;
  };

  it('joins lists of texts without repeats, at any depth', async () => {
    expect(
      await merged(
        { extensions: ['qos', 'log'], tunnel_types: [], deep: { names: ['a'] } },
        { extensions: ['acme', 'qos'], tunnel_types: ['vxlan'], deep: { names: ['b'] } },
        { extensions: [] },
      ),
    ).toEqual({ extensions: ['qos', 'log', 'acme'], tunnel_types: ['vxlan'], deep: { names: ['a', 'b'] } });
  });

  it('takes the later of any other lists, and of a list and something else', async () => {
    expect(
      await merged(
        { numbers: [1, 2], mixed: ['a'], none: [], maps: [{ a: 1 }], text: ['a'] },
        { numbers: [2, 3], mixed: ['b', 1], none: [1], maps: [{ b: 2 }], text: 'b' },
      ),
    ).toEqual({ numbers: [2, 3], mixed: ['b', 1], none: [1], maps: [{ b: 2 }], text: 'b' });
  });

  it('takes keys that every object has for those of plugins, and lets none of them reach into other objects', async () => {
    const report = await merged(
      JSON.parse('{ "constructor": { "prototype": { "reached": true } }, "toString": { "a": 1 } }'),
      JSON.parse('{ "constructor": { "prototype": { "too": true } }, "toString": { "b": 2 } }'),
      JSON.parse('{ "__proto__": { "reached": true } }'),
      JSON.parse('{ "deep": { "__proto__": { "reached": true } } }'),
    );
    expect(JSON.parse(JSON.stringify(report))).toEqual({
      constructor: { prototype: { reached: true, too: true } },
      toString: { a: 1, b: 2 },
    });
    expect(({} as { readonly reached?: unknown }).reached).toBeUndefined();
    expect(Object.hasOwn(Object, 'reached')).toBe(false);
  });

  it('has keys of its own where a part has __proto__ among them', () => {
    const parts = ['{ "reached": true }', '{ "too": true }'].map((text) => JSON.parse(`{ "__proto__": ${text} }`));
    const report = mergedReport(parts.map((configurations) => ({ configurations })));
    expect(JSON.stringify(report)).toBe('{"configurations":{"__proto__":{"reached":true,"too":true}}}');
    expect(({} as { readonly reached?: unknown }).reached).toBeUndefined();
  });

  it('goes without the part that is no plain data or that threw', async () => {
    const { table, tap } = hookBed(['map', 'throws', 'good']);
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
