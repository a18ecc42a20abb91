import type {
  AgentHooks,
  BoundPort,
  BoundSegment,
  HookName,
  PortDescription,
  PortDirectory,
  PortState,
  Unsubscribe,
} from '@patchbay/sdk';
import { Unreliable } from './control-plane';

type PayloadOf<H extends HookName> = Parameters<Parameters<AgentHooks[H]>[0]>[0];

/** The ports and segments of a test: those that its facts told of. */
export class FakePorts extends Unreliable implements PortDirectory {
  /** Ports whose forwarding entries were asked for, in order. */
  readonly asked: string[] = [];
  private readonly bound = new Map<string, BoundPort>();
  private readonly heldSegments = new Map<number, BoundSegment>();
  private readonly preparations = new Set<(port: PortDescription) => Promise<void>>();

  ports(): Promise<readonly PortState[]> {
    return this.answer(() =>
      [...this.bound.values()].map((bound) => ({ vif: bound.vif, state: 'up', bound, history: [] })),
    );
  }

  segments(): Promise<readonly BoundSegment[]> {
    return this.answer(() => [...this.heldSegments.values()]);
  }

  askForForwarding(portIds: readonly string[]): Promise<void> {
    return this.answer(() => void this.asked.push(...portIds));
  }

  beforeTold(prepare: (port: PortDescription) => Promise<void>): Unsubscribe {
    this.preparations.add(prepare);
    return () => this.preparations.delete(prepare);
  }

  // ── the kit's side ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A fact is about to be told. Rejects where a plugin could not prepare for the port: an agent would try again later. */
  async aboutToTell(hook: HookName, payload: unknown): Promise<void> {
    const told = boundBy(hook, payload);
    if (told === undefined) return this.noteOther(hook, payload);
    await Promise.all([...this.preparations].map((prepare) => prepare(told.port)));
    this.bound.set(told.port.id, told);
    this.heldSegments.set(told.localVlan, { segment: told.segment, localVlan: told.localVlan });
  }

  /** The agent ended: whoever had asked to prepare is gone with it. */
  forgetListeners(): void {
    this.preparations.clear();
  }

  private noteOther(hook: HookName, payload: unknown): void {
    if (hook === 'onPortRemoved') this.bound.delete((payload as PayloadOf<'onPortRemoved'>).bound.port.id);
    if (hook === 'onPortIsolated') this.bound.delete((payload as PayloadOf<'onPortIsolated'>).vif.portId);
    if (hook === 'onSegmentBound') {
      const bound = payload as BoundSegment;
      this.heldSegments.set(bound.localVlan, bound);
    }
    if (hook === 'onSegmentReleased') this.heldSegments.delete((payload as BoundSegment).localVlan);
  }
}

/** The port that the fact binds. */
function boundBy(hook: HookName, payload: unknown): BoundPort | undefined {
  if (hook === 'onPortAdded') return payload as BoundPort;
  return hook === 'onPortUpdated' ? (payload as PayloadOf<'onPortUpdated'>).current : undefined;
}
