import { constructorTokens } from '@patchbay/agent/testing';
import {
  type AgentHooks,
  type DesiredRecords,
  type HookName,
  type Manifest,
  manifestOf,
  type PluginClass,
  Service,
  type Token,
  type Vif,
} from '@patchbay/sdk';
import type { Fired } from './firing';
import { watchInputOutput } from './input-output';
import { Kit, type KitOptions } from './kit';
import { misbehavingPlugin } from './neighbours';
import { aBoundSegment, anIsolatedPort, aPort, aRemoval, aTunnelEndpoint } from './samples';
import { watchTimers } from './timers';

/** A hook and what it is told. */
export type Fact = {
  readonly [H in HookName]: readonly [H, Parameters<Parameters<AgentHooks[H]>[0]>[0]];
}[HookName];

export interface ContractOptions extends Omit<KitOptions, 'plugins' | 'options' | 'mayFail'> {
  /** The plugin's own options. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Plugins it cannot do without. */
  readonly with?: readonly PluginClass[];
  readonly optionsOfOthers?: KitOptions['options'];
  /** What is there. Default: two ports in two segments, an isolated one, a tunnel endpoint. */
  readonly facts?: readonly Fact[];
  /** What takes all of it away again. */
  readonly removals?: readonly Fact[];
  /** Fields that hold allotted numbers (`meter`): which one a port is given may differ with the order of facts. */
  readonly allotted?: readonly string[];
  /** It wants nothing of the switch and answers no hook that the facts ask: it reports, serves others, or tells. Not said of a plugin that does, it would hide one that is broken. */
  readonly statesNothing?: boolean;
  /**
   * Resolves when the plugin has stated what comes of the facts told so far, where `kit.settled()` cannot know: it waits for a message that the
   * test must send, or for a process of its own. Called whenever facts have been told.
   */
  readonly settled?: (kit: Kit) => Promise<void> | void;
}

const SECOND = { id: 'port-2', localVlan: 2, segment: { networkId: 'network-2', segmentationId: 102 } } as const;

const FACTS: readonly Fact[] = [
  ['onSegmentBound', aBoundSegment()],
  ['onPortAdded', aPort()],
  ['onSegmentBound', aBoundSegment(SECOND.segment, SECOND.localVlan)],
  ['onPortAdded', aPort(SECOND)],
  ['onPortIsolated', anIsolatedPort()],
  ['onTunnelEndpointAdded', aTunnelEndpoint()],
];

const REMOVALS: readonly Fact[] = [
  ['onPortRemoved', aRemoval()],
  ['onPortRemoved', aRemoval(SECOND)],
  ['onPortRemoved', aRemoval({ id: 'port-9' }, 'unplugged')],
  ['onTunnelEndpointRemoved', aTunnelEndpoint()],
  ['onSegmentReleased', aBoundSegment()],
  ['onSegmentReleased', aBoundSegment(SECOND.segment, SECOND.localVlan)],
];

/**
 * What every plugin owes, stock or not, as a suite of its own: no input or output when constructed, the same for facts told twice or in
 * another order, nothing left after a release, the same after a crash, no timer after a stop, unknown options refused, a throwing neighbour
 * survived, and something stated: plain data that the manifest claims and the switch takes, with a word when it is complete. A tap that fails
 * fails the test that told its fact.
 */
export function describePluginContract(plugin: PluginClass, options: ContractOptions = {}): void {
  const manifest = manifestOf(plugin);
  const id = manifest?.id ?? plugin.name;
  const facts = options.facts ?? FACTS;
  const removals = options.removals ?? REMOVALS;
  const kits: Kit[] = [];

  const tell = async (kit: Kit, told: readonly Fact[]): Promise<void> => {
    await fireAll(kit, told);
    await kit.settled();
    await options.settled?.(kit);
  };

  const start = async (extra: readonly PluginClass[] = [], own = options.options ?? {}): Promise<Kit> => {
    const {
      with: others = [],
      optionsOfOthers = {},
      facts: _facts,
      removals: _removals,
      allotted: _allotted,
      statesNothing: _statesNothing,
      settled: _settled,
      ...more
    } = options;
    const kit = await Kit.start({
      ...more,
      plugins: [plugin, ...extra, ...others],
      options: { ...optionsOfOthers, [id]: own },
    });
    kits.push(kit);
    return kit;
  };

  describe(`the contract of ${id}`, () => {
    afterEach(async () => {
      for (const kit of kits.splice(0)) await kit.stop();
    });

    it('does no input or output, and asks no service, when it is constructed', () => {
      const asked: string[] = [];
      const tokens = constructorTokens(plugin);
      const parsed = manifest?.config === undefined ? {} : manifest.config.parse(options.options ?? {});
      const timers = watchTimers();
      const inputOutput = watchInputOutput();
      try {
        new plugin(...tokens.map((token) => (token === Service.config.toString() ? parsed : trap(token, asked))));
        expect([...asked, ...timers.outstanding(), ...inputOutput.made()]).toEqual([]);
      } finally {
        inputOutput.end();
        timers.end();
      }
    });

    it('wants the same when facts are told twice', async () => {
      const kit = await start();
      await tell(kit, facts);
      const once = picture(kit);
      await tell(kit, facts);
      expect(picture(kit)).toEqual(once);
    });

    it('wants the same in whatever order facts are told', async () => {
      const kit = await start();
      await tell(kit, facts);
      const wanted = picture(kit);
      for (const order of [[...facts].reverse(), interleaved(facts)]) {
        const other = await start();
        await tell(other, order);
        expect(without(options.allotted, picture(other))).toEqual(without(options.allotted, wanted));
      }
    });

    it('leaves nothing behind when everything is released', async () => {
      const kit = await start();
      const before = picture(kit);
      await tell(kit, facts);
      await tell(kit, removals);
      expect(picture(kit)).toEqual(before);
    });

    it('wants the same after a crash', async () => {
      const kit = await start();
      await tell(kit, facts);
      const before = picture(kit);
      await kit.crashAndRestart();
      await tell(kit, facts);
      expect(picture(kit)).toEqual(before);
    });

    it('leaves no timer when it has stopped', async () => {
      const timers = watchTimers();
      try {
        const kit = await start();
        await tell(kit, facts);
        await kit.stop();
        expect(timers.outstanding()).toEqual([]);
      } finally {
        timers.end();
      }
    });

    it('refuses an option that it does not know', async () => {
      const unknown = { ...options.options, 'no-such-option': true };
      await expect(start([], unknown)).rejects.toThrow(/no-such-option/);
    });

    it('goes on beside a plugin that throws in every hook', async () => {
      const alone = await start();
      await tell(alone, facts);
      const beside = await start([misbehavingPlugin('throws')]);
      await tell(beside, facts);
      expect(picture(beside)).toEqual(picture(alone));
    });

    it('states plain data that its manifest claims and the switch takes, and says when that is complete', async () => {
      const kit = await start();
      await plugPortsOf(kit, facts);
      await tell(kit, facts);
      for (const records of kit.wants().values()) expect(structuredClone(records)).toEqual(records);
      await tell(kit, [['onAgentSynced', { ports: portsOf(facts).length }]]);
      await synchronised(kit, portsOf(facts).length);
      expect(refusedKeys(kit)).toEqual([]);
      if (options.statesNothing !== true) refuseIdle(kit);
      if (writes(kit, manifest)) await becomesComplete(kit);
    });
  });
}

/** @throws where a tap of the plugin under test fails: what it would have stated is missing, and looks the same told twice. */
async function fireAll(kit: Kit, facts: readonly Fact[]): Promise<void> {
  for (const [hook, payload] of facts) {
    const { failures } = await (kit.fire[hook] as (payload: unknown) => Promise<Fired>)(payload);
    const own = failures.find(({ plugin }) => plugin === kit.plugin);
    if (own !== undefined) throw new Error(`the tap ${hook} of ${kit.plugin} failed: ${own.reason}`);
  }
}

/** Ports as the facts have them: what waits for a port is looked at by nobody. */
async function plugPortsOf(kit: Kit, facts: readonly Fact[]): Promise<void> {
  const bridges = new Map(portsOf(facts).map(({ portName, bridge }) => [portName, bridge]));
  for (const [name, bridge] of bridges) await kit.plug({ name, bridge });
}

function portsOf(facts: readonly Fact[]): readonly Vif[] {
  return facts.flatMap(([hook, payload]) => (hook === 'onPortAdded' ? [payload.vif] : []));
}

/** For those who wait for the first synchronisation in place of its hook. */
async function synchronised(kit: Kit, ports: number): Promise<void> {
  kit.kernel.synchronisation.portsDone(ports);
  await kit.kernel.synchronisation.synced;
  await kit.settled();
}

/** Keys that the agent or the switch does not take, with the reason. */
function refusedKeys(kit: Kit): readonly string[] {
  const refused = kit.health().conditions.filter(({ condition }) => condition.startsWith('refused key'));
  const quarantined = [...kit.switch.store.all()].flatMap(({ plugin, key, progress }) =>
    plugin === kit.plugin && progress.state === 'quarantined' ? [`quarantined key ${key}: ${progress.reason}`] : [],
  );
  return [...refused.map(({ condition, detail }) => `${condition}: ${detail}`), ...quarantined];
}

/** @throws where nothing came of all the facts: a contract that is kept by doing nothing says nothing. */
function refuseIdle(kit: Kit): void {
  const answered = kit.kernel.trace().some(({ plugin, outcome }) => plugin === kit.plugin && ANSWERS.has(outcome));
  if (answered || kit.wants().size > 0) return;
  throw new Error(
    `${kit.plugin} stated nothing and answered nothing of all that it was told: give \`facts\`, \`options\` or \`prepare\` that it acts on, or say \`statesNothing: true\``,
  );
}

const ANSWERS: ReadonlySet<string> = new Set(['answered', 'changed', 'refused']);

function writes(kit: Kit, manifest: Manifest | undefined): boolean {
  const { claims = [], tables = [], columns = [] } = manifest ?? {};
  return claims.length + tables.length + columns.length + kit.wants().size > 0;
}

/** Milliseconds that a plugin has for saying that it is complete, all that it knows of having been told. */
const COMPLETE_WITHIN_MS = 2_000;

/** @throws where the plugin never says so: an agent would leave what strangers wrote into its tables for ever. */
async function becomesComplete(kit: Kit): Promise<void> {
  const deadline = performance.now() + COMPLETE_WITHIN_MS;
  while (!kit.switch.store.isComplete(kit.plugin)) {
    if (performance.now() > deadline) {
      throw new Error(`${kit.plugin} never said desired.complete(), all facts and onAgentSynced having been told`);
    }
    await kit.settled();
  }
}

/** What a plugin wants, in an order that does not depend on how it came about. */
function picture(kit: Kit): Readonly<Record<string, DesiredRecords>> {
  return Object.fromEntries([...kit.wants()].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** The same with allotted numbers made alike. */
function without(fields: readonly string[] = [], value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => without(fields, item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      fields.includes(key) && typeof inner === 'number' ? 'allotted' : without(fields, inner),
    ]),
  );
}

/** The second half between the first. */
function interleaved(facts: readonly Fact[]): readonly Fact[] {
  const middle = Math.ceil(facts.length / 2);
  const [first, second] = [facts.slice(0, middle), facts.slice(middle)];
  return first.flatMap((fact, index) => [...second.slice(index, index + 1), fact]);
}

/** Registering what others will ask for later, and making a connection that is not opened yet, is no input or output. */
const HARMLESS: ReadonlySet<string> = new Set(
  ([Service.commands, Service.metrics, Service.messaging] as readonly Token<unknown>[]).map(String),
);

/** A service that notes whoever calls it. */
function trap(token: string | undefined, asked: string[]): unknown {
  const name = token ?? 'a service without a token';
  // Plain data may be read at any time.
  if (name === Service.tables.toString()) return {};
  if (name === Service.identity.toString()) {
    return { integrationBridge: 'br-int', tunnelBridge: 'br-tun', host: 'compute-1', datapathType: 'netdev' };
  }
  const note = (path: string): unknown =>
    new Proxy(() => undefined, {
      get: (_target, property) => note(`${path}.${String(property)}`),
      apply: () => {
        if (!HARMLESS.has(name)) asked.push(path);
        return note(`${path}()`);
      },
    });
  return note(name);
}
