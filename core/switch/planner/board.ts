import type { Flow, Group, Meter } from '@patchbay/sdk';
import type { Contest } from './contest';
import { type Contribution, type Decision, decide } from './decide';
import type { Drift, DriftPolicy } from './drift';
import type { Canonical, Item } from './items';
import { nameOf, type Owner } from './owner';

/** A flow as it is on a switch. */
export interface InstalledFlow {
  readonly kind: 'flow';
  readonly identity: string;
  readonly body: string;
  readonly cookie: bigint;
  readonly table: number;
  readonly priority: number;
  /** The flow as data. What was read from a switch is decoded only when somebody asks. */
  decode(): Flow;
}

/** Groups and meters carry no cookie: whose they are is known only of those we wanted ourselves. */
export type Installed =
  | InstalledFlow
  | { readonly kind: 'group'; readonly identity: string; readonly body: string; readonly group: Group }
  | { readonly kind: 'meter'; readonly identity: string; readonly body: string; readonly meter: Meter };

/** One message to the switch. `owners` answer for it if it is refused. */
export type Step =
  | {
      readonly act: 'add' | 'change';
      readonly identity: string;
      readonly item: Item;
      readonly cookie: bigint;
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
  readonly cookieOf: (plugin: string) => bigint;
  readonly fate: Fate;
  readonly drift: DriftPolicy;
  /** For people: whose cookie a flow bears that nobody wants, and whose place it is in. */
  readonly describeStranger: (bridge: string, flow: InstalledFlow) => string;
}

/** What somebody else did to the bridge: one thing that is there now, or an identity that is there no more. */
export type Observation = { readonly present: Installed } | { readonly absent: string };

/**
 * What is wanted and what is installed on one bridge, by identity. Every change marks the identities it touches, and only
 * those are decided again: planning costs what changed, not what there is.
 */
export class Board {
  private readonly wanted = new Map<string, Contribution[]>();
  private readonly decisions = new Map<string, Decision>();
  private found: Map<string, Installed> | undefined;
  private stale = new Set<string>();
  private due = new Set<string>();
  /** What is due besides, by kind: of a whole table no list is made. */
  private dueBesides: 'nothing' | 'unwanted' | 'everything' = 'nothing';
  /** Identities over which somebody lost. */
  private readonly contested = new Set<string>();
  /** Changed by somebody else since the last plan. */
  private edited = new Set<string>();
  /** Drift that was reported and is left alone: what was wanted then, and what was there. */
  private readonly tolerated = new Map<
    string,
    { readonly item: Item | undefined; readonly seen: Installed | undefined }
  >();
  private drifts: Drift[] = [];
  /** Groups and meters that are wanted. */
  private readonly unmarked = new Set<string>();
  /** Once wanted in this run, and no longer: goes whatever its plugin has completed. */
  private readonly withdrawn = new Set<string>();

  constructor(
    readonly bridge: string,
    private readonly rules: BoardRules,
  ) {}

  /** Undefined until the bridge was read, and while its connection is away. */
  get installed(): ReadonlyMap<string, Installed> | undefined {
    return this.found;
  }

  get wantedCount(): number {
    return this.wanted.size;
  }

  /**
   * Groups and meters of ours, which bear no cookie: those that are wanted, and of those that were `recorded` as ours what is still
   * there. Undefined while the bridge is not read.
   */
  cookieless(recorded: readonly string[]): readonly string[] | undefined {
    const { found } = this;
    if (found === undefined) return undefined;
    return [...new Set([...this.unmarked, ...recorded.filter((identity) => found.has(identity))])].sort();
  }

  /** Takes over what was read from the switch, and compares all of it. What differs from what was known is somebody's edit. */
  read(installed: Iterable<Installed>): void {
    const known = this.found;
    this.found = new Map();
    for (const one of installed) this.found.set(one.identity, one);
    if (known !== undefined) {
      for (const [identity, one] of this.found) if (!sameInstalled(known.get(identity), one)) this.edited.add(identity);
      for (const identity of known.keys()) if (!this.found.has(identity)) this.edited.add(identity);
    }
    this.compareAll();
  }

  /** Somebody else changed the bridge. Answers whether anything was unknown so far. */
  observe(observations: Iterable<Observation>): boolean {
    if (this.found === undefined) return false;
    let isNews = false;
    for (const observation of observations) {
      const identity = 'absent' in observation ? observation.absent : observation.present.identity;
      const after = 'absent' in observation ? undefined : observation.present;
      if (sameInstalled(this.found.get(identity), after)) continue;
      if (after === undefined) this.found.delete(identity);
      else this.found.set(identity, after);
      this.edited.add(identity);
      this.due.add(identity);
      isNews = true;
    }
    return isNews;
  }

  /** Drift that was found by the plans since the last call. */
  takeDrift(): readonly Drift[] {
    const taken = this.drifts;
    this.drifts = [];
    return taken;
  }

  /** The connection is away: nothing is known of the bridge. */
  forget(): void {
    this.found = undefined;
    this.takeAsFound();
  }

  /** What others did so far is how the bridge was found, and no drift. */
  takeAsFound(): void {
    this.edited.clear();
    this.tolerated.clear();
  }

  compareAll(): void {
    this.dueBesides = 'everything';
  }

  /** A plugin completed, or the rules of sweeping changed: what nobody wants is looked at again. */
  compareUnwanted(): void {
    if (this.dueBesides === 'nothing') this.dueBesides = 'unwanted';
  }

  want(contribution: Contribution): void {
    const { identity } = contribution.item;
    const list = this.wanted.get(identity);
    if (contribution.item.kind !== 'flow') this.unmarked.add(identity);
    if (list === undefined) this.wanted.set(identity, [contribution]);
    else list.push(contribution);
    this.withdrawn.delete(identity);
    this.stale.add(identity);
  }

  unwant({ owner, item }: Contribution): void {
    const { identity } = item;
    const list = this.wanted.get(identity);
    const at = list?.findIndex((one) => one.item === item && one.owner === owner) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) {
      this.wanted.delete(identity);
      this.unmarked.delete(identity);
      this.withdrawn.add(identity);
    }
    this.stale.add(identity);
  }

  /** Decides what was touched. Answers the owners whose losses may have changed. */
  settle(): ReadonlySet<Owner> {
    const touched = new Set<Owner>();
    for (const identity of this.stale) {
      const before = this.decisions.get(identity);
      const after = decide(this.wanted.get(identity) ?? [], this.rules.canonical);
      if (after === undefined) this.decisions.delete(identity);
      else this.decisions.set(identity, after);
      if (after === undefined || after.losers.length === 0) this.contested.delete(identity);
      else this.contested.add(identity);
      for (const owner of before?.losers ?? []) touched.add(owner);
      for (const owner of after?.losers ?? []) touched.add(owner);
      this.due.add(identity);
    }
    this.stale = new Set();
    return touched;
  }

  get hasContests(): boolean {
    return this.contested.size > 0;
  }

  /** The contest that the owner lost over the item, if it did. */
  contest(owner: Owner, item: Item): Contest | undefined {
    const decision = this.decisions.get(item.identity);
    if (decision === undefined || !decision.losers.includes(owner)) return undefined;
    const place = placeOf(item);
    const reason = `${place} is stated differently by ${nameOf(decision.owner)}, which comes first`;
    return { place, winner: decision.owner, loser: owner, reason };
  }

  decision(identity: string): Decision | undefined {
    return this.decisions.get(identity);
  }

  /** What is to be sent for all that was touched since. Empty while the bridge is not read; nothing is forgotten then. */
  takeSteps(): Step[] {
    if (this.found === undefined) return [];
    const steps: Step[] = [];
    const { due, wanted, found, dueBesides } = this;
    const compare = (identity: string): void => {
      const step = this.step(identity);
      if (step === undefined) this.tolerated.delete(identity);
      else if (!this.leaves(step)) steps.push(step);
    };
    for (const identity of due) compare(identity);
    if (dueBesides === 'everything')
      for (const identity of wanted.keys()) {
        if (!due.has(identity)) compare(identity);
      }
    if (dueBesides !== 'nothing')
      for (const identity of found.keys()) {
        if (!wanted.has(identity) && !due.has(identity)) compare(identity);
      }
    this.due = new Set();
    this.dueBesides = 'nothing';
    this.edited = new Set();
    return steps;
  }

  /** Notes drift. True where the policy is to leave it as it is, until something else is wanted or found. */
  private leaves(step: Step): boolean {
    const { identity } = step;
    const item = step.act === 'remove' ? undefined : step.item;
    const known = this.tolerated.get(identity);
    if (known !== undefined && known.item === item && sameInstalled(known.seen, step.before)) return true;
    this.tolerated.delete(identity);
    if (!this.edited.has(identity)) return false;
    this.drifts.push(this.driftOf(step));
    if (this.rules.drift === 'repair') return false;
    this.tolerated.set(identity, { item, seen: step.before });
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
    if (this.found === undefined) return;
    if (step.act === 'remove') {
      this.found.delete(step.identity);
      this.withdrawn.delete(step.identity);
    } else {
      this.found.set(step.identity, asInstalled(step.item, step.cookie));
    }
  }

  /** The step did not reach the switch: it is planned again. */
  undone(step: Step): void {
    this.due.add(step.identity);
  }

  private step(identity: string): Step | undefined {
    const before = this.found?.get(identity);
    const decision = this.decisions.get(identity);
    if (decision?.item !== undefined) {
      const { item, owner, owners } = decision;
      const cookie = this.rules.cookieOf(owner.plugin);
      if (before === undefined) return { act: 'add', identity, item, cookie, owners };
      const same = before.body === item.body && (before.kind !== 'flow' || before.cookie === cookie);
      return same ? undefined : { act: 'change', identity, item, cookie, owners, before };
    }
    if (before === undefined) {
      this.withdrawn.delete(identity);
      return undefined;
    }
    const unwanted = this.withdrawn.has(identity) || decision !== undefined;
    if (this.rules.fate(this.bridge, before, unwanted) === 'keep') return undefined;
    return { act: 'remove', identity, before, owners: decision?.owners ?? [] };
  }
}

function sameInstalled(left: Installed | undefined, right: Installed | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const sameCookie = left.kind !== 'flow' || right.kind !== 'flow' || left.cookie === right.cookie;
  return left.body === right.body && sameCookie;
}

function asInstalled(item: Item, cookie: bigint): Installed {
  const { identity, body } = item;
  switch (item.kind) {
    case 'flow': {
      const { flow } = item;
      return { kind: 'flow', identity, body, cookie, table: flow.table, priority: flow.priority, decode: () => flow };
    }
    case 'group':
      return { kind: 'group', identity, body, group: item.group };
    case 'meter':
      return { kind: 'meter', identity, body, meter: item.meter };
  }
}

/** For people: where an item goes. */
export function placeOf(item: Item | Installed, on?: string): string {
  switch (item.kind) {
    case 'flow': {
      const { bridge = on, table, priority, match } = 'decode' in item ? item.decode() : item.flow;
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
