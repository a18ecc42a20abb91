import type {
  BoundPort,
  BoundSegment,
  ForwardingChange,
  IsolatedPort,
  PortDescription,
  Segment,
  TunnelEndpoint,
  Vif,
} from './model';

/** Given beside every payload. */
export interface HookContext {
  /** Aborted when the tap's time is up, or when the agent stops. */
  readonly signal: AbortSignal;
  /** What set this off: the id of the RPC message or switch event, or `resync`. */
  readonly cause: string;
}

/** A before-tap's answer that stops the act. A returned value, never an exception. */
export interface Refusal {
  readonly refused: string;
  /** Filled in by the host: the plugin that refused. */
  readonly by?: string;
  /** Filled in by the host where a required plugin failed instead of answering: the act is to be tried again. */
  readonly retry?: true;
}

/** Refuses an act with a reason that operators will read. */
export function refuse(reason: string): Refusal {
  return { refused: reason };
}

/** The agent's part of a state report; `configurations` is what the server and dashboards read. */
export interface StateReport {
  readonly configurations: Readonly<Record<string, unknown>>;
}

/** What `beforePortBind` may change before the port is bound. */
export interface PortBindDraft {
  readonly port: PortDescription;
  readonly vif: Vif;
  readonly segment: Segment;
}

export interface PortUnbindDraft {
  readonly bound: BoundPort;
  readonly reason: string;
}

export interface PortUpdate {
  readonly previous: BoundPort;
  readonly current: BoundPort;
}

/** A port has left: unplugged, deleted, moved away, or isolated. */
export interface PortRemoval {
  readonly bound: BoundPort;
  readonly reason: 'unplugged' | 'deleted' | 'moved' | 'isolated';
}

export interface SecurityGroupUpdate {
  readonly securityGroupIds: readonly string[];
  /** `rules`: what a group allows changed. `members`: who counts as a member of it changed. `address-group`: an address group that its rules name changed. */
  readonly change: 'rules' | 'members' | 'address-group';
}

export interface SwitchReconnection {
  /** Bridges whose flow tables were found empty or new. */
  readonly bridges: readonly string[];
}

export interface LocalVlanQuestion {
  readonly segment: Segment;
  readonly vif: Vif;
}

export interface TunnelPortQuestion {
  readonly endpoint: TunnelEndpoint;
}

/** What may come before or after, by plugin id. An unknown id is an error. */
export interface TapOrder {
  readonly before?: readonly string[];
  readonly after?: readonly string[];
}

type Answer<T> = T | Promise<T>;
/** Taps one hook. */
export type Tap<Payload, Result> = (
  tap: (payload: Payload, context: HookContext) => Answer<Result>,
  order?: TapOrder,
) => void;

/**
 * The hooks, in four families named by tense. Payloads are frozen plain data.
 *
 * - `before…` may return a changed draft, or a refusal; nothing returned leaves the draft as it is.
 * - `on…` tells a fact; it is told again after a resynchronisation, so a tap states what should be, and never counts.
 * - `resolve…` asks a question; the first answer counts, undefined passes.
 * - `contribute…` and `onReportState` gather partial answers.
 */
export interface AgentHooks {
  readonly beforePortBind: Tap<PortBindDraft, PortBindDraft | Refusal | undefined>;
  /** A refusal delays nothing: the port is going. It is logged, and the reason kept in the port's history. */
  readonly beforePortUnbind: Tap<PortUnbindDraft, PortUnbindDraft | Refusal | undefined>;
  /** A VIF was seen that is not bound yet, or leads nowhere. */
  readonly onPortIsolated: Tap<IsolatedPort, void>;
  readonly onPortAdded: Tap<BoundPort, void>;
  readonly onPortUpdated: Tap<PortUpdate, void>;
  readonly onPortRemoved: Tap<PortRemoval, void>;
  readonly onNetworkDeleted: Tap<{ readonly networkId: string }, void>;
  readonly onSegmentBound: Tap<BoundSegment, void>;
  readonly onSegmentReleased: Tap<BoundSegment, void>;
  readonly onSecurityGroupUpdated: Tap<SecurityGroupUpdate, void>;
  readonly onTunnelEndpointAdded: Tap<TunnelEndpoint, void>;
  readonly onTunnelEndpointRemoved: Tap<TunnelEndpoint, void>;
  /**
   * Where the ports of other hosts are. Told once, tunnels lead and flood only where entries say: the first time before any segment
   * is bound, with no entry if none is known.
   */
  readonly onForwardingChanged: Tap<ForwardingChange, void>;
  readonly onSwitchReconnected: Tap<SwitchReconnection, void>;
  /** Every VIF that was there has been dealt with and the switch has acknowledged it. Told once per synchronisation. */
  readonly onAgentSynced: Tap<{ readonly ports: number }, void>;
  readonly resolveLocalVlan: Tap<LocalVlanQuestion, number | undefined>;
  /** The name of the switch port that leads to an endpoint. */
  readonly resolveTunnelPort: Tap<TunnelPortQuestion, string | undefined>;
  readonly onReportState: Tap<{ readonly devices: number }, Partial<StateReport> | undefined>;
}

export type HookName = keyof AgentHooks;

/** Every hook with its family: the host builds its hooks from this table, and the hooks reference is generated from it. */
export const HOOKS = {
  beforePortBind: 'before',
  beforePortUnbind: 'before',
  onPortIsolated: 'on',
  onPortAdded: 'on',
  onPortUpdated: 'on',
  onPortRemoved: 'on',
  onNetworkDeleted: 'on',
  onSegmentBound: 'on',
  onSegmentReleased: 'on',
  onSecurityGroupUpdated: 'on',
  onTunnelEndpointAdded: 'on',
  onTunnelEndpointRemoved: 'on',
  onForwardingChanged: 'on',
  onSwitchReconnected: 'on',
  onAgentSynced: 'on',
  resolveLocalVlan: 'resolve',
  resolveTunnelPort: 'resolve',
  onReportState: 'contribute',
} as const satisfies Record<HookName, 'before' | 'on' | 'resolve' | 'contribute'>;

export type HookFamily = (typeof HOOKS)[HookName];
