import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AgentHooks,
  type Announcer,
  type DesiredState,
  type Health,
  type Jobs,
  type Plugin,
  type PluginClass,
  parseFlow,
  plugin,
  Service,
  type Store,
  type SwitchView,
  type Synchronisation,
  use,
} from '@patchbay/sdk';
import { aPort, Kit } from '@patchbay/testing';
import { AdminServer } from '../../../core/cli/admin/server';
import { EventContext } from '../../../core/kernel/event-context';
import { AgentSynchronisation } from '../../../core/kernel/synchronisation';
import { stock } from '../../support/stock-kit';

@plugin({
  id: 'honest',
  summary: 'Wires',
  sdk: '^1.0.0',
  claims: [{ bridge: 'integration', tables: [60] }],
  onFailure: 'abort',
})
class Honest implements Plugin {
  constructor(@use(Service.desired) private readonly desired: DesiredState) {}
  tap(hooks: AgentHooks): void {
    hooks.onPortAdded(({ port }) =>
      this.desired.set(`port/${port.id}`, {
        flows: [parseFlow('br-int', `table=60,priority=7,reg5=${port.id} actions=NORMAL`)],
      }),
    );
  }
}

interface Given {
  readonly desired: DesiredState;
  readonly health: Health;
  readonly jobs: Jobs;
  readonly store: Store;
  readonly view: SwitchView;
  readonly announcer: Announcer;
  readonly synchronisation: Synchronisation;
}
interface Acts {
  readonly tap?: (hooks: AgentHooks, given: Given) => unknown;
  readonly start?: (given: Given) => unknown;
}

function culprit({ tap, start }: Acts, more: object = {}): PluginClass {
  class Culprit implements Plugin {
    private readonly given: Given;
    constructor(
      desired: DesiredState,
      health: Health,
      jobs: Jobs,
      store: Store,
      view: SwitchView,
      announcer: Announcer,
      synchronisation: Synchronisation,
    ) {
      this.given = { desired, health, jobs, store, view, announcer, synchronisation };
    }
    tap(hooks: AgentHooks): undefined {
      return tap?.(hooks, this.given) as undefined;
    }
    async start(): Promise<void> {
      await start?.(this.given);
    }
  }
  [
    Service.desired,
    Service.health,
    Service.jobs,
    Service.store,
    Service.switchView,
    Service.announcer,
    Service.synchronisation,
  ].forEach((token, index) => {
    use(token)(Culprit, undefined, index);
  });
  plugin({
    id: 'culprit',
    summary: 'Careless',
    sdk: '^1.0.0',
    onFailure: 'degrade',
    claims: [{ bridge: 'integration', tables: [61] }],
    columns: [{ bridge: 'integration', columns: ['Bridge:ports'] }],
    ...more,
  })(Culprit as PluginClass);
  return Culprit as PluginClass;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const port = (id: string) => aPort({ id });
let kit: Kit | undefined;
const begin = async (acts: Acts, more?: object, others: PluginClass[] = [Honest]) => {
  kit = await Kit.start({ plugins: [...others, culprit(acts, more)], tapBudgetMs: 100 });
  return kit;
};
const wired = async () => (await kit?.installedFlows('br-int', 'honest'))?.length;
afterEach(async () => {
  await kit?.stop();
  kit = undefined;
});

describe('others’ ports come up beside a plugin that', () => {
  it('reports health with a number that JSON has no word for', async () => {
    await begin({
      tap: (hooks, { health }) => hooks.onPortAdded(() => health.report('bytes', 'degraded', 5n as never)),
    });
    await kit?.fire.onPortAdded(port('1'));
    expect(await wired()).toBe(1);
  });

  it('reports health with an object that contains itself', async () => {
    await begin({
      tap: (hooks, { health }) => hooks.onPortAdded(() => health.report('api', 'degraded', cyclic as never)),
    });
    await kit?.fire.onPortAdded(port('1'));
    expect(await wired()).toBe(1);
  });

  it('throws an object that has no text', async () => {
    await begin({
      tap: (hooks) =>
        hooks.onPortAdded(() => {
          throw Object.create(null);
        }),
    });
    await kit?.fire.onPortAdded(port('1'));
    expect(await wired()).toBe(1);
  });

  it('throws in a listener of onProgress: no round fails of it, and health names it', async () => {
    await begin({
      start: ({ announcer }) =>
        announcer.onProgress(() => {
          throw new Error('mine');
        }),
    });
    await Promise.all([1, 2, 3, 4].map((id) => kit?.fire.onPortAdded(port(String(id)))));
    expect(kit?.log.lines.filter(({ sentence }) => sentence.includes('round failed'))).toEqual([]);
    expect(kit?.health('culprit').level).toBe('degraded');
  });

  it('throws in a listener of the switch: others are told all the same, and health names it', async () => {
    await begin({
      start: ({ view }) =>
        view.watch(() => {
          throw new Error('mine');
        }),
    });
    const told: string[] = [];
    kit?.switch.view.watch((changes) => told.push(...changes.map(({ kind }) => kind)));
    // The change comes through here when no socket is in between: what is thrown would end the agent.
    const changed = (kit?.switch as never as { view: { publish(changes: object, cause: string): void } }).view;
    const row = {
      uuid: 'u',
      bridge: 'br-int',
      name: 'tap1',
      tag: null,
      otherConfig: {},
      externalIds: {},
      interfaces: [],
    };
    expect(() => changed.publish({ bridges: [], ports: [{ before: undefined, after: row }] }, 'test')).not.toThrow();
    expect(told).toEqual(['port-added']);
    expect(kit?.health('culprit').level).toBe('degraded');
  });

  it('orders its tap before and after the same plugin: the agent starts without it', async () => {
    await expect(
      begin({ tap: (hooks) => hooks.onPortAdded(() => undefined, { before: ['honest'], after: ['honest'] }) }),
    ).resolves.toBeDefined();
  });
});

describe('what a plugin does carelessly is seen:', () => {
  it('a tap() that is async and taps later', async () => {
    const rejected: unknown[] = [];
    const note = (reason: unknown) => rejected.push(reason);
    process.on('unhandledRejection', note);
    await begin({
      tap: async (hooks) => {
        await sleep(5);
        hooks.onPortAdded(() => undefined);
      },
    });
    await sleep(50);
    process.off('unhandledRejection', note);
    expect(kit?.health('culprit').level).not.toBe('ok');
  });

  it('a key that cannot be compiled', async () => {
    await begin({
      tap: (hooks, { desired }) =>
        hooks.onPortAdded(() =>
          desired.set('bad', {
            flows: [
              {
                bridge: 'br-int',
                table: 61,
                priority: 1,
                match: { eth_type: 0x800, nw_src: '10.0.0.999' },
                actions: [],
              },
            ],
          }),
        ),
    });
    await kit?.fire.onPortAdded(port('1'));
    expect(await kit?.switch.store.progress('culprit', 'bad')).toMatchObject({ state: 'quarantined' });
    const said = kit?.log.lines.some(
      ({ level, fields }) => level === 'error' && JSON.stringify(fields).includes('bad'),
    );
    expect({ said, level: kit?.health('culprit').level }).not.toEqual({ said: false, level: 'ok' });
  });

  it('what is stated by a timer that a tap started which then ran out of time', async () => {
    let timer: NodeJS.Timeout | undefined;
    await begin({
      tap: (hooks, { desired }) =>
        hooks.onPortAdded(async () => {
          if (timer !== undefined) return;
          timer = setInterval(
            () => desired.set('late', { flows: [parseFlow('br-int', 'table=61,priority=1 actions=drop')] }),
            10,
          );
          await new Promise(() => undefined);
        }),
    });
    await kit?.fire.onPortAdded(port('1'));
    await kit?.fire.onPortAdded(port('2'));
    await sleep(100);
    clearInterval(timer);
    expect({ stated: kit?.wants('culprit').size, level: kit?.health('culprit').level }).not.toEqual({
      stated: 0,
      level: 'ok',
    });
  });

  it('a stored value that is no text does not cost the others at the next start', async () => {
    let read: string | undefined;
    await begin({
      start: async ({ store }) => {
        read = await store.get('ids');
        await store
          .set('ids', 'precious')
          .then(() => store.set('count', 5 as never))
          .catch(() => undefined);
      },
    });
    await kit?.restart();
    expect(read).toBe('precious');
  });
});

describe('a job', () => {
  it.each([
    ['of 30 days', 30 * 24 * 3_600_000],
    ['of no number', Number.NaN],
    ['below zero', -1],
  ])('with an interval %s does not run a thousand times a second', async (_what, interval) => {
    let runs = 0;
    await begin({
      start: ({ jobs }) =>
        jobs.every('odd', interval, () => {
          runs += 1;
        }),
    });
    await sleep(200);
    expect(runs).toBeLessThan(10);
  });
});

it('who asks for synchronisation in onAgentSynced leaves the event loop alone', async () => {
  const context = new EventContext();
  let told = 0;
  const synchronisation: AgentSynchronisation = new AgentSynchronisation({
    context,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    announce: async () => {
      told += 1;
      // Without an end the test would never come back.
      if (told < 10_000) synchronisation.request('the plugin was not content');
    },
  });
  synchronisation.onRequested(() => synchronisation.portsDone(0));
  synchronisation.portsDone(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told).toBeLessThan(100);
});

it('of thousands of conditions of one plugin some hundreds are kept, and it is said that there are more', async () => {
  await begin({});
  for (let index = 0; index < 5_000; index += 1)
    kit?.kernel.healthBook.report('culprit', { condition: `port ${index}`, level: 'degraded', detail: 'x' });
  const conditions = kit?.health('culprit').conditions ?? [];
  expect(conditions.length).toBeLessThan(600);
  expect(conditions.map(({ condition }) => condition)).toContain('more conditions');
});

it('two networks are never given one local VLAN', async () => {
  const net = (id: number) => ({ type: 'vlan', segmentation_id: id, physical_network: 'physnet1' });
  const networks = {
    networks: { blue: net(101), red: net(102) },
    ports: {
      'p-1': { network: 'blue', mac: 'fa:16:3e:00:00:01' },
      'p-2': { network: 'red', mac: 'fa:16:3e:00:00:02' },
    },
  };
  const other = culprit({ tap: (hooks) => hooks.resolveLocalVlan(() => 7, { before: ['local-vlan'] }) });
  kit = await Kit.start({
    plugins: [other, ...['standalone', 'integration-bridge', 'local-vlan', 'port-binding'].map(stock)],
    options: { standalone: { networks } },
  });
  for (const n of [1, 2])
    await kit.plug({ name: `tap${n}`, externalIds: { 'iface-id': `p-${n}`, 'attached-mac': `fa:16:3e:00:00:0${n}` } });
  await sleep(300);
  const ports = await kit.kernel.provided(Service.ports)?.ports();
  const up = ports?.filter(({ state }) => state === 'up').map(({ bound }) => bound?.localVlan) ?? [];
  expect(new Set(up).size).toBe(up.length);
});

it('an internal port that a plugin makes under a VIF’s name does not take the VIF away', async () => {
  await begin({
    tap: (hooks, { desired }) => {
      hooks.onPortAdded(() => desired.set('mine', { ports: [{ kind: 'internal', bridge: 'br-int', name: 'tap1' }] }));
      hooks.onPortRemoved(() => desired.unset('mine'));
    },
  });
  await kit?.plug({ name: 'tap1', externalIds: { 'iface-id': 'p-1' } });
  await kit?.fire.onPortAdded(port('1'));
  await kit?.fire.onPortRemoved({ bound: port('1'), reason: 'unplugged' });
  expect((await kit?.switch.view.ports('br-int'))?.map(({ name }) => name)).toContain('tap1');
});

it('a fact that is none is refused to who tells it, and nobody else is blamed', async () => {
  await begin({}, {}, [Honest]);
  await kit?.kernel.announcer.event('mine', (calls) => calls.tell('onPortAdded', {} as never)).catch(() => undefined);
  expect(kit?.health('honest').level).toBe('ok');
});

it('a command whose answer is no JSON is answered with an error', async () => {
  const socket = join(mkdtempSync(join(tmpdir(), 'h3-')), 'a.sock');
  const server = new AdminServer(socket, { command: async () => cyclic } as never);
  await server.start();
  const note = () => undefined;
  process.on('unhandledRejection', note);
  const status = await Promise.race([
    sleep(1000).then(() => 'no answer'),
    new Promise((resolve) =>
      request({ socketPath: socket, path: '/command/p/c', method: 'POST' }, (response) => resolve(response.statusCode))
        .on('error', () => resolve('no answer'))
        .end('[]'),
    ),
  ]);
  process.off('unhandledRejection', note);
  await server.stop();
  expect(status).toBe(500);
});
