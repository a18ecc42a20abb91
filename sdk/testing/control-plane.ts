import { FollowedObjects } from '@patchbay/agent/testing';
import { OBJECT_VERSIONS } from '@patchbay/plugins';
import type {
  AddressGroup,
  AgentState,
  CachedObject,
  ControlPlane,
  ControlPlaneChange,
  GroupMember,
  LeftQueues,
  Network,
  ObjectCache,
  ObjectChange,
  ObjectFollowing,
  PortDescription,
  PortReport,
  ResourceView,
  Rpc,
  RpcConnection,
  RpcState,
  RpcTarget,
  SecurityGroup,
  Subnet,
  TunnelEndpoint,
  TunnelType,
  Unsubscribe,
  UnusedResources,
} from '@patchbay/sdk';

/** Milliseconds that a question is waited for. */
const PATIENCE_MS = 1_000;

/** A part that a test can make fail or dawdle while it runs. */
export class Unreliable {
  /** Set: every question is answered by this error. */
  failure: Error | undefined;
  /** Milliseconds before every answer, and every failure. */
  delayMs = 0;
  private readonly begun = new Set<{ readonly at: number }>();

  /** Questions that are still to be answered: `kit.settled()` waits for them. Not those asked a second ago, which a test means to hang. */
  get underWay(): number {
    const since = performance.now() - PATIENCE_MS;
    return [...this.begun].filter(({ at }) => at > since).length;
  }

  protected async answer<T>(make: () => T | Promise<T>): Promise<T> {
    const question = { at: performance.now() };
    this.begun.add(question);
    try {
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs).unref());
      if (this.failure !== undefined) throw this.failure;
      return await make();
    } finally {
      this.begun.delete(question);
    }
  }
}

/** A control plane that knows what a test tells it, and remembers what it was told. */
export class FakeControlPlane extends Unreliable implements ControlPlane {
  readonly ports = new Map<string, PortDescription>();
  readonly endpoints: TunnelEndpoint[] = [];
  /** Everything that was reported, in order. */
  readonly reports: PortReport[] = [];
  readonly states: AgentState[] = [];
  readonly forgotten: string[] = [];
  private readonly listeners = new Set<(change: ControlPlaneChange) => void>();

  describePorts(portIds: readonly string[]): Promise<readonly PortDescription[]> {
    return this.answer(() => portIds.flatMap((id) => this.ports.get(id) ?? []));
  }

  reportPorts(report: PortReport): Promise<{ readonly failed: readonly string[] }> {
    return this.answer(() => {
      this.reports.push(report);
      return { failed: [] };
    });
  }

  registerTunnelEndpoint({ tunnelType }: { readonly tunnelType: TunnelType }): Promise<readonly TunnelEndpoint[]> {
    return this.answer(() => this.endpoints.filter((endpoint) => endpoint.tunnelType === tunnelType));
  }

  reportState(state: AgentState): Promise<'new' | 'alive'> {
    return this.answer(() => {
      this.states.push(state);
      return this.states.length === 1 ? 'new' : 'alive';
    });
  }

  forgetPort(portId: string): void {
    this.forgotten.push(portId);
  }

  subscribe(listener: (change: ControlPlaneChange) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells the agent of a change, as the server would. */
  change(change: ControlPlaneChange): void {
    for (const listener of this.listeners) listener(structuredClone(change));
  }
}

/** Resources that a test puts there. */
export class FakeResources extends Unreliable implements ResourceView {
  readonly groups: SecurityGroup[] = [];
  readonly members = new Map<string, readonly GroupMember[]>();
  readonly addresses: AddressGroup[] = [];
  readonly knownNetworks: Network[] = [];
  readonly knownSubnets: Subnet[] = [];
  /** What plugins said that nobody uses any more. Nothing is taken away by it. */
  readonly forgotten: UnusedResources[] = [];

  securityGroups = (ids: readonly string[]) => this.answer(() => this.groups.filter(({ id }) => ids.includes(id)));
  membersOf = (securityGroupId: string) => this.answer(() => this.members.get(securityGroupId) ?? []);
  addressGroups = (ids: readonly string[]) => this.answer(() => this.addresses.filter(({ id }) => ids.includes(id)));
  networks = (ids: readonly string[]) => this.answer(() => this.knownNetworks.filter(({ id }) => ids.includes(id)));
  subnets = (ids: readonly string[]) => this.answer(() => this.knownSubnets.filter(({ id }) => ids.includes(id)));
  forget = (unused: UnusedResources): void => void this.forgotten.push(unused);
}

export interface RecordedCall {
  /** `pull`: versioned objects were asked for, by the method `pull` (one, by its id) or `bulk_pull` (those of a filter, or all). */
  readonly kind: 'call' | 'cast' | 'pull';
  readonly target: RpcTarget;
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Where a server answers for versioned objects. */
const PULLED: RpcTarget = { topic: 'q-plugin', version: '1.1' };

type Push = Parameters<Parameters<Rpc['watchObjects']>[2]>[0];
type Methods = Parameters<Rpc['listen']>[1];
type Filter = Readonly<Record<string, readonly unknown[]>>;

/** A message bus with nobody on it but the test. */
export class FakeRpc extends Unreliable implements RpcConnection {
  readonly sent: RecordedCall[] = [];
  /** Answers to calls, by method; they may come late, or be errors thrown. A method without one is refused, as a server refuses what it does not know. */
  readonly answers = new Map<string, (args: Readonly<Record<string, unknown>>) => unknown>();
  private readonly listening = new Set<{ readonly topic: string; readonly methods: Methods }>();
  private readonly watching = new Set<{ readonly type: string; readonly listener: (push: Push) => void }>();
  private readonly restored = new Set<() => void>();
  readonly objects = new FakeObjects(
    (make) => this.answer(make),
    (type, listener) => this.watchObjects(type, '', listener),
    (type, version, filter) => this.notePull('bulk_pull', type, version, { filter_kwargs: filter }),
  );

  call(target: RpcTarget, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.sent.push({ kind: 'call', target, method, args });
    return this.answer(async () => {
      const answer = this.answers.get(method);
      if (answer === undefined) throw new Error(`the server knows no method ${method} on ${target.topic}`);
      return structuredClone(await answer(args));
    });
  }

  cast(target: RpcTarget, method: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    this.sent.push({ kind: 'cast', target, method, args });
    return this.answer(() => undefined);
  }

  listen({ topic }: RpcTarget, methods: Methods): Unsubscribe {
    const entry = { topic, methods };
    this.listening.add(entry);
    return () => this.listening.delete(entry);
  }

  watchObjects(type: string, _version: string, listener: (push: Push) => void): Unsubscribe {
    const entry = { type, listener };
    this.watching.add(entry);
    return () => this.watching.delete(entry);
  }

  pullObject(type: string, version: string, id: string) {
    this.notePull('pull', type, version, { resource_id: id });
    return this.answer(() => this.objects.all.get(type)?.find((object) => object.id === id));
  }

  pullObjects(type: string, version = '', filter: Filter | null = null) {
    this.notePull('bulk_pull', type, version, { filter_kwargs: filter });
    return this.objects.matching(type, filter);
  }

  onRestored(listener: () => void): Unsubscribe {
    this.restored.add(listener);
    return () => this.restored.delete(listener);
  }

  open(): void {}

  async removeUnusedQueues(): Promise<LeftQueues> {
    return { removed: [], inUse: [], refused: [] };
  }

  onProblem(): void {}

  async close(): Promise<void> {}

  async state(): Promise<RpcState> {
    const connected = this.failure === undefined;
    return { connected, connections: 1, queues: this.listening.size, lastReceivedMsAgo: 0, detail: 'a test' };
  }

  // ── the test's side ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends a method to those who listen on the topic. @throws where nobody does. */
  async notify(topic: string, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const handlers = [...this.listening].flatMap((entry) =>
      entry.topic === topic ? (entry.methods[method] ?? []) : [],
    );
    if (handlers.length === 0) throw new Error(`nobody listens for ${method} on ${topic}`);
    let answer: unknown;
    for (const handler of handlers) answer = await handler(structuredClone(args), 'kit');
    return answer;
  }

  /** Pushes versioned objects to those who watch or follow their type; the server has them, or has them no more, from then on. */
  push(type: string, event: Push['event'], ...objects: Push['objects']): void {
    this.objects.pushed(type, event, objects);
    for (const entry of this.watching) {
      if (entry.type === type) entry.listener(structuredClone({ event, objects, cause: 'kit' }));
    }
  }

  private notePull(
    method: 'pull' | 'bulk_pull',
    type: string,
    version: string,
    what: Readonly<Record<string, unknown>>,
  ): void {
    this.sent.push({ kind: 'pull', target: PULLED, method, args: { resource_type: type, version, ...what } });
  }

  /** The broker was away and is back: what is followed is asked for again, as the agent does, and listeners are told. */
  restore(): void {
    this.objects.resynchronise('broker-restored').catch(() => undefined);
    for (const listener of this.restored) listener();
  }
}

/**
 * The object cache of a FakeRpc: the agent's own, before a server that knows what a test puts in `all`. It refuses what it refuses in an agent,
 * answers what was asked once from memory, and fails and dawdles with the FakeRpc where it asks.
 */
export class FakeObjects implements ObjectCache {
  /** What the server has, by type. */
  readonly all = new Map<string, readonly CachedObject[]>();
  /** Listeners that threw, as `type: reason`. */
  readonly failedListeners: string[] = [];
  private readonly cache: FollowedObjects;

  constructor(
    private readonly answer: <T>(make: () => T) => Promise<T> = async (make) => make(),
    watch: (type: string, listener: (push: Push) => void) => Unsubscribe = () => () => undefined,
    asked: (type: string, version: string, filter: Filter | null) => void = () => undefined,
  ) {
    this.cache = new FollowedObjects({
      own: OBJECT_VERSIONS,
      chunkSize: 20,
      pull: async (type, version, filter) => {
        asked(type, version, filter);
        return { objects: await this.matching(type, filter), unreadable: [] };
      },
      watch: (type, _version, listener) => ({ bound: Promise.resolve(), end: watch(type, listener) }),
      onUnreadable: () => undefined,
      onListenerFailed: (type, reason) => void this.failedListeners.push(`${type}: ${reason}`),
    });
    this.cache.open();
  }

  follow(type: string, how: ObjectFollowing, listener: (change: ObjectChange) => void): Unsubscribe {
    return this.cache.follow(type, how, listener);
  }

  versions(): Promise<Readonly<Record<string, string>>> {
    return this.cache.versions();
  }

  load(type: string, ids: readonly string[]): Promise<readonly CachedObject[]> {
    return this.cache.load(type, ids);
  }

  find(type: string, field: string, value: string): Promise<readonly CachedObject[]> {
    return this.cache.find(type, field, value);
  }

  forget(type: string, id: string): void {
    this.cache.forget(type, id);
  }

  forgetFound(type: string, field: string, value: string): void {
    this.cache.forgetFound(type, field, value);
  }

  subscribe(listener: (change: ObjectChange) => void): Unsubscribe {
    return this.cache.subscribe(listener);
  }

  resynchronise(cause: string, types?: readonly string[]): Promise<void> {
    return this.cache.resynchronise(cause, types);
  }

  // ── the test's side ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the server has of a type, of a filter what every field named in it allows. */
  matching(type: string, filter: Filter | null): Promise<readonly CachedObject[]> {
    return this.answer(() =>
      (this.all.get(type) ?? [])
        .filter((object) => Object.entries(filter ?? {}).every(([field, wanted]) => holdsOneOf(object[field], wanted)))
        .map((object) => structuredClone(object)),
    );
  }

  /** What was pushed is what the server has. */
  pushed(type: string, event: Push['event'], objects: Push['objects']): void {
    const others = (this.all.get(type) ?? []).filter(({ id }) => !objects.some((object) => object.id === id));
    this.all.set(type, event === 'deleted' ? others : [...others, ...(objects as readonly CachedObject[])]);
  }

  /** Tells of a change that nothing led to. */
  change(change: ObjectChange): void {
    this.cache.tell(structuredClone(change));
  }
}

function holdsOneOf(held: unknown, wanted: readonly unknown[]): boolean {
  return Array.isArray(held) ? held.some((one) => wanted.includes(one)) : wanted.includes(held);
}
