import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cookieOf,
  createKernel,
  createSwitch,
  defaultSettings,
  describeInWorker,
  type Kernel,
  type KernelOptions,
  metricsForTests,
  type PluginHealth,
  type Switch,
} from '@patchbay/agent/testing';
import { STOCK } from '@patchbay/plugins';
import {
  type CommandAnswer,
  type DesiredRecords,
  type Flow,
  type HookName,
  manifestOf,
  type PluginClass,
  Service,
} from '@patchbay/sdk';
import type { Backend, PacketSentUp, PluggedPort } from './backend';
import { FakeControlPlane, FakeResources, FakeRpc } from './control-plane';
import { callHook, type Fire, type Fired, fireBy } from './firing';
import { RecordedLog } from './log';
import { MemoryBackend } from './memory-backend';
import { OvsBackend } from './ovs-backend';
import { builtModule, pluginUnderTest, warnIfStale } from './own-module';
import { notingPackets, type PacketOut } from './packets-out';
import { FakePorts } from './ports';
import { standIns } from './stand-ins';

export interface KitOptions {
  /** The plugin under test first; those it lives with after it. */
  readonly plugins: readonly PluginClass[];
  /** Built modules of plugins that run in a worker, each with its options. */
  readonly isolated?: readonly { readonly file: string; readonly options?: Readonly<Record<string, unknown>> }[];
  /** Milliseconds that the agent gives a worker: between signs of life, without one (a minute, if not given), and before a new start. */
  readonly workerSettings?: KernelOptions['workerSettings'];
  /** Milliseconds that starts and stops may take. The kit waits a minute for a plugin's start, if not told otherwise. */
  readonly lifecycleSettings?: KernelOptions['lifecycleSettings'];
  /** Options by plugin id. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Bridges that are there from the start. Default: br-int and br-tun. */
  readonly bridges?: readonly string[];
  /** Milliseconds that a tap may take. Default 1000. */
  readonly tapBudgetMs?: number;
  /** Flows that a plugin may want. */
  readonly flowBudget?: number;
  /** Packets a second that a plugin's manifest may ask for; what operators have who say nothing, if not given. */
  readonly packetInCeiling?: number;
  /** Puts into the kit what plugins ask for when they start: resources, answers of the server, ports. */
  readonly prepare?: (kit: Kit) => Promise<void> | void;
  /** The plugin under test may fail to be constructed, to tap or to start: for tests of what the agent does then. Default: the kit rejects. */
  readonly mayFail?: boolean;
  /**
   * Where the plugin under test runs. `worker`: its package's built module, in a thread of its own.
   * Default: what the environment variable PATCHBAY_TEST_ISOLATION says, `main` if it says nothing.
   */
  readonly isolation?: 'main' | 'worker';
  /** Default: what the environment variable PATCHBAY_TEST_SWITCH says, `memory` if it says nothing. */
  readonly switch?: 'memory' | 'ovs';
}

/** What a worker may take to be loaded, and be without a sign of life, and what a start may take: more than an agent gives it, for a machine that runs many tests at once. */
const PATIENCE_MS = 60_000;

/** Milliseconds after which a plugin that always finds more to do is waited for no longer. */
const SETTLED_MS = 2_000;
/** Milliseconds that a worker has for saying what it is at: one that loops never does. */
const ANSWER_MS = 1_000;

/**
 * A whole agent for a test: the real kernel and the real reconciler, on a switch in memory or a real one of its own. A test fires hooks where the
 * agent's control plane and port lifecycle would, and looks at what the plugin wants and what the switch has.
 */
export class Kit {
  readonly controlPlane = new FakeControlPlane();
  readonly resources = new FakeResources();
  readonly rpc = new FakeRpc();
  readonly ports = new FakePorts();
  readonly log = new RecordedLog();
  readonly fire: Fire;
  readonly plugin: string;
  private readonly metricsOfPlugins = metricsForTests();
  private readonly stateDir = mkdtempSync(join(tmpdir(), 'patchbay-kit-'));
  private readonly sentOut: PacketOut[] = [];
  private parts: { readonly kernel: Kernel; readonly side: Switch } | undefined;

  private constructor(
    readonly options: KitOptions,
    readonly backend: Backend,
  ) {
    const [first] = options.plugins;
    this.plugin = (first === undefined ? undefined : manifestOf(first)?.id) ?? '';
    this.fire = fireBy((hook, payload) => this.fireHook(hook, payload));
  }

  /**
   * Makes and boots one. Stop it after the test. Rejects where the plugin under test failed to be constructed, to tap or to start: an agent
   * goes on without such a plugin, and a test that did so would pass for want of anything to look at.
   */
  static async start(options: KitOptions): Promise<Kit> {
    const wanted = options.switch ?? (process.env.PATCHBAY_TEST_SWITCH === 'ovs' ? 'ovs' : 'memory');
    const backend = wanted === 'ovs' ? await OvsBackend.start() : new MemoryBackend();
    const kit = new Kit(options, backend);
    try {
      for (const bridge of options.bridges ?? ['br-int', 'br-tun']) await backend.addBridge(bridge);
      await options.prepare?.(kit);
      await kit.boot();
    } catch (error) {
      await kit.stop();
      throw error;
    }
    return kit;
  }

  get kernel(): Kernel {
    return this.live().kernel;
  }

  get switch(): Switch {
    return this.live().side;
  }

  /** The switch in memory. @throws where the test runs on a real one. */
  get memory(): MemoryBackend {
    if (this.backend instanceof MemoryBackend) return this.backend;
    throw new Error('this test needs the switch in memory: give the kit `switch: "memory"`');
  }

  /** What a plugin wants, key by key; of the plugin under test unless told otherwise. */
  wants(plugin = this.plugin): ReadonlyMap<string, DesiredRecords> {
    const all = [...this.switch.store.all()].filter((entry) => entry.plugin === plugin);
    return new Map(all.flatMap(({ key, records }) => (records === null ? [] : [[key, records] as const])));
  }

  /** Flows that a plugin wants on a bridge, those of its gates among them. */
  wantedFlows(bridge: string, plugin = this.plugin): readonly Flow[] {
    const records = [...this.wants(plugin).values()];
    const flows = records.flatMap(({ flows = [], gates = [] }) => [
      ...flows,
      ...gates.flatMap((gate) => gate.admission ?? []),
    ]);
    return flows.filter((flow) => flow.bridge === bridge);
  }

  /** Flows of a plugin that the switch itself has on a bridge. */
  async installedFlows(bridge: string, plugin = this.plugin): Promise<readonly Flow[]> {
    const cookie = cookieOf(plugin);
    return (await this.backend.installed(bridge)).filter((flow) => flow.cookie === cookie).map((flow) => flow.decode());
  }

  health(plugin = this.plugin): PluginHealth {
    return this.kernel.healthBook.plugin(plugin);
  }

  command(name: string, ...words: readonly string[]): Promise<CommandAnswer> {
    return this.kernel.commands.run(this.plugin, name, words);
  }

  /**
   * Frames that a plugin sent with `effects.packetOut` and the switch took, in its own words, in order. What the switch made of them is not
   * among them: one in memory forwards nothing, and of a real one it is seen where they arrive.
   */
  packetsOut(plugin = this.plugin): readonly PacketOut[] {
    return this.sentOut.filter((packet) => packet.plugin === plugin);
  }

  /** Prometheus text of what plugins count. */
  metrics(): Promise<string> {
    return this.metricsOfPlugins.text();
  }

  /** Plugs a port into a bridge and waits until the agent has seen it. */
  async plug(port: PluggedPort): Promise<void> {
    await this.backend.plug(port);
    if (this.parts !== undefined) await this.settled();
  }

  async unplug(name: string): Promise<void> {
    await this.backend.unplug(name);
    await this.settled();
  }

  /**
   * Sends a frame up to the plugin under test: on the switch in memory as if a flow of its own in that table had, on a real one through that
   * table, whose flows decide.
   */
  async packetIn(packet: Omit<PacketSentUp, 'cookie'>): Promise<void> {
    await this.backend.packetIn({ ...packet, cookie: cookieOf(this.plugin) }, this.switch);
    await this.settled();
  }

  /** The switch ends and is there again with empty tables. Resolves when the agent has noticed, and has done what it does then. */
  async restartSwitch(): Promise<void> {
    const { bridgesRead, flows } = this.switch.status();
    // Whoever has written nothing has lost nothing, and is not told.
    const told = flows === 0 ? undefined : new Promise((resolve) => this.switch.onReconnected(resolve));
    await this.backend.restart();
    await told;
    const isBack = (): boolean => bridgesRead.every((bridge) => this.switch.status().bridgesRead.includes(bridge));
    do await this.settled();
    while (!isBack());
  }

  /**
   * Waits until agent and switch have nothing under way: jobs of plugins that are at work or due at once, questions to the fakes, what a
   * worker has said. Neither for rounds of `every` and retries that are to come, nor for what takes longer than a second.
   */
  async settled(): Promise<void> {
    const deadline = performance.now() + SETTLED_MS;
    for (let still = false; !still; ) {
      const before = await this.isAtWork();
      await this.backend.quiet(this.switch);
      still = (!before && !(await this.isAtWork())) || performance.now() > deadline;
    }
  }

  /** The agent dies: the switch and the state directory stay as they are. Another is booted on them. */
  async crashAndRestart(): Promise<void> {
    await this.end('crash');
    await this.boot();
  }

  /** The agent stops as it should, and another is booted. */
  async restart(): Promise<void> {
    await this.end('stop');
    await this.boot();
  }

  /** Ends everything. Doing it twice is no error. */
  async stop(): Promise<void> {
    await this.end('stop');
    await this.backend.stop();
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  private async fireHook(hook: HookName, payload: unknown): Promise<Fired> {
    const copied = structuredClone(payload);
    await this.ports.aboutToTell(hook, copied);
    const outcome = await this.kernel.announcer.event(`kit ${hook}`, (calls) => callHook(calls, hook, copied));
    const keys = await outcome.acknowledged();
    await this.settled();
    return { ...outcome.value, keys };
  }

  private async boot(): Promise<void> {
    const { settings, more } = this.backend.reach;
    const { plugins, options = {}, tapBudgetMs = 1000, flowBudget, packetInCeiling } = this.options;
    const isolated = (await Promise.all((this.options.isolated ?? []).map(isolatedPlugins))).flat();
    const all = [
      ...plugins,
      ...standIns(plugins, [
        [Service.controlPlane, this.controlPlane],
        [Service.resources, this.resources],
        [Service.rpc, this.rpc],
        [Service.ports, this.ports],
      ]),
    ];
    const manifests = all.map((one) => {
      const manifest = manifestOf(one);
      if (manifest === undefined) throw new Error(`${one.name} is no plugin: it lacks @plugin({…})`);
      return manifest;
    });
    const side = createSwitch({
      settings,
      ...more,
      logger: this.log.for('switch'),
      plugins: [...isolated.map(({ manifest }) => manifest), ...manifests].map(
        ({ id, required = false, claims = [] }) => ({
          id,
          required,
          claims,
        }),
      ),
    });
    const kernel = createKernel({
      settings: { state_dir: this.stateDir, packet_in_ceiling: packetInCeiling ?? defaultSettings().packet_in_ceiling },
      plugins: [
        ...isolated.map(({ entry }) => entry),
        ...manifests.map(({ id, required }) => ({
          name: id,
          options: options[id] ?? {},
          from: 'kit',
          ...(required === undefined ? {} : { required }),
          ...(id === this.plugin ? this.place() : {}),
        })),
      ],
      // The stock plugins that are not in the test are known all the same: taps may be ordered by their names.
      stock: new Map([
        ...Object.entries(STOCK),
        ...all.map((one, index) => [manifests[index]?.id ?? '', one] as const),
      ]),
      describe: (file, entry) =>
        entry.name === this.place()?.name
          ? pluginUnderTest(file, entry, this.plugin)
          : describeInWorker(file, entry, PATIENCE_MS),
      loggerOf: (id) => this.log.for(id),
      configDir: this.stateDir,
      hookSettings: {
        budgetsMs: { before: tapBudgetMs, on: tapBudgetMs, resolve: tapBudgetMs, contribute: tapBudgetMs },
      },
      ...(flowBudget === undefined ? {} : { flowBudget }),
      lifecycleSettings: { patienceMs: PATIENCE_MS, ...this.options.lifecycleSettings },
      workerSettings: { patienceMs: PATIENCE_MS, ...this.options.workerSettings },
      agentServices: {
        identity: {
          host: 'compute-1',
          version: '0.1.0',
          integrationBridge: settings.integration_bridge,
          tunnelBridge: settings.tunnel_bridge,
          datapathType: 'netdev',
        },
        switchView: side.view,
        messaging: { connect: () => this.rpc },
        desiredStore: side.store,
        effectsFor: (id) => notingPackets(id, side.effects(id), this.sentOut),
        claimTables: (id, claims) => side.claimTables(id, claims),
        packetsOf: (id, from, listener) => side.packets.subscribe(id, from, listener),
        metricsFor: (id) => this.metricsOfPlugins.of(id),
      },
    });
    this.parts = { kernel, side };
    side.onReconnected((reconnection) => {
      void kernel.announcer.event('switch-reconnected', (calls) => calls.tell('onSwitchReconnected', reconnection));
    });
    await side.start();
    await kernel.boot();
    if (this.options.mayFail !== true) this.refuseFailed();
    side.beginWriting();
    await this.settled();
  }

  /** @throws where the plugin under test is not at work. One that is still starting is not judged. */
  private refuseFailed(): void {
    const names = [this.plugin, this.place()?.name ?? this.plugin];
    const conditions = names.flatMap((name) => this.health(name).conditions);
    const failure = conditions.find(({ condition }) => condition === 'lifecycle');
    if (failure !== undefined) throw new Error(failure.detail);
  }

  private async isAtWork(): Promise<boolean> {
    const jobs = await withinMs(ANSWER_MS, this.kernel.jobsUnderWay(), 0);
    const parts = [this.rpc, this.resources, this.controlPlane];
    return jobs > 0 || parts.some(({ underWay }) => underWay > 0);
  }

  /** Where the plugin under test is found, if it is not to run where its class is. */
  private place(): { readonly name: string; readonly isolation: 'worker' } | undefined {
    const wanted = this.options.isolation ?? process.env.PATCHBAY_TEST_ISOLATION;
    if (wanted !== 'worker') return undefined;
    const name = builtModule(process.cwd());
    warnIfStale(process.cwd(), name);
    return { name, isolation: 'worker' };
  }

  private async end(how: 'stop' | 'crash'): Promise<void> {
    const { parts } = this;
    if (parts === undefined) return;
    this.parts = undefined;
    this.ports.forgetListeners();
    // A crash: what the kernel does on its way out must not reach the switch.
    if (how === 'crash') await parts.side.stop();
    await parts.kernel.stop();
    if (how === 'stop') await parts.side.stop();
  }

  private live(): { readonly kernel: Kernel; readonly side: Switch } {
    if (this.parts === undefined) throw new Error('the kit is stopped');
    return this.parts;
  }
}

/** What the work comes to, or the other where it takes longer. */
async function withinMs<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function isolatedPlugins({ file, options = {} }: NonNullable<KitOptions['isolated']>[number]) {
  const entry = { name: file, options, from: 'kit', isolation: 'worker' as const };
  return (await describeInWorker(file, entry, PATIENCE_MS)).map(({ manifest }) => ({ manifest, entry }));
}
