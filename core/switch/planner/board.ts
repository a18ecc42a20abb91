import type { Contest, Displacement } from './contest';
import type { Drift, DriftPolicy } from './drift';
import { type Installed, type InstalledFlow, sameInstalled } from './installed';
import type { Canonical, Item } from './items';
import { nameOf, type Owner } from './owner';
import { Place } from './place';

export type { Installed, InstalledFlow } from './installed';

/** One message to the switch. `owners` answer for it if it is refused. */
export type Step =
  | {
      readonly act: 'add' | 'change';
      readonly identity: string;
      readonly item: Item;
      readonly owners: readonly Owner[];
      readonly before?: Installed;
    }
  | {
      readonly act: 'remove';
      readonly identity: string;
      readonly before: Installed;
      readonly owners: readonly Owner[];
    };

/** Whether something that nobody wants goes or stays. */
export type Fate = (bridge: string, installed: Installed, withdrawn: boolean) => 'remove' | 'keep';

interface BoardRules {
  readonly canonical: Canonical;
  readonly fate: Fate;
  readonly drift: DriftPolicy;
  /** For people: whose cookie a flow bears that nobody wants, and whose place it is in. */
  readonly describeStranger: (bridge: string, flow: InstalledFlow) => string;
  /** Whether the operator left the flow to somebody else. */
  readonly isReserved: (bridge: string, flow: InstalledFlow) => boolean;
}

/** What somebody else did to the bridge: one thing that is there now, or an identity that is there no more. */
export type Observation = { readonly present: Installed } | { readonly absent: string };

/** What is on a bridge, by identity. */
export interface InstalledView {
  readonly size: number;
  get(identity: string): Installed | undefined;
  values(): Iterable<Installed>;
}

/**
 * What is wanted and what is installed on one bridge, by identity. Every change marks the places it touches, and only those are decided
 * again: planning costs what changed, not what there is.
 */
export class Board {
  private readonly places = new Map<string, Place>();
  private isRead = false;
  private foundCount = 0;
  private empty = false;
  private count = 0;
  /** Places of what is there and nobody wants. */
  private strangerCount = 0;
  private stale: Place[] = [];
  private due: Place[] = [];
  private edited: Place[] = [];
  /** What is due besides, by kind: of a whole table no list is made. */
  private dueBesides: 'nothing' | 'unwanted' | 'everything' = 'nothing';
  /** Places over which somebody lost. */
  private readonly contested = new Set<Place>();
  /** Drift that was reported and is left alone: what was wanted then, and what was there. */
  private readonly tolerated = new Map<
    Place,
    { readonly item: Item | undefined; readonly seen: Installed | undefined }
  >();
  private drifts: Drift[] = [];
  /** Places where somebody else's reserved flow was and what is wanted is put instead, with whose it was. */
  private readonly displaced = new Map<Place, string>();
  private unreported: Displacement[] = [];
  /** Groups and meters that are wanted. */
  private readonly unmarked = new Set<string>();
  private readonly view: InstalledView;

  constructor(
    readonly bridge: string,
    private readonly rules: BoardRules,
  ) {
    const { places } = this;
    const size = () => this.foundCount;
    this.view = {
      get size() {
        return size();
      },
      get: (identity) => places.get(identity)?.found,
      *values() {
        for (const { found } of places.values()) if (found !== undefined) yield found;
      },
    };
  }

  /** Undefined until the bridge was read, and while its connection is away. */
  get installed(): InstalledView | undefined {
    return this.isRead ? this.view : undefined;
  }

  /** Its tables were empty when they were found, or have been emptied since: what others relied on there is gone. */
  get wasEmpty(): boolean {
    return this.empty;
  }

  get wantedCount(): number {
    return this.count;
  }

  /**
   * Groups and meters of ours, which bear no cookie: those that are wanted, and of those that were `recorded` as ours what is still
   * there. Undefined while the bridge is not read.
   */
  cookieless(recorded: readonly string[]): readonly string[] | undefined {
    if (!this.isRead) return undefined;
    return [...new Set([...this.unmarked, ...recorded.filter((identity) => this.view.get(identity))])].sort();
  }

  /** Takes over what was read from the switch, and compares all of it. What differs from what was known is somebody's edit. */
  read(installed: Iterable<Installed>): void {
    const wasRead = this.isRead;
    const seen = new Set<Place>();
    this.isRead = true;
    for (const one of installed) {
      const place = this.place(one.identity);
      if (wasRead) seen.add(place);
      this.find(place, one, wasRead);
    }
    if (wasRead) for (const place of this.places.values()) if (!seen.has(place)) this.find(place, undefined, true);
    this.empty = this.foundCount === 0 || (wasRead && this.empty);
    this.compareAll();
  }

  /** Somebody else changed the bridge. Answers whether anything was unknown so far. */
  observe(observations: Iterable<Observation>): boolean {
    if (!this.isRead) return false;
    let isNews = false;
    for (const observation of observations) {
      const identity = 'absent' in observation ? observation.absent : observation.present.identity;
      const place = this.place(identity);
      if (!this.find(place, 'absent' in observation ? undefined : observation.present, true)) continue;
      this.isToCompare(place);
      isNews = true;
    }
    if (this.foundCount === 0) this.empty = true;
    return isNews;
  }

  /** These are all groups and meters of the bridge. Answers whether anything was unknown so far, and that somebody else's doing. */
  observeCookieless(present: readonly Installed[]): boolean {
    const there = new Set(present.map(({ identity }) => identity));
    const gone = [...this.places.values()].filter(
      ({ identity, found }) => found !== undefined && found.kind !== 'flow' && !there.has(identity),
    );
    return this.observe([
      ...present.map((one) => ({ present: one })),
      ...gone.map(({ identity }) => ({ absent: identity })),
    ]);
  }

  /** Drift that was found by the plans since the last call. */
  takeDrift(): readonly Drift[] {
    const taken = this.drifts;
    this.drifts = [];
    return taken;
  }

  /** Reserved flows of somebody else that gave way to what is wanted in their very place, for as long as it is. */
  get displacements(): readonly Displacement[] {
    return [...this.displaced].flatMap(([place, whose]) => this.displacementOf(place, whose) ?? []);
  }

  /** Those that are new since the last call. */
  takeDisplacements(): readonly Displacement[] {
    const taken = this.unreported;
    this.unreported = [];
    return taken;
  }

  /** The connection is away: nothing is known of the bridge. */
  forget(): void {
    this.isRead = false;
    this.takeAsFound();
    for (const place of this.places.values()) {
      this.put(place, undefined);
      this.leave(place);
    }
  }

  /** What others did so far is how the bridge was found, and no drift. */
  takeAsFound(): void {
    for (const place of this.edited) place.isEdited = false;
    this.edited = [];
    this.tolerated.clear();
  }

  compareAll(): void {
    this.dueBesides = 'everything';
  }

  /** A plugin completed, or the rules of sweeping changed: what nobody wants is looked at again. */
  compareUnwanted(): void {
    if (this.dueBesides === 'nothing') this.dueBesides = 'unwanted';
  }

  want(item: Item): void {
    const { identity } = item;
    const place = this.place(identity);
    if (item.kind === 'flow') item.share(place.identity);
    else this.unmarked.add(identity);
    if (!place.isWanted) {
      this.count += 1;
      if (place.found !== undefined) this.strangerCount -= 1;
    }
    place.want(item);
    place.isWithdrawn = false;
    this.isToDecide(place);
  }

  unwant(item: Item): void {
    const { identity } = item;
    const place = this.places.get(identity);
    if (place?.unwant(item) !== true) return;
    if (!place.isWanted) {
      this.count -= 1;
      if (place.found !== undefined) this.strangerCount += 1;
      this.unmarked.delete(identity);
      place.isWithdrawn = true;
      this.displaced.delete(place);
    }
    this.isToDecide(place);
  }

  /** Decides what was touched. Answers the owners whose losses may have changed. */
  settle(): ReadonlySet<Owner> {
    const touched = new Set<Owner>();
    for (const place of this.stale) {
      place.isStale = false;
      for (const owner of place.losers) touched.add(owner);
      place.decide(this.rules.canonical);
      for (const owner of place.losers) touched.add(owner);
      if (place.losers.length === 0) this.contested.delete(place);
      else this.contested.add(place);
      this.isToCompare(place);
    }
    this.stale = [];
    return touched;
  }

  get hasContests(): boolean {
    return this.contested.size > 0;
  }

  /** The contest that the owner lost over the item, if it did. */
  contest(owner: Owner, item: Item): Contest | undefined {
    const decided = this.places.get(item.identity);
    if (decided?.owner === undefined || !decided.losers.includes(owner)) return undefined;
    const place = placeOf(item);
    const reason = `${place} is stated differently by ${nameOf(decided.owner)}, which comes first`;
    return { place, winner: decided.owner, loser: owner, reason };
  }

  /** What is to be under the identity, by decision between all who want something there. */
  decidedItem(identity: string): Item | undefined {
    return this.places.get(identity)?.item;
  }

  /** What is to be sent for all that was touched since. Empty while the bridge is not read; nothing is forgotten then. */
  takeSteps(): Step[] {
    if (!this.isRead) return [];
    const steps: Step[] = [];
    const { due, dueBesides, edited } = this;
    this.due = [];
    this.edited = [];
    this.dueBesides = 'nothing';
    for (const place of due) this.compare(place, steps);
    if (dueBesides === 'everything' || (dueBesides === 'unwanted' && this.strangerCount > 0)) {
      for (const place of this.places.values()) {
        if (place.isDue || (dueBesides === 'unwanted' && place.isWanted)) continue;
        this.compare(place, steps);
      }
    }
    for (const place of due) place.isDue = false;
    for (const place of edited) place.isEdited = false;
    for (const place of due) this.leave(place);
    return steps;
  }

  private compare(place: Place, steps: Step[]): void {
    const step = this.step(place);
    if (step === undefined) this.tolerated.delete(place);
    else if (!this.leaves(place, step)) {
      this.noteDisplaced(place, step);
      steps.push(step);
    }
  }

  /** One flow is at a place, table, priority and match: where somebody keeps one in ours, it is lost, and that is told. */
  private noteDisplaced(place: Place, step: Step): void {
    const { before } = step;
    if (step.act !== 'change' || before?.kind !== 'flow' || !this.rules.isReserved(this.bridge, before)) return;
    const whose = this.rules.describeStranger(this.bridge, before);
    if (this.displaced.get(place) === whose) return;
    this.displaced.set(place, whose);
    const displacement = this.displacementOf(place, whose);
    if (displacement !== undefined) this.unreported.push(displacement);
  }

  private displacementOf({ item, owners }: Place, whose: string): Displacement | undefined {
    if (item === undefined) return undefined;
    const place = placeOf(item);
    const reason = `${place} is wanted by ${owners.map(nameOf).join(' and ')}, and takes the place of a reserved flow: ${whose}`;
    return { place, reason };
  }

  /** Notes drift. True where the policy is to leave it as it is, until something else is wanted or found. */
  private leaves(place: Place, step: Step): boolean {
    const item = step.act === 'remove' ? undefined : step.item;
    const known = this.tolerated.get(place);
    if (known !== undefined && known.item === item && sameInstalled(known.seen, step.before)) return true;
    this.tolerated.delete(place);
    if (!place.isEdited) return false;
    this.drifts.push(this.driftOf(step));
    if (this.rules.drift === 'repair') return false;
    this.tolerated.set(place, { item, seen: step.before });
    return true;
  }

  private driftOf(step: Step): Drift {
    if (step.act === 'remove') {
      const { before } = step;
      const owner = before.kind === 'flow' ? this.rules.describeStranger(this.bridge, before) : 'nobody';
      return { kind: 'added', place: placeOf(before, this.bridge), owners: [owner] };
    }
    const kind = step.act === 'add' ? 'removed' : 'changed';
    return { kind, place: placeOf(step.item), owners: step.owners.map(nameOf) };
  }

  /** The switch has acknowledged the step. */
  applied(step: Step): void {
    if (!this.isRead) return;
    const place = this.place(step.identity);
    if (step.act === 'remove') {
      this.put(place, undefined);
      place.isWithdrawn = false;
      this.leave(place);
    } else {
      this.put(place, step.item);
    }
  }

  /** The step did not reach the switch: it is planned again. */
  undone(step: Step): void {
    this.isToCompare(this.place(step.identity));
  }

  private step(place: Place): Step | undefined {
    const { identity, found: before, item } = place;
    if (item !== undefined) {
      const { owners } = place;
      if (before === undefined) return { act: 'add', identity, item, owners };
      if (!sameInstalled(before, item)) return { act: 'change', identity, item, owners, before };
      // What the switch sent of it is not kept: it is as we want it.
      place.found = item;
      return undefined;
    }
    if (before === undefined) {
      place.isWithdrawn = false;
      return undefined;
    }
    if (this.rules.fate(this.bridge, before, place.isWithdrawn || place.isWanted) === 'keep') return undefined;
    return { act: 'remove', identity, before, owners: place.owners };
  }

  private place(identity: string): Place {
    let place = this.places.get(identity);
    if (place === undefined) {
      place = new Place(identity);
      this.places.set(identity, place);
    }
    return place;
  }

  /** Takes over what is there now, and notes that it was edited where it was `known`. Answers whether it is anything new. */
  private find(place: Place, after: Installed | undefined, known: boolean): boolean {
    if (sameInstalled(place.found, after)) return false;
    this.put(place, after);
    if (known && !place.isEdited) {
      place.isEdited = true;
      this.edited.push(place);
    }
    return true;
  }

  private put(place: Place, after: Installed | undefined): void {
    const change = Number(after !== undefined) - Number(place.found !== undefined);
    this.foundCount += change;
    if (!place.isWanted) this.strangerCount += change;
    place.found = after;
  }

  private isToDecide(place: Place): void {
    if (place.isStale) return;
    place.isStale = true;
    this.stale.push(place);
  }

  private isToCompare(place: Place): void {
    if (place.isDue) return;
    place.isDue = true;
    this.due.push(place);
  }

  /** Gives up a place at which nothing is left. */
  private leave(place: Place): void {
    if (place.isVacant && !place.isEdited) this.places.delete(place.identity);
  }
}

/** For people: where an item goes. */
export function placeOf(item: Installed, on?: string): string {
  switch (item.kind) {
    case 'flow': {
      const { bridge = on, table, priority, match } = item.decode();
      const fields = Object.entries(match).map(([field, value]) => `${field}=${showValue(value)}`);
      return `flow ${bridge} table=${table},priority=${priority}${fields.map((field) => `,${field}`).join('')}`;
    }
    case 'group':
      return `group ${item.group.bridge} ${item.group.group}`;
    case 'meter':
      return `meter ${item.meter.bridge} ${item.meter.meter}`;
  }
}

function showValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { value: plain, mask, port } = value as { value?: unknown; mask?: unknown; port?: unknown };
  return port === undefined ? `${String(plain)}/${String(mask)}` : String(port);
}
