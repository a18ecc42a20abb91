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
  /**
   * A port was described and has a segment, and nothing of it is on the switch yet. A tap may change what is known of the port (its addresses,
   * its security groups, its segment) but not which port it is, or refuse it: it is then isolated, with the reason, until the control plane
   * tells of it again.
   */
  readonly beforePortBind: Tap<PortBindDraft, PortBindDraft | Refusal | undefined>;
  /**
   * A bound port is about to leave. Its draft is for reading. A refusal delays nothing: it is logged, and the reason kept in the port's
   * history.
   */
  readonly beforePortUnbind: Tap<PortUnbindDraft, PortUnbindDraft | Refusal | undefined>;
  /** A VIF was seen that is not bound yet, or leads nowhere: unknown, administratively down, bound elsewhere, refused, deleted. */
  readonly onPortIsolated: Tap<IsolatedPort, void>;
  /**
   * A port is bound: described, with its VIF, its segment and its local VLAN. What taps state leaves in one round with its gate: the port is
   * reported up when the switch has acknowledged all of it.
   */
  readonly onPortAdded: Tap<BoundPort, void>;
  /** What the control plane says of a bound port changed (addresses, groups, segment, …), or its VIF did. */
  readonly onPortUpdated: Tap<PortUpdate, void>;
  /** A bound port has left. It comes for every port that `onPortAdded` came for, before its segment is released. */
  readonly onPortRemoved: Tap<PortRemoval, void>;
  /** The control plane deleted a network. Of its ports here each is told by itself. */
  readonly onNetworkDeleted: Tap<{ readonly networkId: string }, void>;
  /** The first port of a segment is bound on this host, or the segment has another local VLAN: before `onPortAdded` of that port. */
  readonly onSegmentBound: Tap<BoundSegment, void>;
  /** The last port of a segment has left this host. The VLAN is given to another segment only when what was stated for this one is gone. */
  readonly onSegmentReleased: Tap<BoundSegment, void>;
  /** Rules, members or named addresses of security groups changed, of groups that were asked for through `Service.resources`. */
  readonly onSecurityGroupUpdated: Tap<SecurityGroupUpdate, void>;
  /** Another host's tunnel endpoint appeared. */
  readonly onTunnelEndpointAdded: Tap<TunnelEndpoint, void>;
  /** Another host's tunnel endpoint is gone, as the control plane says. */
  readonly onTunnelEndpointRemoved: Tap<TunnelEndpoint, void>;
  /**
   * Where the ports of other hosts are. Told once, tunnels lead and flood only where entries say: the first time before any segment
   * is bound, with no entry if none is known.
   */
  readonly onForwardingChanged: Tap<ForwardingChange, void>;
  /** The switch was away and is back, or a bridge's tables were found empty. What was stated is written again without a plugin's doing. */
  readonly onSwitchReconnected: Tap<SwitchReconnection, void>;
  /**
   * Every VIF that was there has been dealt with and the switch has acknowledged it. Told once per synchronisation. The place to say
   * `desired.complete()`, for a plugin that knows all it wants by then.
   */
  readonly onAgentSynced: Tap<{ readonly ports: number }, void>;
  /** Which VLAN of the integration bridge a segment gets on this host: 1 to 4094. One that another segment holds is refused, and the port stays shut. */
  readonly resolveLocalVlan: Tap<LocalVlanQuestion, number | undefined>;
  /** The name of the switch port that leads to an endpoint. */
  readonly resolveTunnelPort: Tap<TunnelPortQuestion, string | undefined>;
  /**
   * A state report is being made. What taps return is merged in plugin order: maps key by key at every depth, lists of texts (`extensions`,
   * `tunnel_types`) joined without repeats; of anything else the later counts. So a plugin says what it adds, and takes nobody's names away.
   */
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
