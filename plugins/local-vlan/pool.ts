import type { PortView, Segment } from '@patchbay/sdk';
import { LocalVlanErrors } from './errors';

/** 0 is untagged and 4095 the dead VLAN (IEEE 802.1Q reserves both). */
const isLive = (vlan: number): boolean => Number.isInteger(vlan) && vlan >= 1 && vlan <= 4094;

/** The name of a segment in Port:other_config of Neutron's agent: `None` where there is no segmentation id. */
export function segmentKey(segment: Pick<Segment, 'networkId' | 'segmentationId'>): string {
  return `${segment.networkId}/${segment.segmentationId ?? 'None'}`;
}

/** What the ports of the integration bridge say of VLANs in use. */
export interface CarriedVlans {
  /** Segment → VLAN, where ports are, or were last, wired into one. */
  readonly bySegment: ReadonlyMap<string, number>;
  /** VLAN → the segments that wired ports carry it for; `null` for a port that does not say. */
  readonly byVlan: ReadonlyMap<number, ReadonlySet<string | null>>;
  /** VLANs that dead ports were last wired into. */
  readonly remembered: ReadonlySet<number>;
}

/**
 * Reads Port:tag and what Neutron's agent (and ours) writes beside it. A port with a tag and no `net_uuid` is not ours, but its VLAN
 * is in use. A dead port keeps the VLAN that its other_config names, so that it finds its network again.
 */
export function carriedVlans(ports: readonly PortView[]): CarriedVlans {
  const bySegment = new Map<string, number>();
  const byVlan = new Map<number, Set<string | null>>();
  const remembered = new Set<number>();
  const wiredFirst = [...ports].sort((left, right) => Number(isWired(right)) - Number(isWired(left)));
  for (const port of wiredFirst) {
    const network = port.otherConfig.net_uuid;
    const segment = network === undefined ? null : `${network}/${port.otherConfig.segmentation_id ?? 'None'}`;
    const vlan = isWired(port) ? Number(port.tag) : Number(port.otherConfig.tag);
    if (!isLive(vlan)) continue;
    if (isWired(port)) byVlan.set(vlan, (byVlan.get(vlan) ?? new Set<string | null>()).add(segment));
    else remembered.add(vlan);
    if (segment !== null && !bySegment.has(segment)) bySegment.set(segment, vlan);
  }
  return { bySegment, byVlan, remembered };
}

const isWired = (port: PortView): boolean => port.tag !== null && isLive(port.tag);

export interface Grant {
  readonly vlan: number;
  /** `free` until now, but what an earlier holder left behind may be on the switch. */
  readonly origin: 'own' | 'free';
}

/** Which segment has which VLAN of the integration bridge. */
export class VlanPool {
  private readonly vlanOf = new Map<string, number>();
  private readonly holderOf = new Map<number, string>();

  constructor(
    private readonly first: number,
    private readonly last: number,
  ) {}

  held(segment: Segment): number | undefined {
    return this.vlanOf.get(segmentKey(segment));
  }

  /** The VLAN that the segment holds, or that its ports carry and nobody else has. */
  own(segment: Segment, carried: CarriedVlans): number | undefined {
    const key = segmentKey(segment);
    const held = this.vlanOf.get(key);
    if (held !== undefined) return held;
    const restored = carried.bySegment.get(key);
    if (restored === undefined || !this.isFreeFor(restored, key, carried)) return undefined;
    this.assign(segment, restored);
    return restored;
  }

  /**
   * The segment's own VLAN, or the lowest that nobody holds, no port carries and no flow leads to.
   * @throws poolExhausted
   */
  grant(segment: Segment, carried: CarriedVlans, ledTo: ReadonlySet<number>): Grant {
    const own = this.own(segment, carried);
    if (own !== undefined) return { vlan: own, origin: 'own' };
    const taken = new Set([...carried.byVlan.keys(), ...carried.remembered, ...ledTo]);
    for (let vlan = this.first; vlan <= this.last; vlan++) {
      if (this.holderOf.has(vlan) || taken.has(vlan)) continue;
      this.assign(segment, vlan);
      return { vlan, origin: 'free' };
    }
    throw LocalVlanErrors.poolExhausted({
      network: segment.networkId,
      first: this.first,
      last: this.last,
      given: this.holderOf.size,
      taken: [...taken].filter((vlan) => !this.holderOf.has(vlan)).length,
    });
  }

  /** The segment holds the VLAN from now on; whoever held it holds it no more (a segment that was renumbered). */
  assign(segment: Segment, vlan: number): void {
    const key = segmentKey(segment);
    const former = this.vlanOf.get(key);
    if (former !== undefined && former !== vlan) this.holderOf.delete(former);
    const holder = this.holderOf.get(vlan);
    if (holder !== undefined && holder !== key) this.vlanOf.delete(holder);
    this.vlanOf.set(key, vlan);
    this.holderOf.set(vlan, key);
  }

  /** Takes the VLAN back, if it is still the segment's. */
  release(segment: Segment, vlan: number): void {
    const key = segmentKey(segment);
    if (this.holderOf.get(vlan) !== key) return;
    this.holderOf.delete(vlan);
    this.vlanOf.delete(key);
  }

  private isFreeFor(vlan: number, key: string, carried: CarriedVlans): boolean {
    const others = [...(carried.byVlan.get(vlan) ?? [])].filter((segment) => segment !== key && segment !== null);
    return !this.holderOf.has(vlan) && others.length === 0;
  }
}
