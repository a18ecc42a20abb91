import type { Vif } from '@patchbay/sdk';

/** Whether a VIF came just now, or was there when the agent started, and then the VLAN that an earlier run had wired it into. */
export type Arrival = 'now' | { readonly formerVlan: number | undefined };

interface Sighting {
  readonly vif: Vif;
  /** 0: it was there when the agent started. */
  readonly place: number;
  readonly formerVlan: number | undefined;
}

/** The VIFs of one port of the control plane. */
export interface Plugged {
  /** The one to be wired. */
  readonly vif: Vif;
  readonly formerVlan: number | undefined;
  readonly others: readonly Vif[];
}

/**
 * The VIFs on the switch, by their iface-id. There may be several of one for a while, as when Nova plugs an instance's port under another
 * name before the old one is gone, or when a crash left one behind. One of them is wired: the one that came last, of those that ovs-vswitchd
 * could make. Of those that were there before the agent it is the one that an earlier run had wired, or else the one with the highest
 * number, for OVS counts up. The others lead nowhere.
 */
export class PluggedVifs {
  private readonly byPort = new Map<string, Map<string, Sighting>>();
  /** Ports of the control plane with more VIFs than one. */
  private readonly several = new Set<string>();
  private places = 0;

  seen(vif: Vif, arrival: Arrival): void {
    const sightings = this.byPort.get(vif.portId) ?? new Map<string, Sighting>();
    this.byPort.set(vif.portId, sightings);
    const first = arrival === 'now' ? { place: ++this.places, formerVlan: undefined } : { place: 0, ...arrival };
    const { place, formerVlan } = sightings.get(vif.portRow) ?? first;
    sightings.set(vif.portRow, { vif, place, formerVlan });
    if (sightings.size > 1) this.several.add(vif.portId);
  }

  gone({ portId, portRow }: Vif): void {
    const sightings = this.byPort.get(portId);
    if (sightings?.delete(portRow) !== true) return;
    if (sightings.size < 2) this.several.delete(portId);
    if (sightings.size === 0) this.byPort.delete(portId);
  }

  of(portId: string): Plugged | undefined {
    const [first, ...others] = [...(this.byPort.get(portId)?.values() ?? [])].sort(wiredFirst);
    if (first === undefined) return undefined;
    return { vif: first.vif, formerVlan: first.formerVlan, others: others.map(({ vif }) => vif) };
  }

  portIds(): Iterable<string> {
    return this.byPort.keys();
  }

  /** Ports of the control plane with more VIFs than one, as sentences. */
  doubles(): readonly string[] {
    return [...this.several].flatMap((portId) => {
      const plugged = this.of(portId);
      if (plugged === undefined) return [];
      const others = plugged.others.map(({ portName }) => portName).join(', ');
      return [`${portId} is plugged as ${plugged.vif.portName}, which is wired, and as ${others}`];
    });
  }
}

function wiredFirst(one: Sighting, other: Sighting): number {
  return (
    works(other) - works(one) ||
    other.place - one.place ||
    Number(other.formerVlan !== undefined) - Number(one.formerVlan !== undefined) ||
    (other.vif.ofport ?? 0) - (one.vif.ofport ?? 0) ||
    (one.vif.portName < other.vif.portName ? -1 : 1)
  );
}

/** A port without a number has not been looked at yet; a negative one says that it could not be made. */
function works({ vif }: Sighting): number {
  return (vif.ofport ?? 0) >= 0 ? 1 : 0;
}
