import {
  type AgentHooks,
  type DesiredState,
  type Plugin,
  type PluginClass,
  parseFlow,
  plugin,
  Service,
  use,
} from '@patchbay/sdk';
import { aPort, Kit, misbehavingPlugin } from '@patchbay/testing';

/** A plugin that does what it should: one flow a port. */
@plugin({
  id: 'neighbour-in-need',
  summary: 'Wires every port',
  sdk: '^1.0.0',
  claims: [{ bridge: 'integration', tables: [60] }],
  onFailure: 'abort',
})
class Honest implements Plugin {
  constructor(@use(Service.desired) private readonly desired: DesiredState) {}

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded(({ port }) =>
      this.desired.set(`port/${port.id}`, { flows: [parseFlow('br-int', 'table=60,priority=7 actions=NORMAL')] }),
    );
  }
}

/** A plugin that does this with its desired state whenever a port comes. */
function stating(id: string, state: (desired: DesiredState) => void): PluginClass {
  class Stating implements Plugin {
    constructor(private readonly desired: DesiredState) {}

    tap(hooks: AgentHooks): void {
      hooks.onPortAdded(() => state(this.desired));
    }
  }
  use(Service.desired)(Stating, undefined, 0);
  plugin({
    id,
    summary: 'Misbehaves',
    sdk: '^1.0.0',
    claims: [{ bridge: 'integration', tables: [61] }],
    onFailure: 'degrade',
  })(Stating);
  return Stating;
}

const WIRED = 'table=60,priority=7 actions=NORMAL';
let kit: Kit;
afterEach(() => kit.stop());

async function portComesBeside(other: PluginClass, more: { readonly flowBudget?: number } = {}): Promise<void> {
  kit = await Kit.start({ plugins: [Honest, other], tapBudgetMs: 50, ...more });
  await kit.fire.onPortAdded(aPort());
}

describe('ports come up beside a plugin that', () => {
  it('never finishes to start, and health names it', async () => {
    class Sleeper implements Plugin {
      start(): Promise<never> {
        return new Promise(() => undefined);
      }
    }
    plugin({ id: 'culprit', summary: 'Misbehaves', sdk: '^1.0.0', onFailure: 'degrade' })(Sleeper);
    kit = await Kit.start({ plugins: [Honest, Sleeper], lifecycleSettings: { patienceMs: 20, stopAllBudgetMs: 100 } });
    await kit.fire.onPortAdded(aPort());
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(kit.health('culprit').conditions[0]?.detail).toMatch(/PB-START-LATE: culprit is still starting/);
  });

  it('throws in every hook, and health names it', async () => {
    await portComesBeside(misbehavingPlugin('throws', 'culprit'));
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(kit.health('culprit').level).toBe('degraded');
    expect(kit).toHaveHealth('ok');
  });

  it('never answers, and health names it', async () => {
    await portComesBeside(misbehavingPlugin('never-answers', 'culprit'));
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(kit.health('culprit').conditions[0]?.detail).toMatch(/PB-TAP-TIMED-OUT: culprit did not answer onPortAdded/);
  });

  it('answers nonsense where an answer counts', async () => {
    kit = await Kit.start({ plugins: [Honest, misbehavingPlugin('answers-nonsense', 'culprit')], tapBudgetMs: 50 });
    const { value } = await kit.fire.resolveTunnelPort({ endpoint: { tunnelType: 'vxlan', ipAddress: '192.0.2.2' } });
    expect(value).toBeUndefined();
    expect(kit.health('culprit').level).toBe('degraded');
  });

  it('wants a million flows', async () => {
    const one = parseFlow('br-int', 'table=61,priority=1 actions=drop');
    const million = Array.from({ length: 1_000_000 }, () => one);
    const culprit = stating('culprit', (desired) => desired.set('all', { flows: million }));
    await portComesBeside(culprit, { flowBudget: 100_000 });
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(kit.health('culprit').conditions[0]?.detail).toMatch(/PB-TOO-MANY-FLOWS: culprit would want 1000000 flows/);
    expect(await kit.installedFlows('br-int', 'culprit')).toEqual([]);
  });

  it('wants a million keys of a flow each: its tap ends where enough of them were refused', async () => {
    let stated = 0;
    const culprit = stating('culprit', (desired) => {
      for (stated = 0; stated < 1_000_000; stated += 1) {
        desired.set(`flow/${stated}`, {
          flows: [parseFlow('br-int', `table=61,priority=1,reg5=${stated} actions=drop`)],
        });
      }
    });
    await portComesBeside(culprit, { flowBudget: 1_000 });
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(stated).toBe(1_100);
    expect(kit.health('culprit').conditions.length).toBeLessThan(110);
    expect(await kit.installedFlows('br-int', 'culprit')).toEqual([]);
  });

  it('claims another’s table, while what it may have goes in', async () => {
    const culprit = stating('culprit', (desired) => {
      desired.set('theirs', { flows: [parseFlow('br-int', 'table=60,priority=7 actions=drop')] });
      desired.set('own', { flows: [parseFlow('br-int', 'table=61,priority=1 actions=drop')] });
    });
    await portComesBeside(culprit);
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(await kit.installedFlows('br-int', 'culprit')).toHaveLength(1);
    expect(kit.health('culprit').conditions[0]?.detail).toMatch(
      /PB-CLAIM-VIOLATED: culprit wants a flow on br-int in table 60 at priority 7/,
    );
  });

  it('states what is no plain data', async () => {
    const culprit = stating('culprit', (desired) => desired.set('odd', { flows: [{ toString: () => '' }] } as never));
    await portComesBeside(culprit);
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(kit.health('culprit').level).toBe('degraded');
  });

  it('states flows that the switch refuses', async () => {
    const culprit = stating('culprit', (desired) =>
      desired.set('bad', { flows: [parseFlow('br-int', 'table=61,priority=1 actions=group:77')] }),
    );
    await portComesBeside(culprit);
    await expect(kit).toHaveFlows('br-int', WIRED);
    expect(await kit.switch.store.progress('culprit', 'bad')).toMatchObject({ state: 'quarantined' });
  });
});
