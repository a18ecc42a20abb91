import type {
  Announcer,
  BoundPort,
  BoundSegment,
  Delivery,
  DesiredState,
  HookCalls,
  IsolatedPort,
  PortRemoval,
  Refusal,
  Vif,
} from '@patchbay/sdk';
import { PortBindingErrors } from './errors';
import { openGate, portKey, shutGate, unpluggedGate } from './gate';
import type { Segments } from './segments';
import type { Verdict } from './verdict';

export interface AttachmentSurroundings {
  readonly announcer: Announcer;
  readonly segments: Segments;
  readonly desired: DesiredState;
}

/**
 * What ties one port to its segment, and the events that tie and untie it. Each event leaves whole, with everything that plugins state
 * for it, or comes to nothing.
 */
export class Attachment {
  private bindings: BoundPort | undefined;
  /** Held while the port is bound, and while it is only down by its administrative state: its local VLAN stays. */
  private held: BoundSegment | undefined;

  constructor(
    private readonly around: AttachmentSurroundings,
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
    const outcome = await this.event(cause, async (calls) => {
      const draft = await calls.beforePortBind({ port, vif, segment });
      if ('refused' in draft) return draft;
      this.held = await this.around.segments.hold(calls, draft.segment, vif, this.held);
      const bound: BoundPort = { port: draft.port, vif, segment: draft.segment, localVlan: this.held.localVlan };
      requireAll(vif.portId, await this.tell(calls, bound, telling));
      this.around.desired.set(portKey(vif.portId), openGate(bound));
      return bound;
    });
    if (!('refused' in outcome)) this.bindings = outcome;
    return outcome;
  }

  /** Shuts the gate and says why. */
  async isolate(cause: string, isolated: IsolatedPort): Promise<void> {
    const { vif, reason } = isolated;
    await this.event(cause, async (calls) => {
      await this.unbind(calls, vif, reason === 'deleted' ? 'deleted' : 'isolated', reason === 'admin-down');
      await calls.tell('onPortIsolated', isolated);
      this.around.desired.set(portKey(vif.portId), shutGate(vif));
    });
  }

  /** Takes the VIF off its bridge: the port is another host's now. */
  async giveAway(cause: string, vif: Vif): Promise<void> {
    await this.event(cause, async (calls) => {
      await this.unbind(calls, vif, 'moved', false);
      this.around.desired.set(portKey(vif.portId), unpluggedGate(vif));
    });
  }

  /** The VIF was unplugged. */
  async end(cause: string, vif: Vif): Promise<void> {
    await this.event(cause, async (calls) => {
      await this.unbind(calls, vif, 'unplugged', false);
      this.around.desired.set(portKey(vif.portId), shutGate(vif));
    });
  }

  private tell(calls: HookCalls, current: BoundPort, telling: 'anew' | 'what changed'): Promise<Delivery> {
    return this.bindings === undefined || telling === 'anew'
      ? calls.tell('onPortAdded', current)
      : calls.tell('onPortUpdated', { previous: this.bindings, current });
  }

  private async unbind(
    calls: HookCalls,
    { portId }: Vif,
    reason: PortRemoval['reason'],
    keepsVlan: boolean,
  ): Promise<void> {
    const bound = this.bindings;
    if (bound !== undefined) {
      const draft = await calls.beforePortUnbind({ bound, reason });
      if ('refused' in draft) this.advised(draft.refused);
      await calls.tell('onPortRemoved', { bound, reason });
      this.bindings = undefined;
    }
    if (this.held === undefined || keepsVlan) return;
    await this.around.segments.release(calls, this.held.segment, portId);
    this.held = undefined;
  }

  /** What the event stated comes to nothing if it throws; its segment is then told again by whoever holds it next. */
  private async event<T>(cause: string, act: (calls: HookCalls) => Promise<T>): Promise<T> {
    try {
      return (await this.around.announcer.event(cause, act)).value;
    } catch (error) {
      if (this.held !== undefined) this.around.segments.doubt(this.held.segment);
      throw error;
    }
  }
}

function requireAll(port: string, delivery: Delivery): void {
  const failure = delivery.failures.find(({ required }) => required);
  if (failure !== undefined)
    throw PortBindingErrors.requiredTapFailed({ port, plugin: failure.plugin, reason: failure.reason });
}
