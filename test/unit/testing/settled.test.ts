import {
  type AgentHooks,
  type BoundPort,
  type DesiredState,
  drop,
  flow,
  type Jobs,
  type Plugin,
  type PluginClass,
  plugin,
  port,
  type Rpc,
  Service,
  use,
} from '@patchbay/sdk';
import { aPort, describePluginContract, Kit } from '@patchbay/testing';

const SERVER = { topic: 'acme' };

type Asks = (ask: () => Promise<void>, jobs: Jobs, id: string) => void;

/** Drops what ports send, as soon as its server has said at which priority: it asks in the way that is given. */
function lateStater(id: string, asks: Asks): PluginClass {
  class Late implements Plugin {
    private readonly ports = new Set<string>();
    private isSynced = false;
    private open = 0;
    constructor(
      @use(Service.desired) private readonly desired: DesiredState,
      @use(Service.rpc) private readonly rpc: Rpc,
      @use(Service.jobs) private readonly jobs: Jobs,
    ) {}

    tap(hooks: AgentHooks): void {
      hooks.onPortAdded((bound) => {
        this.ports.add(bound.port.id);
        this.open += 1;
        asks(() => this.state(bound), this.jobs, bound.port.id);
      });
      hooks.onPortRemoved(({ bound }) => {
        this.ports.delete(bound.port.id);
        this.desired.unset(`port/${bound.port.id}`);
      });
      hooks.onAgentSynced(() => {
        this.isSynced = true;
        this.completeOnceStated();
      });
    }

    private async state({ port: { id }, vif }: BoundPort): Promise<void> {
      const priority = Number(await this.rpc.call(SERVER, 'priority', { port: id }));
      this.open -= 1;
      if (!this.ports.has(id)) return;
      const match = { in_port: port(vif.portName) };
      this.desired.set(`port/${id}`, {
        flows: [flow({ bridge: vif.bridge, table: 60, priority, match, actions: drop })],
      });
      this.completeOnceStated();
    }

    private completeOnceStated(): void {
      if (this.isSynced && this.open === 0) this.desired.complete();
    }
  }
  plugin({
    id,
    summary: 'States late',
    sdk: '^1.0.0',
    claims: [{ bridge: 'integration', tables: [60] }],
    onFailure: 'degrade',
  })(Late);
  return Late;
}

const InTap = lateStater('acme-late-tap', (ask) => void ask());
const InJob = lateStater('acme-late-job', (ask, jobs, id) => void jobs.after(`ask ${id}`, 0, ask));
const UntilDone = lateStater('acme-late-until', (ask, jobs, id) => {
  jobs.untilDone(`ask ${id}`, { initialMs: 1_000, maxMs: 1_000 }, ask);
});
const prepare = (kit: Kit): void => {
  kit.rpc.delayMs = 20;
  kit.rpc.answers.set('priority', () => 9);
};

for (const late of [InTap, InJob, UntilDone]) describePluginContract(late, { prepare });

describe('the kit is settled', () => {
  let kit: Kit;
  const wants = () => kit.wants().size;
  const begin = async (late: PluginClass): Promise<void> => {
    kit = await Kit.start({ plugins: [late], prepare });
  };
  afterEach(() => kit.stop());

  it.each([
    ['a server', InTap],
    ['a job', InJob],
    ['a job that is done again until it is done', UntilDone],
  ])('when what a fact set off with %s has been stated', async (_what, late) => {
    await begin(late);
    await kit.plug({ name: 'tap-port-1' });
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    await expect(kit).toHaveFlows('br-int', 'table=60,priority=9,in_port="tap-port-1" actions=drop');
  });

  it('without the answer of a server that does not answer', async () => {
    await begin(InTap);
    kit.rpc.answers.set('priority', () => new Promise(() => undefined));
    const began = performance.now();
    await kit.fire.onPortAdded(aPort());
    await kit.settled();
    expect(wants()).toBe(0);
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  it('without the retry of a job that failed, and the rounds of a regular one', async () => {
    await begin(UntilDone);
    kit.rpc.failure = new Error('away');
    const began = performance.now();
    await kit.fire.onPortAdded(aPort());
    expect(wants()).toBe(0);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
