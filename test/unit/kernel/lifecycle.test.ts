import { KernelError } from '../../../core/kernel/errors';
import { type AgentPhase, Lifecycle, type LifecycleSettings, type Member } from '../../../core/kernel/lifecycle';

const settings = { startBudgetMs: 20, patienceMs: 10_000, stopBudgetMs: 20, stopAllBudgetMs: 60_000 };

function bed(members: readonly (Partial<Member> & { readonly id: string })[], more: Partial<LifecycleSettings> = {}) {
  const calls: string[] = [];
  const phases: AgentPhase[] = [];
  const failed: string[] = [];
  const late: string[] = [];
  const lifecycle = new Lifecycle({
    settings: { ...settings, ...more },
    members: members.map((member) => ({
      onFailure: 'degrade',
      dependsOn: new Set<string>(),
      construct: () => void calls.push(`construct ${member.id}`),
      tap: () => void calls.push(`tap ${member.id}`),
      start: () => void calls.push(`start ${member.id}`),
      stop: () => void calls.push(`stop ${member.id}`),
      ...member,
    })),
    onPhase: (phase) => phases.push(phase),
    onFailed: (plugin) => failed.push(plugin),
    onLate: (plugin) => late.push(plugin),
    onStopFailed: (plugin) => failed.push(`stop ${plugin}`),
  });
  const boot = (loops: readonly (readonly string[])[] = []) =>
    lifecycle.boot({
      contradiction: () => contradictionIn(loops.filter((plugins) => !plugins.some((id) => failed.includes(id)))),
      seal: () => void calls.push('seal'),
    });
  return { lifecycle, calls, phases, failed, late, boot };
}

/** The first of the loops, each of the plugins that wish it. */
function contradictionIn([plugins]: readonly (readonly string[])[]) {
  if (plugins === undefined) return undefined;
  return { plugins, error: KernelError.orderLoop({ what: 'the taps of onPortAdded', loop: plugins.join(' → ') }) };
}

const boom = (): never => {
  throw new Error('boom');
};
const never = (): Promise<never> => new Promise(() => undefined);

describe('taps whose orders contradict', () => {
  const abort = { onFailure: 'abort' } as const;

  it('cost the last plugin that wishes it and that the agent can do without; the others start', async () => {
    const { lifecycle, calls, failed, boot } = bed([{ id: 'a' }, { id: 'b' }, { id: 'c', ...abort }, { id: 'd' }]);
    await boot([['a', 'b', 'c']]);
    expect(failed).toEqual(['b']);
    expect(lifecycle.failureOf('b')?.message).toContain('PB-ORDER-LOOP');
    expect(calls.filter((call) => /^(start|seal)/.test(call))).toEqual(['seal', 'start a', 'start c', 'start d']);
  });

  it('are looked for again once one is given up', async () => {
    const { failed, boot } = bed([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    await boot([
      ['a', 'b'],
      ['a', 'c'],
    ]);
    expect(failed).toEqual(['b', 'c']);
  });

  it('end the start where only plugins wish it that the agent cannot do without', async () => {
    const { failed, boot } = bed([{ id: 'a', ...abort }, { id: 'b' }]);
    await expect(boot([['a']])).rejects.toThrow('PB-ORDER-LOOP');
    expect(failed).toEqual([]);
  });
});

describe('the lifecycle', () => {
  it('constructs all, taps all, seals the hooks, starts all, and stops in reverse', async () => {
    const { lifecycle, calls, phases, boot } = bed([{ id: 'a' }, { id: 'b' }]);
    await boot();
    lifecycle.synced();
    await lifecycle.stop();
    expect(calls).toEqual([
      'construct a',
      'construct b',
      'tap a',
      'tap b',
      'seal',
      'start a',
      'start b',
      'stop b',
      'stop a',
    ]);
    expect(phases).toEqual(['constructing', 'tapping', 'starting', 'synchronising', 'running', 'draining', 'stopped']);
  });

  it.each([
    'construct',
    'tap',
    'start',
  ] as const)('goes on without an optional plugin that fails to %s', async (step) => {
    const { lifecycle, failed, boot } = bed([{ id: 'bad', [step]: boom }, { id: 'good' }]);
    await boot();
    expect([failed, lifecycle.phaseOf('bad'), lifecycle.phaseOf('good')]).toEqual([['bad'], 'failed', 'running']);
    expect(lifecycle.failureOf('bad')?.message).toBe(
      `PB-PLUGIN-DEGRADED: bad failed to ${step}; the agent goes on without it: boom`,
    );
  });

  it('gives up on those that depend on a failed plugin', async () => {
    const { lifecycle, boot } = bed([
      { id: 'bad', start: boom },
      { id: 'leans', dependsOn: new Set(['bad']) },
      { id: 'leans-on-that', dependsOn: new Set(['leans']) },
    ]);
    await boot();
    expect(lifecycle.failureOf('leans-on-that')?.message).toContain('leans, which it requires, failed');
  });

  it('stops all and rejects with a fatal error when a plugin fails that it cannot do without', async () => {
    const { lifecycle, calls, boot } = bed([
      { id: 'a' },
      { id: 'vital', onFailure: 'abort', start: boom },
      { id: 'z' },
    ]);
    await expect(boot()).rejects.toMatchObject({ code: 'PB-PLUGIN-FAILED', class: 'fatal' });
    expect(calls.slice(-2)).toEqual(['stop vital', 'stop a']);
    expect(lifecycle.phase).toBe('failed');
  });

  it('does not wait for a start beyond its budget', async () => {
    const { lifecycle, boot } = bed([{ id: 'slow', start: never }, { id: 'good' }]);
    await boot();
    expect(lifecycle.failureOf('slow')?.message).toContain(
      'PB-START-TIMED-OUT: slow did not finish to start within 20 ms',
    );
    expect(lifecycle.phaseOf('good')).toBe('running');
  });

  it('goes on while an optional plugin is still starting, with those that do not depend on it', async () => {
    let end = (): void => {};
    const slow = new Promise<void>((resolve) => {
      end = resolve;
    });
    const members = [{ id: 'slow', start: () => slow }, { id: 'leans', dependsOn: new Set(['slow']) }, { id: 'good' }];
    const { lifecycle, late, failed, boot } = bed(members, { patienceMs: 5, startBudgetMs: 60_000 });
    await boot();
    const phases = () => members.map(({ id }) => lifecycle.phaseOf(id));
    expect([lifecycle.phase, late, phases()]).toEqual([
      'synchronising',
      ['slow', 'leans'],
      ['tapped', 'tapped', 'running'],
    ]);
    end();
    await new Promise(setImmediate);
    expect([phases(), failed]).toEqual([['running', 'running', 'running'], []]);
  });

  it('waits for a plugin that the agent cannot do without, however long it takes', async () => {
    const start = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
    const { lifecycle, late, boot } = bed([{ id: 'vital', onFailure: 'abort', start }], {
      patienceMs: 1,
      startBudgetMs: 60_000,
    });
    await boot();
    expect([lifecycle.phaseOf('vital'), late]).toEqual(['running', []]);
  });

  it('stops to the end, past one that throws and one that hangs', async () => {
    const { lifecycle, calls, failed, boot } = bed([
      { id: 'a' },
      { id: 'hangs', stop: never },
      { id: 'throws', stop: boom },
    ]);
    await boot();
    await lifecycle.stop();
    expect(failed).toEqual(['stop throws', 'stop hangs']);
    expect(calls.at(-1)).toBe('stop a');
  });

  it('stops a plugin once, however often it is asked', async () => {
    const { lifecycle, calls, boot } = bed([{ id: 'a' }]);
    await boot();
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(calls.filter((call) => call === 'stop a')).toHaveLength(1);
  });

  it('records how long each step took and what failed', async () => {
    const { lifecycle, boot } = bed([{ id: 'bad', tap: boom }]);
    await boot();
    expect(lifecycle.tree()).toEqual([
      { plugin: 'bad', step: 'construct', ms: expect.any(Number) },
      { plugin: 'bad', step: 'tap', ms: expect.any(Number), failure: expect.stringContaining('boom') },
    ]);
  });
});
