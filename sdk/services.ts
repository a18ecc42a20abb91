import type { KeyProgress } from './desired';
import type { AgentHooks, PortBindDraft, PortUnbindDraft, Refusal, StateReport } from './hooks';
import type {
  AddressGroup,
  BoundPort,
  BoundSegment,
  GroupMember,
  IsolatedPort,
  Network,
  PortDescription,
  SecurityGroup,
  Subnet,
  TunnelEndpoint,
  TunnelType,
  Vif,
} from './model';

/** Stops a subscription. Calling it twice is no error. */
export type Unsubscribe = () => void;

// ── agent ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Who this agent is, and the names of the bridges that are its own. */
export interface AgentIdentity {
  /** The host name that the control plane knows it by. */
  readonly host: string;
  readonly version: string;
  readonly integrationBridge: string;
  readonly tunnelBridge: string;
  readonly datapathType: 'system' | 'netdev';
}

/** Asks for, and tells of, synchronisation: caches are pulled again, facts told again, the whole switch compared. */
export interface Synchronisation {
  request(reason: string): void;
  onRequested(listener: (reason: string) => void): Unsubscribe;
  /**
   * Resolves when every plugin has started, was given up, or is so late that the others went on. Whoever binds ports tells of none before: a
   * plugin finishes what its `start()` waits for first.
   */
  readonly started: Promise<void>;
  /** Resolves when the first synchronisation is done. */
  readonly synced: Promise<void>;
  /** Said by the port lifecycle when every VIF that was there has been dealt with. */
  portsDone(count: number): void;
}

/** What an on-delivery came to. A failed tap degrades its plugin; `required` says whether the subject must stay shut. */
export interface Delivery {
  readonly failures: readonly { readonly plugin: string; readonly required: boolean; readonly reason: string }[];
}

type PayloadOf<H extends keyof AgentHooks> = Parameters<Parameters<AgentHooks[H]>[0]>[0];
type FactHook = Extract<keyof AgentHooks, `on${string}`>;
type ToldHook = Exclude<FactHook, 'onReportState'>;

/** The hooks, seen from the side that calls them. */
export interface HookCalls {
  beforePortBind(draft: PortBindDraft): Promise<PortBindDraft | Refusal>;
  beforePortUnbind(draft: PortUnbindDraft): Promise<PortUnbindDraft | Refusal>;
  tell<H extends ToldHook>(hook: H, payload: PayloadOf<H>): Promise<Delivery>;
  resolveLocalVlan(question: PayloadOf<'resolveLocalVlan'>): Promise<number | undefined>;
  resolveTunnelPort(question: PayloadOf<'resolveTunnelPort'>): Promise<string | undefined>;
  /** The contributions merged in plugin order: maps key by key, lists of texts joined. */
  reportState(payload: PayloadOf<'onReportState'>): Promise<StateReport>;
}

export interface KeyAcknowledgement {
  readonly plugin: string;
  readonly required: boolean;
  readonly key: string;
  readonly progress: KeyProgress;
}

export interface EventOutcome<T> {
  readonly value: T;
  /** Settles when the switch has acknowledged every key that the event set or unset (`unset` is then its progress), or it is known why not. */
  acknowledged(): Promise<readonly KeyAcknowledgement[]>;
}

/** Calls hooks. One event is one unit: what its taps state on the desired state leaves in one round, or not at all if `act` throws. */
export interface Announcer {
  event<T>(cause: string, act: (calls: HookCalls) => Promise<T>): Promise<EventOutcome<T>>;
  /** Told when a key's progress changes later, outside any event that waits for it (quarantined by a later round, a port that moved). */
  onProgress(listener: (acknowledgement: KeyAcknowledgement) => void): Unsubscribe;
}

// ── control plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

export type ControlPlaneChange =
  | { readonly kind: 'ports-changed'; readonly portIds: readonly string[]; readonly cause: string }
  | { readonly kind: 'port-deleted'; readonly portId: string; readonly cause: string }
  /** The active binding went to another host: the VIF here is to be unplugged. */
  | { readonly kind: 'binding-moved'; readonly portId: string; readonly toHost: string; readonly cause: string }
  | { readonly kind: 'network-changed'; readonly networkId: string; readonly cause: string };

export interface PortReport {
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** Asks the server to send every forwarding entry again: first report after a start, or tunnels are missing. */
  readonly refreshTunnels: boolean;
}

export interface AgentState extends StateReport {
  /** True until the first synchronisation is done. */
  readonly startFlag: boolean;
}

/** A port that the control plane knows and could not make sense of. It is left as it is. */
export interface UndescribablePort {
  readonly id: string;
  readonly error: string;
}

/** What the agent asks of whoever knows the networks. */
export interface ControlPlane {
  /**
   * Describes ports; one that it does not know is absent from the answer, one whose description makes no sense is there with what is
   * wrong with it. Rejects when the control plane cannot be asked.
   */
  describePorts(portIds: readonly string[]): Promise<readonly (PortDescription | UndescribablePort)[]>;
  /** Reports wired and unwired ports. The answer names those that the control plane could not take. */
  reportPorts(report: PortReport): Promise<{ readonly failed: readonly string[] }>;
  /** Registers this host's tunnel endpoint; the answer is every endpoint of that type. */
  registerTunnelEndpoint(endpoint: {
    readonly tunnelType: TunnelType;
    readonly ipAddress: string;
  }): Promise<readonly TunnelEndpoint[]>;
  /** `revived`: the control plane had taken this agent for dead. */
  reportState(
    state: AgentState,
    options?: { readonly timeoutMs: number },
  ): Promise<'new' | 'alive' | 'revived' | 'unknown'>;
  /** Port ids that were let go of, so that caches forget them. */
  forgetPort(portId: string): void;
  subscribe(listener: (change: ControlPlaneChange) => void): Unsubscribe;
}

/** Resources of the control plane, as far as this host knows or asks for them. */
export interface ResourceView {
  securityGroups(ids: readonly string[]): Promise<readonly SecurityGroup[]>;
  /** Addresses of all ports, on any host, that are members of the group. */
  membersOf(securityGroupId: string): Promise<readonly GroupMember[]>;
  addressGroups(ids: readonly string[]): Promise<readonly AddressGroup[]>;
  networks(ids: readonly string[]): Promise<readonly Network[]>;
  subnets(ids: readonly string[]): Promise<readonly Subnet[]>;
  /**
   * What no port of this host uses any more, by the questions that were asked for it: its changes are told to nobody, and whoever
   * asks again gets a new answer. Call it only for what was forgotten by the caller too.
   */
  forget(unused: UnusedResources): void;
}

/** Ids, by the question that was asked for them: a group whose rules nobody needs may have members that somebody does. */
export interface UnusedResources {
  readonly securityGroups: readonly string[];
  readonly membersOf: readonly string[];
  readonly addressGroups: readonly string[];
}

export interface RpcCallOptions {
  /** A wait of this call's own, without the back-off that others grow by. */
  readonly timeoutMs?: number;
  /** It may be asked twice: asked again if the broker lost the way back of the answer. */
  readonly idempotent?: true;
  readonly signal?: AbortSignal;
}

export interface RpcTarget {
  readonly topic: string;
  readonly version?: string;
  readonly namespace?: string;
  /** A host's own queue of the topic. */
  readonly host?: string;
  readonly fanout?: boolean;
}

/** RPC to neutron-server and notifications from it, in oslo.messaging's terms. */
export interface Rpc {
  call(
    target: RpcTarget,
    method: string,
    args: Readonly<Record<string, unknown>>,
    options?: RpcCallOptions,
  ): Promise<unknown>;
  cast(target: RpcTarget, method: string, args: Readonly<Record<string, unknown>>): Promise<void>;
  /** Listens on the topic's fanout, and on this host's own key of it. A method that nobody answers is reported once and dropped. */
  listen(
    target: RpcTarget,
    methods: Readonly<Record<string, (args: Readonly<Record<string, unknown>>, cause: string) => unknown>>,
  ): Unsubscribe;
  /** Pushes of a versioned object type at a version, decoded to plain data. */
  watchObjects(
    type: string,
    version: string,
    listener: (push: {
      readonly event: 'created' | 'updated' | 'deleted';
      readonly objects: readonly Readonly<Record<string, unknown>>[];
      readonly cause: string;
    }) => void,
  ): Unsubscribe;
  pullObject(type: string, version: string, id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  pullObjects(
    type: string,
    version: string,
    filter: Readonly<Record<string, readonly unknown[]>> | null,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly objects: ObjectCache;
  /** The broker was lost and is back: messages may have been missed. */
  onRestored(listener: () => void): Unsubscribe;
  state(): Promise<RpcState>;
}

/** A versioned object of the server, decoded to plain data under Neutron's field names. */
export interface CachedObject {
  readonly id: string;
  readonly [field: string]: unknown;
}

export interface ObjectChange {
  readonly type: string;
  readonly id: string;
  /** Absent: the object was not known before. */
  readonly previous?: CachedObject;
  /** Absent: the object was deleted. */
  readonly current?: CachedObject;
  readonly cause: string;
}

/** How a type of the server's objects is followed. */
export interface ObjectFollowing {
  /** The version that the follower reads: two numbers, `1.10`. The server lowers newer objects to it, and refuses one that it does not know yet. */
  readonly version: string;
  /** Fields that objects are found by, besides their ids: each holds a text or a list of texts, and the server takes it in a filter. */
  readonly by?: readonly string[];
}

/**
 * The server's objects that this host has asked for, kept up to date by the server's pushes. What was asked once is not asked again;
 * after an outage of the broker everything known is asked again, and what differs is told. The agent itself follows Port, Network, Subnet,
 * SecurityGroup, SecurityGroupRule and AddressGroup; any other type is followed by whoever needs it.
 */
export interface ObjectCache {
  /**
   * Follows a type from now on: its pushes are listened to, the server is told in the next state report that this host wants them, and
   * `load` and `find` answer for it. Call it in `start()`. The listener is told of changes of what was asked for, of this type alone. Several may
   * follow one type; it is let go, with all that is known of it, when the last of them has ended it. Following one of the agent's own types adds
   * fields to find it by.
   * @throws PatchbayError `PB-OBJECT-VERSION` for another version than the type is followed in already, unless the operator chose one for all.
   */
  follow(type: string, how: ObjectFollowing, listener: (change: ObjectChange) => void): Unsubscribe;
  /** The types that are followed, each in the version that is asked for. */
  versions(): Promise<Readonly<Record<string, string>>>;
  /**
   * Objects by id; those the server does not know are absent. Questions of one turn of the event loop go out as one.
   * @throws PatchbayError `PB-OBJECT-NOT-FOLLOWED`; `PB-OBJECT-NOT-INDEXED` for a type that has no ids of its own (LocalIPAssociation).
   */
  load(type: string, ids: readonly string[]): Promise<readonly CachedObject[]>;
  /**
   * Every object whose field is, or as a list holds, the value.
   * @throws PatchbayError `PB-OBJECT-NOT-FOLLOWED`; `PB-OBJECT-NOT-INDEXED` for a field that nobody named when following the type.
   */
  find(type: string, field: string, value: string): Promise<readonly CachedObject[]>;
  /** Lets an object go that was loaded by its id; as part of what was found otherwise it stays. */
  forget(type: string, id: string): void;
  /** Lets go what was found by the field's value, but for what was asked for otherwise too. */
  forgetFound(type: string, field: string, value: string): void;
  /** Told of changes of every followed type. */
  subscribe(listener: (change: ObjectChange) => void): Unsubscribe;
  /** Asks again for what is known, of these types or of all, and tells what differs. */
  resynchronise(cause: string, types?: readonly string[]): Promise<void>;
}

export interface RpcState {
  readonly connected: boolean;
  readonly connections: number;
  readonly queues: number;
  /** Since the last message or reply came in; null before the first. */
  readonly lastReceivedMsAgo: number | null;
  /** Messages and replies that came in since the start, where they are counted. */
  readonly received?: number;
  /** Messages and answers that the broker took since the start, where they are counted. */
  readonly sent?: number;
  /** Calls that the server has not answered yet, where they are counted. */
  readonly unanswered?: number;
  /** For people: why it is not connected, what the broker refuses. */
  readonly detail: string;
}

// ── ports and segments on this host ────────────────────────────────────────────────────────────────────────────────────

/** One step of a port's way from plugged to ACTIVE. */
export interface PortStage {
  readonly stage: 'seen' | 'described' | 'bound' | 'acknowledged' | 'reported' | 'isolated' | 'removed' | 'failed';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly detail?: string;
}

export interface PortState {
  readonly vif: Vif;
  readonly state: 'describing' | 'wiring' | 'up' | 'isolated' | 'failed';
  readonly bound?: BoundPort;
  readonly isolated?: IsolatedPort;
  readonly history: readonly PortStage[];
}

/** The ports and segments of this host, from whoever binds them. */
export interface PortDirectory {
  ports(): Promise<readonly PortState[]>;
  segments(): Promise<readonly BoundSegment[]>;
  /**
   * Reports ports that are up once more, asking the server for every forwarding entry of their networks (`refreshTunnels`).
   * Resolves when the control plane has taken the report, or the ports are up no longer.
   */
  askForForwarding(portIds: readonly string[]): Promise<void>;
  /**
   * `prepare` is done for every port that is to be told to plugins, outside of all events: what a tap would have to wait for. The port stays
   * as it is until then; where it rejects, the port is tried again with back-off.
   */
  beforeTold(prepare: (port: PortDescription) => Promise<void>): Unsubscribe;
}

// ── one of each per plugin ─────────────────────────────────────────────────────────────────────────────────────────────

export type LogFields = Readonly<Record<string, unknown>>;

/** One event a line: a fixed sentence and fields. */
export interface Logger {
  debug(sentence: string, fields?: LogFields): void;
  info(sentence: string, fields?: LogFields): void;
  warn(sentence: string, fields?: LogFields): void;
  error(sentence: string, fields?: LogFields): void;
}

export type HealthLevel = 'unknown' | 'ok' | 'degraded' | 'failing';

/** The plugin's health, as a set of named conditions; the worst one counts. */
export interface Health {
  /** States a condition. The same name replaces. */
  report(condition: string, level: Exclude<HealthLevel, 'unknown'>, detail: string): void;
  clear(condition: string): void;
}

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
}

/** Work beside the hooks. All of it ends with the plugin; nothing keeps the process alive. */
export interface Jobs {
  every(name: string, intervalMs: number, work: (signal: AbortSignal) => Promise<void> | void): Unsubscribe;
  after(name: string, delayMs: number, work: (signal: AbortSignal) => Promise<void> | void): Unsubscribe;
  /** Works until it succeeds, waiting longer each time. Starting a name again replaces its earlier work. */
  untilDone(name: string, backoff: Backoff, work: (signal: AbortSignal, attempt: number) => Promise<void>): Unsubscribe;
}

/** A few values of the plugin that survive a restart (allocated ids). Small; written through. */
export interface Store {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}
