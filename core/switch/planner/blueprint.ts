import { DEAD_VLAN, type DesiredRecords, type GateRecord, type KeyProgress, reasonOf } from '@patchbay/sdk';
import { switchErrors } from '../errors';
import { Board, type Fate, type InstalledFlow, type Step } from './board';
import { aliasKey, type Compiled, type CompiledGate, compile } from './compile';
import type { Contest, Displacement } from './contest';
import type { Drift, DriftPolicy } from './drift';
import type { Canonical } from './items';
import { compareOwners, nameOf, type Owner, ownerId } from './owner';
import { OWNED_MARK, ownedByRecord } from './ownership';
import type { Plan } from './plan';
import { References } from './references';
import { type PhasedChange, rowNameOf } from './row-changes';
import { type ControllerRule, RowPlanner } from './row-planner';
import type { GatePosition } from './row-wants';
import type { Rows } from './rows';
import { keyOfSubject, NOTHING, newSlot, rowWantsOf, type Slot, subjectOf, whatStays } from './slot';

export interface BlueprintRules {
  readonly canonical: Canonical;
  readonly fate: Fate;
  /** Plugins whose `port/<subject>` keys are a condition of every gate. */
  readonly required: readonly string[];
  readonly controllers?: ControllerRule;
  readonly drift: DriftPolicy;
  /** For people: whose cookie that is. */
  describeStranger(bridge: string, flow: InstalledFlow): string;
  /** Whether the operator left the flow to somebody else. */
  isReserved(bridge: string, flow: InstalledFlow): boolean;
  /** A plugin's place in the order of plugins. */
  rankOf(plugin: string): number;
}

/** So often a key is compiled again for others' sake before it counts as one that never comes to rest. It comes after those that are still to compile, so that once or twice does. */
const MOST_STIRS = 100;

/**
 * All that is wanted of a switch against all that is on it, kept up to date change by change. It does no input or output:
 * it is told of keys, rows and installed flows, and answers with a plan. The same facts in any order come to the same plan.
 */
export class Blueprint {
  readonly rowPlanner: RowPlanner;
  private readonly slots = new Map<string, Slot>();
  private readonly boards = new Map<string, Board>();
  private readonly dependents = new Map<string, Set<Slot>>();
  /** Keys that know a port by a name which is not its own, by bridge and that name. */
  private readonly namers = new Map<string, Set<Slot>>();
  private readonly gatekeepers = new Map<string, Set<Slot>>();
  private readonly references = new References<Slot>();
  private readonly stale = new Set<Slot>();
  /** How often other keys made one be compiled again since nothing was left to compile. */
  private readonly stirs = new Map<Slot, number>();
  private readonly subjects = new Set<string>();
  private touched = new Set<Owner>();
  /** Bridges that keys are about, once somebody asked since keys were stated. */
  private named: ReadonlySet<string> | undefined;

  constructor(
    private readonly rules: BlueprintRules,
    private readonly rows: Rows,
  ) {
    this.rowPlanner = new RowPlanner(rows, rules.controllers, rules.drift);
  }

  /** States a key, or with null withdraws it. A key that is quarantined is given another chance. */
  state(plugin: string, key: string, records: DesiredRecords | null): void {
    const id = ownerId(plugin, key);
    const known = this.slots.get(id);
    this.named = undefined;
    if (records === null) {
      if (known === undefined) {
        // It came and went between two rounds: there is nothing to do but to say so.
        this.touched.add({ plugin, key, rank: this.rules.rankOf(plugin) });
        return;
      }
      known.records = {};
      this.replace(known, NOTHING, 'withdrawing');
      this.slots.delete(id);
      this.stale.delete(known);
      this.touchSubjects(known);
      return;
    }
    const slot = known ?? newSlot({ plugin, key, rank: this.rules.rankOf(plugin) }, records);
    slot.records = records;
    slot.quarantine = undefined;
    this.slots.set(id, slot);
    this.stale.add(slot);
  }

  /** Rows of these names changed: keys that name them are compiled again. Answers whether that concerns anything here. */
  rowsChanged(names: Iterable<string>): boolean {
    let concerned = false;
    for (const name of names) {
      if (this.rowPlanner.touch(name)) concerned = true;
      for (const slot of this.dependents.get(name) ?? []) {
        this.stale.add(slot);
        concerned = true;
      }
    }
    return concerned;
  }

  /** Some key is about the bridge. */
  isNamed(bridge: string): boolean {
    this.named ??= new Set([...this.slots.values()].flatMap(({ records }) => [...bridgesIn(records)]));
    return this.named.has(bridge);
  }

  hasBoard(bridge: string): boolean {
    return this.boards.has(bridge);
  }

  board(bridge: string): Board {
    let board = this.boards.get(bridge);
    if (board === undefined) {
      board = new Board(bridge, this.rules);
      this.boards.set(bridge, board);
    }
    return board;
  }

  allBoards(): Iterable<Board> {
    return this.boards.values();
  }

  /** A bridge was read, or its connection was lost: every key's progress and every gate may depend on it. */
  readinessChanged(): void {
    for (const subject of this.gatekeepers.keys()) this.subjects.add(subject);
    for (const slot of this.slots.values()) this.lookAtAgain(slot);
  }

  /** Compares everything, not only what changed. */
  compareAll(): void {
    for (const slot of this.slots.values()) this.lookAtAgain(slot);
    this.rowPlanner.touchAll();
    for (const board of this.boards.values()) board.compareAll();
  }

  /**
   * What a key comes to depends on its records, on rows by name, which tell when they change, and, where it makes ports, on ports
   * under other names and on whether bridges are read. Only those of the last kind are compiled again for no change of theirs.
   */
  private lookAtAgain(slot: Slot): void {
    if ((slot.records.ports ?? []).length > 0 || slot.quarantine !== undefined) this.stale.add(slot);
    else this.touched.add(slot.owner);
  }

  /** Holds a key back that the switch refused. What the switch has acknowledged of it stays, unless it is that which it refuses now. */
  quarantine(owner: Owner, reason: string): void {
    const slot = this.slots.get(ownerId(owner.plugin, owner.key));
    if (slot === undefined) return;
    if (slot.quarantine !== undefined) slot.accepted = NOTHING;
    slot.quarantine = reason;
    this.stale.add(slot);
  }

  /** Gives a quarantined key another chance. */
  release(owner: Owner): void {
    const slot = this.slots.get(ownerId(owner.plugin, owner.key));
    if (slot?.quarantine === undefined) return;
    slot.quarantine = undefined;
    this.stale.add(slot);
  }

  /** Compiles keys that changed for about `budgetMs`. Answers whether some are left: `plan` would compile them at one go. */
  compileSome(budgetMs: number): boolean {
    const end = performance.now() + budgetMs;
    for (const slot of this.stale) {
      this.stale.delete(slot);
      this.recompile(slot);
      // Decided slice by slice: what others change meanwhile is decided again.
      this.settleBoards();
      if (performance.now() >= end) break;
    }
    if (this.stale.size === 0) this.stirs.clear();
    return this.stale.size > 0;
  }

  /** The plan for all that changed since the last one. */
  plan(): Plan {
    while (this.compileSome(Number.POSITIVE_INFINITY));
    this.settleBoards();
    this.positionGates();
    // Admission flows may have displaced, or made room for, what a required key wants.
    this.settleBoards();
    this.positionGates();
    this.settleBoards();
    const steps = new Map<string, readonly Step[]>();
    for (const board of this.boards.values()) {
      this.recordCookieless(board);
      const taken = board.takeSteps();
      if (taken.length > 0) steps.set(board.bridge, taken);
    }
    const rows = this.rowPlanner.take();
    for (const owner of this.rowPlanner.takeLosers()) this.touched.add(owner);
    return { rows, steps };
  }

  /** Edits by somebody else that the plans since the last call were about. */
  takeDrift(): readonly Drift[] {
    return [...[...this.boards.values()].flatMap((board) => board.takeDrift()), ...this.rowPlanner.takeDrift()];
  }

  /** Owners whose progress may be another since the last call. */
  takeTouched(): ReadonlySet<Owner> {
    const touched = this.touched;
    this.touched = new Set();
    return touched;
  }

  /** A row change did not reach the switch: it is planned again. */
  undone(change: PhasedChange): void {
    this.rowPlanner.touch(rowNameOf(change));
  }

  /** The switch has acknowledged all that this key comes to. */
  accepted(owner: Owner): void {
    const slot = this.slots.get(ownerId(owner.plugin, owner.key));
    if (slot !== undefined && slot.quarantine === undefined) slot.accepted = slot.compiled;
  }

  /** How far the key has come, as far as planning can tell; what is still on its way is not counted. What it waits for is in alphabetical order. */
  progress(plugin: string, key: string): KeyProgress {
    const slot = this.slots.get(ownerId(plugin, key));
    if (slot === undefined) return { state: 'unset' };
    const refusal = this.refusalOf(slot);
    if (refusal !== undefined) return { state: 'quarantined', reason: refusal };
    const waitingFor = new Set([
      ...slot.compiled.waitingFor,
      ...this.rowPlanner.waitsOf(slot.owner),
      ...slot.gates.flatMap(({ gate, reasons }) => [...gate.waitingFor, ...reasons]),
      ...this.unreadBridges(slot).map((bridge) => `an OpenFlow connection to bridge ${bridge}`),
    ]);
    return waitingFor.size === 0 ? { state: 'applied' } : { state: 'pending', waitingFor: [...waitingFor].sort() };
  }

  /** One key for people: what it came to. */
  inspect(plugin: string, key: string): Readonly<Slot> | undefined {
    return this.slots.get(ownerId(plugin, key));
  }

  contests(): readonly Contest[] {
    return [...this.slots.values()].flatMap((slot) => this.contestsOf(slot));
  }

  /** Reserved flows of others that gave way to what is wanted in their very place. */
  displacements(): readonly Displacement[] {
    return [...this.boards.values()].flatMap((board) => board.displacements);
  }

  /** Those that the plans since the last call brought. */
  takeDisplacements(): readonly Displacement[] {
    return [...this.boards.values()].flatMap((board) => board.takeDisplacements());
  }

  /** Groups and meters bear no cookie: which of them are ours is written on the bridge before they are. */
  private recordCookieless(board: Board): void {
    const recorded = ownedByRecord(this.rows, board.bridge);
    const owned = board.cookieless(recorded)?.join(' ');
    if (owned === undefined || owned === recorded.join(' ') || this.rows.bridge(board.bridge) === undefined) return;
    const owner: Owner = { plugin: 'switch', key: `${OWNED_MARK}/${board.bridge}`, rank: -1 };
    const cells = { [`Bridge.external_ids:${OWNED_MARK}`]: owned === '' ? null : owned };
    this.rowPlanner.replace(owner, [{ owner, row: { table: 'Bridge', name: board.bridge }, cells }], 'leaving');
  }

  private recompile(slot: Slot): void {
    if (slot.quarantine === undefined) {
      try {
        const around = {
          rows: this.rows,
          canonical: this.rules.canonical,
          aliasOf: (bridge: string, name: string) => this.aliasOf(aliasKey(bridge, name)),
          isRead: (bridge: string) => this.board(bridge).installed !== undefined,
          standingOf: (reference: string) => this.references.standing(reference, slot),
        };
        this.replace(slot, compile(slot.owner, slot.records, around, slot.compiled), 'withdrawing');
      } catch (error) {
        slot.quarantine = reasonOf(error);
      }
    }
    if (slot.quarantine !== undefined) this.replace(slot, whatStays(slot, this.rows), 'leaving');
    this.touchSubjects(slot);
  }

  private replace(slot: Slot, next: Compiled, mode: 'withdrawing' | 'leaving'): void {
    const positions = new Map(
      slot.gates.map(({ gate, position, reasons }) => [gate.record.port, { position, reasons }]),
    );
    const aliases = [...slot.compiled.aliases.keys(), ...next.aliases.keys()];
    const known = new Map(aliases.map((alias) => [alias, this.aliasOf(alias)]));
    const before = new Set(slot.compiled.items);
    const after = new Set(next.items);
    for (const item of before) if (!after.has(item)) this.board(item.bridge).unwant(item);
    this.admitAll(slot, 'unwant');
    this.index(slot, 'delete');
    slot.compiled = next;
    slot.gates = next.gates.map((gate) => ({
      gate,
      ...(positions.get(gate.record.port) ?? { position: 'held', reasons: [] }),
    }));
    this.index(slot, 'add');
    for (const [alias, actual] of known) if (this.aliasOf(alias) !== actual) this.stirOthers(alias, slot);
    for (const [other, now] of this.references.update(slot)) this.stir(other, slot, now === 'comes');
    for (const item of after) if (!before.has(item)) this.board(item.bridge).want(item);
    this.admitAll(slot, 'want');
    this.rowPlanner.replace(slot.owner, rowWantsOf(slot), mode);
    this.touched.add(slot.owner);
  }

  private admitAll(slot: Slot, act: 'want' | 'unwant'): void {
    for (const { gate, position } of slot.gates) if (position === 'open') this.admit(gate, act);
  }

  private admit({ admission }: CompiledGate, act: 'want' | 'unwant'): void {
    for (const item of admission) this.board(item.bridge)[act](item);
  }

  private index(slot: Slot, act: 'add' | 'delete'): void {
    for (const name of slot.compiled.names) enter(this.dependents, name, slot, act);
    for (const { gate } of slot.gates) enter(this.gatekeepers, gate.record.subject, slot, act);
    for (const alias of slot.compiled.aliases.keys()) enter(this.namers, alias, slot, act);
  }

  /** The name of the port that keys know by this one; where they do not agree, what the first in the plugins' order says. */
  private aliasOf(alias: string): string | undefined {
    let first: Slot | undefined;
    for (const slot of this.namers.get(alias) ?? []) {
      if (first === undefined || compareOwners(slot.owner, first.owner) < 0) first = slot;
    }
    return first?.compiled.aliases.get(alias);
  }

  /**
   * A name that keys give to a port came to mean another: the others that use it are compiled again. What a key calls ports hangs on rows
   * alone, so that this comes to rest; were it not so, the key would be held back, and those that do settle go on.
   */
  private stirOthers(alias: string, cause: Slot): void {
    for (const slot of this.dependents.get(alias.slice(alias.indexOf(' ') + 1)) ?? []) this.stir(slot, cause);
  }

  /** Compiles a key again for another's sake. `isGood`: what it may have been refused for want of has come. */
  private stir(slot: Slot, cause: Slot, isGood = false): void {
    if (slot === cause) return;
    const times = (this.stirs.get(slot) ?? 0) + 1;
    if (isGood && times < MOST_STIRS) slot.quarantine = undefined;
    if (this.stale.has(slot)) return;
    this.stirs.set(slot, times);
    if (times === MOST_STIRS) slot.quarantine = switchErrors.restless({ ...slot.owner, times }).message;
    if (times <= MOST_STIRS) this.stale.add(slot);
  }

  private touchSubjects(slot: Slot): void {
    for (const { gate } of slot.gates) this.subjects.add(gate.record.subject);
    const subject = subjectOf(slot.owner.key);
    if (subject !== undefined && this.rules.required.includes(slot.owner.plugin)) this.subjects.add(subject);
  }

  private settleBoards(): void {
    for (const board of this.boards.values()) {
      for (const owner of board.settle()) {
        this.touched.add(owner);
        const subject = subjectOf(owner.key);
        if (subject !== undefined && this.rules.required.includes(owner.plugin)) this.subjects.add(subject);
      }
    }
  }

  private positionGates(): void {
    for (const subject of this.subjects) {
      for (const slot of this.gatekeepers.get(subject) ?? []) {
        for (const held of slot.gates) {
          if (held.gate.record.subject !== subject) continue;
          const { position, reasons } = this.position(slot, held.gate);
          held.reasons = reasons;
          this.touched.add(slot.owner);
          if (position === 'held' || position === held.position) continue;
          if (position === 'open') this.admit(held.gate, 'want');
          else if (held.position === 'open') this.admit(held.gate, 'unwant');
          held.position = position;
          this.rowPlanner.replace(slot.owner, rowWantsOf(slot), 'withdrawing');
        }
      }
    }
    this.subjects.clear();
  }

  /** While a bridge that counts is not read, nothing is known that would justify a change. */
  private position(slot: Slot, gate: CompiledGate): { position: GatePosition; reasons: readonly string[] } {
    const reasons: string[] = [];
    let unread = this.board(gate.record.bridge).installed === undefined;
    for (const plugin of this.rules.required) {
      const required = this.slots.get(ownerId(plugin, keyOfSubject(gate.record.subject)));
      if (required === undefined) {
        const reason = this.withoutRequired(gate.record);
        if (reason !== undefined) reasons.push(`${plugin} ${reason}`);
        continue;
      }
      // Of the gate's own key its admission flows do not count here: they are wanted only once it is open.
      const refusal = required === slot ? slot.quarantine : this.refusalOf(required);
      const waits = refusal === undefined ? required.compiled.waitingFor : [refusal];
      if (waits.length > 0) reasons.push(`${nameOf(required.owner)}: ${waits.join(', ')}`);
      if (this.unreadBridges(required).length > 0) unread = true;
    }
    if (unread) return { position: 'held', reasons };
    const shut = reasons.length > 0 || gate.waitingFor.length > 0 || slot.quarantine !== undefined;
    return { position: shut ? 'shut' : 'open', reasons };
  }

  /** Why a port of which a required plugin has said nothing is not to be open, or undefined. */
  private withoutRequired({ bridge, tag, unplugged, found }: GateRecord): string | undefined {
    if (tag === DEAD_VLAN || unplugged === true) return undefined;
    if (found !== true) return 'to state what it wants for the port';
    return this.board(bridge).wasEmpty ? 'to guard the port again: the tables were found empty' : undefined;
  }

  private refusalOf(slot: Slot): string | undefined {
    if (slot.quarantine !== undefined) return slot.quarantine;
    const contests = this.contestsOf(slot);
    return contests.length === 0 ? undefined : contests.map((contest) => contest.reason).join('; ');
  }

  private contestsOf(slot: Slot): readonly Contest[] {
    return [...this.lostItems(slot), ...this.rowPlanner.contestsOf(slot.owner)];
  }

  private lostItems(slot: Slot): readonly Contest[] {
    if (![...this.boards.values()].some((board) => board.hasContests)) return [];
    const admission = slot.gates.flatMap(({ gate, position }) => (position === 'open' ? gate.admission : []));
    return [...slot.compiled.items, ...admission].flatMap(
      (item) => this.board(item.bridge).contest(slot.owner, item) ?? [],
    );
  }

  private unreadBridges(slot: Slot): readonly string[] {
    const bridges = new Set(slot.compiled.bridges);
    for (const { gate } of slot.gates) bridges.add(gate.record.bridge);
    return [...bridges].filter((bridge) => this.board(bridge).installed === undefined);
  }
}

/** Names of the bridges that the records are about, each perhaps more than once. */
function* bridgesIn({ bridges = [], ports, gates, meters, groups, flows }: DesiredRecords): Iterable<string> {
  for (const { name } of bridges) yield name;
  for (const list of [ports, gates, meters, groups, flows]) for (const { bridge } of list ?? []) yield bridge;
}

function enter(index: Map<string, Set<Slot>>, key: string, slot: Slot, act: 'add' | 'delete'): void {
  const set = index.get(key);
  if (act === 'add') {
    if (set === undefined) index.set(key, new Set([slot]));
    else set.add(slot);
  } else if (set?.delete(slot) === true && set.size === 0) index.delete(key);
}
