import type {
  Announcer,
  BoundPort,
  BoundSegment,
  Delivery,
  HookCalls,
  IsolatedPort,
  PortRemoval,
  Refusal,
  Segment,
  Vif,
} from '@patchbay/sdk';
import { PortBindingErrors } from './errors';
import { openGate, shutGate, unpluggedGate } from './gate';
import type { Places } from './places';
import type { Segments } from './segments';
import type { StatedGate } from './stated-gate';
import type { Verdict } from './verdict';

export interface AttachmentSurroundings {
  readonly announcer: Announcer;
  readonly segments: Segments;
  /** Ports that are told of at a time: a plugin's time for one port is not to pass with the work for a thousand others. */
  readonly places: Places;
}

/**
 * What ties one port to its segment, and the events that tie and untie it. Each event leaves whole, with everything that plugins state
 * for it, or comes to nothing.
 */
export class Attachment {
  private bindings: BoundPort | undefined;
  /** Held while the port is bound, and while it is only down by its administrative state: its local VLAN stays. */
  private held: BoundSegment | undefined;
  /** Segments that the port is to leave: held until it has. */
  private former: readonly BoundSegment[] = [];

  constructor(
    private readonly around: AttachmentSurroundings,
    private readonly gate: StatedGate,
    /** Told what a plugin said against unbinding. */
    private readonly advised: (reason: string) => void,
  ) {}

  get bound(): BoundPort | undefined {
    return this.bindings;
  }

  /** Binds the port and opens its gate. Throws where a required plugin failed: nothing was stated then. */
  async bind(
    cause: string,
    vif: Vif,
    { port, segment }: Pick<Extract<Verdict, { kind: 'wire' }>, 'port' | 'segment'>,
    telling: 'anew' | 'what changed',
  ): Promise<BoundPort | Refusal> {
    const tellAll = async (calls: HookCalls): Promise<BoundPort | Refusal> => {
      const draft = await calls.beforePortBind({ port, vif, segment });
      if ('refused' in draft) return draft;
      const held = await this.hold(calls, draft.segment, vif);
      const bound: BoundPort = { port: draft.port, vif, segment: draft.segment, localVlan: held.localVlan };
      requireAll(vif.portId, await this.tell(calls, bound, telling));
      await this.leaveFormer(calls, vif);
      this.gate.state(openGate(bound));
      return bound;
    };
    const outcome = await this.around.places.within(() => this.event(cause, vif, tellAll));
    if (!('refused' in outcome)) this.bindings = outcome;
    return outcome;
  }

  /** Shuts the gate and says why. */
  async isolate(cause: string, isolated: IsolatedPort): Promise<void> {
    const { vif, reason } = isolated;
    await this.event(cause, vif, async (calls) => {
      await this.unbind(calls, vif, reason === 'deleted' ? 'deleted' : 'isolated', reason === 'admin-down');
      await calls.tell('onPortIsolated', isolated);
      this.gate.state(shutGate(vif));
    });
  }

  /** Takes the VIF off its bridge: the port is another host's now. */
  async giveAway(cause: string, vif: Vif): Promise<void> {
    await this.event(cause, vif, async (calls) => {
      await this.unbind(calls, vif, 'moved', false);
      this.gate.state(unpluggedGate(vif));
    });
  }

  /** The VIF was unplugged. */
  async end(cause: string, vif: Vif): Promise<void> {
    await this.event(cause, vif, async (calls) => {
      await this.unbind(calls, vif, 'unplugged', false);
      this.gate.state(shutGate(vif));
    });
  }

  private async hold(calls: HookCalls, segment: Segment, vif: Vif): Promise<BoundSegment> {
    const before = this.held;
    this.held = await this.around.segments.hold(calls, segment, vif, before);
    // A segment that was renumbered has kept its VLAN, and is the same.
    if (before !== undefined && before.localVlan !== this.held.localVlan) this.former = [...this.former, before];
    return this.held;
  }

  /** A port that came back to a segment it was to leave has not left it. */
  private async leaveFormer(calls: HookCalls, { portId }: Vif): Promise<void> {
    const left = this.former.filter(({ localVlan }) => localVlan !== this.held?.localVlan);
    this.former = [];
    for (const { segment } of left) await this.around.segments.release(calls, segment, portId);
  }

  private tell(calls: HookCalls, current: BoundPort, telling: 'anew' | 'what changed'): Promise<Delivery> {
    return this.bindings === undefined || telling === 'anew'
      ? calls.tell('onPortAdded', current)
      : calls.tell('onPortUpdated', { previous: this.bindings, current });
  }

  private async unbind(calls: HookCalls, vif: Vif, reason: PortRemoval['reason'], keepsVlan: boolean): Promise<void> {
    const bound = this.bindings;
    if (bound !== undefined) {
      const draft = await calls.beforePortUnbind({ bound, reason });
      if ('refused' in draft) this.advised(draft.refused);
      await calls.tell('onPortRemoved', { bound, reason });
      this.bindings = undefined;
    }
    await this.leaveFormer(calls, vif);
    if (this.held === undefined || keepsVlan) return;
    await this.around.segments.release(calls, this.held.segment, vif.portId);
    this.held = undefined;
  }

  /**
   * What the event stated comes to nothing if it throws. What it told of its segment is told again, by whoever holds that next, or at
   * once in an event of its own where other ports hold it: they are not to wait for this one.
   */
  private async event<T>(cause: string, { portId }: Vif, act: (calls: HookCalls) => Promise<T>): Promise<T> {
    const { announcer, segments } = this.around;
    const before = this.gate.standing;
    try {
      return (await announcer.event(cause, act)).value;
    } catch (error) {
      this.gate.standsAsBefore(before);
      const segment = this.held?.segment;
      if (segment !== undefined && segments.doubt(segment, portId))
        await announcer.event(cause, (calls) => segments.tellUntold(calls, segment));
      throw error;
    }
  }
}

function requireAll(port: string, delivery: Delivery): void {
  const failure = delivery.failures.find(({ required }) => required);
  if (failure !== undefined)
    throw PortBindingErrors.requiredTapFailed({ port, plugin: failure.plugin, reason: failure.reason });
}
