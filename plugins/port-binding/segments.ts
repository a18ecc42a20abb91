import type { BoundSegment, HookCalls, Segment, Vif } from '@patchbay/sdk';
import type { PortBindingErrors } from './errors';

interface Entry {
  bound: BoundSegment;
  readonly holders: Set<string>;
  /** False where the event that told of it came to nothing: the next holder tells it again. */
  told: boolean;
  /** Settles when the segment's facts have been told; others that want the segment wait for it. */
  ready: Promise<BoundSegment>;
}

interface Leaving {
  readonly bound: BoundSegment;
  readonly told: Promise<unknown>;
}

/**
 * The segments that ports of this host use. The first port that holds a segment binds it (a local VLAN is resolved and
 * `onSegmentBound` told, within that port's event); the last one that lets go releases it. Whoever gives the VLANs: two segments never have one,
 * as the VLAN is all that keeps networks apart on the integration bridge.
 */
export class Segments {
  private readonly entries = new Map<string, Entry>();
  /** Segments whose release is being told: told as bound before the last plugin has heard of that, they would end as released. */
  private readonly leaving = new Map<string, Leaving>();

  constructor(private readonly errors: typeof PortBindingErrors) {}

  list(): readonly BoundSegment[] {
    return [...this.entries.values()].map((entry) => entry.bound);
  }

  /**
   * Holds the segment for a port. `former` is the segment that the port holds now: where only its segmentation id changed, the
   * network keeps its local VLAN, and so do the connections tracked in it; otherwise the port holds both until it lets go of one.
   */
  async hold(calls: HookCalls, segment: Segment, vif: Vif, former: BoundSegment | undefined): Promise<BoundSegment> {
    const key = keyOf(segment);
    let entry = this.entries.get(key);
    if (entry === undefined && former !== undefined && isRenumbered(former.segment, segment)) {
      return this.renumber(calls, former, segment, vif.portId);
    }
    if (entry === undefined) {
      entry = this.bind(calls, key, segment, vif);
    }
    entry.holders.add(vif.portId);
    const bound = await entry.ready;
    await this.tellUntold(calls, segment);
    return bound;
  }

  /** Lets go of the segment; told as released when nobody holds it any more. */
  async release(calls: HookCalls, segment: Segment, portId: string): Promise<void> {
    const entry = this.heldBy(portId, segment);
    if (entry === undefined || !entry.holders.delete(portId) || entry.holders.size > 0) return;
    const key = keyOf(entry.bound.segment);
    this.entries.delete(key);
    const told = calls.tell('onSegmentReleased', entry.bound);
    this.leaving.set(key, { bound: entry.bound, told });
    await told;
    if (this.leaving.get(key)?.told === told) this.leaving.delete(key);
  }

  /** What an event of the port's stated of the segment was dropped with the event. Answers whether other ports need it. */
  doubt(segment: Segment, portId: string): boolean {
    const entry = this.heldBy(portId, segment);
    if (entry === undefined) return false;
    entry.told = false;
    return entry.holders.size > (entry.holders.has(portId) ? 1 : 0);
  }

  async tellUntold(calls: HookCalls, segment: Segment): Promise<void> {
    const entry = this.entries.get(keyOf(segment));
    if (entry === undefined || entry.told) return;
    entry.told = true;
    await calls.tell('onSegmentBound', entry.bound);
  }

  /** Tells every bound segment again. */
  async tellAgain(calls: HookCalls): Promise<void> {
    for (const { bound } of this.entries.values()) await calls.tell('onSegmentBound', bound);
  }

  private bind(calls: HookCalls, key: string, segment: Segment, vif: Vif): Entry {
    const entry: Entry = {
      bound: { segment, localVlan: 0 },
      holders: new Set(),
      told: true,
      ready: this.resolve(calls, segment, vif),
    };
    entry.ready = entry.ready.then(
      (bound) => {
        entry.bound = bound;
        return bound;
      },
      (error) => {
        this.entries.delete(key);
        throw error;
      },
    );
    this.entries.set(key, entry);
    return entry;
  }

  private async resolve(calls: HookCalls, segment: Segment, vif: Vif): Promise<BoundSegment> {
    const key = keyOf(segment);
    await this.leaving.get(key)?.told;
    const localVlan = await calls.resolveLocalVlan({ segment, vif });
    if (localVlan === undefined) throw this.errors.noLocalVlan({ network: segment.networkId });
    const holder = this.holderOf(localVlan);
    if (holder !== undefined) {
      throw this.errors.localVlanTaken({ vlan: localVlan, segment: key, holder: keyOf(holder) });
    }
    const bound = { segment, localVlan };
    // Before it is told: another segment that is being resolved meanwhile may be given the same.
    const entry = this.entries.get(key);
    if (entry !== undefined) entry.bound = bound;
    await calls.tell('onSegmentBound', bound);
    return bound;
  }

  /** The segment that has the VLAN, be it that its release is still being told. */
  private holderOf(vlan: number): Segment | undefined {
    const held = [...this.entries.values(), ...this.leaving.values()];
    return held.find(({ bound }) => bound.localVlan === vlan)?.bound.segment;
  }

  private async renumber(
    calls: HookCalls,
    former: BoundSegment,
    segment: Segment,
    portId: string,
  ): Promise<BoundSegment> {
    const entry = this.heldBy(portId, former.segment);
    const bound = { segment, localVlan: former.localVlan };
    const holders = entry?.holders ?? new Set<string>();
    if (entry !== undefined) this.entries.delete(keyOf(entry.bound.segment));
    this.entries.set(keyOf(segment), {
      bound,
      holders: holders.add(portId),
      told: true,
      ready: Promise.resolve(bound),
    });
    await calls.tell('onSegmentReleased', entry?.bound ?? former);
    await calls.tell('onSegmentBound', bound);
    return bound;
  }

  /** The segment as the port knows it may have been renumbered since, for another port's sake. */
  private heldBy(portId: string, segment: Segment): Entry | undefined {
    const entry = this.entries.get(keyOf(segment));
    if (entry?.holders.has(portId)) return entry;
    return [...this.entries.values()].find(
      ({ bound, holders }) => holders.has(portId) && isRenumbered(segment, bound.segment),
    );
  }
}

/** A local VLAN belongs to a network and a segmentation id: a network may have several segments on one host. */
const keyOf = (segment: Segment): string => `${segment.networkId}/${segment.segmentationId ?? 'None'}`;

function isRenumbered(former: Segment, segment: Segment): boolean {
  return (
    former.networkId === segment.networkId &&
    former.networkType === segment.networkType &&
    former.physicalNetwork === segment.physicalNetwork &&
    former.segmentationId !== segment.segmentationId
  );
}
