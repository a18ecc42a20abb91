import type { Contest } from './contest';
import type { Drift, DriftPolicy } from './drift';
import { nameOf, type Owner, ownerId } from './owner';
import { printRowChange } from './print';
import { diffRow, markOf, type PhasedChange, shutInBetween } from './row-changes';
import { type MergedWant, mergeWants, type RowWant, rowKey } from './row-wants';
import type { Rows } from './rows';

/** Which controllers a bridge is to have. */
export interface ControllerRule {
  /** The target of ours: a socket that nobody serves, so that the bridge has a controller and is never answered. */
  readonly target: string;
  /** Targets that are swapped for it when the agent takes a bridge over. */
  readonly replaces: readonly string[];
}

interface RowState {
  want: MergedWant | undefined;
  contests: readonly Contest[];
  waitingFor: string | undefined;
}

/** What is wanted of the database's rows; the counterpart of the boards. Only rows that were touched are compared. */
export class RowPlanner {
  private readonly wants = new Map<string, RowWant[]>();
  private readonly byOwner = new Map<string, readonly RowWant[]>();
  private readonly states = new Map<string, RowState>();
  private readonly due = new Set<string>();
  /** Ports and QoS that a key made and has withdrawn: port name → what of it goes. */
  private readonly leaving = new Map<string, 'port' | 'qos'>();
  /** Rows that were as they are wanted, and since then nobody of ours wanted more or something else: a difference is somebody's edit. */
  private readonly settled = new Set<string>();
  /** Ports that cannot be made for want of their bridge: bridge name → their keys. */
  private readonly bridgeless = new Map<string, Set<string>>();
  /** Edits that were reported and are left alone. */
  private readonly tolerated = new Map<string, string>();
  private drifts: Drift[] = [];
  private losers = new Set<Owner>();

  constructor(
    private readonly rows: Rows,
    private readonly controllers: ControllerRule | undefined,
    private readonly drift: DriftPolicy,
  ) {}

  /** Replaces what the owner wants. `withdrawing`: what it no longer makes goes; otherwise that stays as it is. */
  replace(owner: Owner, next: readonly RowWant[], mode: 'withdrawing' | 'leaving'): void {
    const id = ownerId(owner.plugin, owner.key);
    const previous = this.byOwner.get(id) ?? [];
    if (next.length === 0) this.byOwner.delete(id);
    else this.byOwner.set(id, next);
    // A key that is compiled again for a row's sake wants what it wanted, or less as long as the row is not there.
    const asked = new Set(previous.flatMap(demandsOf));
    for (const want of next.filter((one) => demandsOf(one).some((demand) => !asked.has(demand)))) {
      this.settled.delete(rowKey(want.row));
      this.tolerated.delete(rowKey(want.row));
    }
    for (const want of previous) {
      const key = rowKey(want.row);
      const list = (this.wants.get(key) ?? []).filter((one) => one !== want);
      if (list.length === 0) this.wants.delete(key);
      else this.wants.set(key, list);
      this.due.add(key);
      if (mode === 'withdrawing' && want.qos !== undefined) this.leaving.set(want.row.name, 'qos');
      if (mode === 'withdrawing' && want.make === true && want.row.table === 'Port')
        this.leaving.set(want.row.name, 'port');
    }
    for (const want of next) {
      const key = rowKey(want.row);
      const list = this.wants.get(key);
      if (list === undefined) this.wants.set(key, [want]);
      else list.push(want);
      this.due.add(key);
    }
  }

  /** The row of that name changed. Answers whether anybody here wants something of it. */
  touch(name: string): boolean {
    const own = [`Bridge ${name}`, `Port ${name}`].filter(
      (key) => this.wants.has(key) || (key.startsWith('Port') && this.leaving.has(name)),
    );
    const keys = [...own, ...(this.bridgeless.get(name) ?? [])];
    this.bridgeless.delete(name);
    for (const key of keys) this.due.add(key);
    return keys.length > 0;
  }

  touchAll(): void {
    for (const key of this.wants.keys()) this.due.add(key);
  }

  /** A key makes, or keeps, the port of that name. */
  makes(port: string): boolean {
    return (this.wants.get(`Port ${port}`) ?? []).some((want) => want.make === true);
  }

  /** Takes a port away that bears a mark of ours and that no key wants. */
  sweep(port: string): void {
    this.leaving.set(port, 'port');
    this.due.add(`Port ${port}`);
  }

  waitsOf(owner: Owner): readonly string[] {
    return this.statesOf(owner).flatMap((state) => state.waitingFor ?? []);
  }

  contestsOf(owner: Owner): readonly Contest[] {
    return this.statesOf(owner).flatMap((state) => state.contests.filter((contest) => contest.loser === owner));
  }

  /** The changes due for all rows that were touched since the last call, by name. */
  take(): readonly PhasedChange[] {
    const changes = [...this.due].sort().flatMap((key) => this.changesOf(key));
    this.due.clear();
    return changes;
  }

  /** Owners that lost something to another, or have it again, by the plans since the last call. */
  takeLosers(): Iterable<Owner> {
    const taken = this.losers;
    this.losers = new Set();
    return taken;
  }

  /** Edits that were found by the plans since the last call. */
  takeDrift(): readonly Drift[] {
    const taken = this.drifts;
    this.drifts = [];
    return taken;
  }

  private statesOf(owner: Owner): readonly RowState[] {
    const wants = this.byOwner.get(ownerId(owner.plugin, owner.key)) ?? [];
    return wants.flatMap((want) => this.states.get(rowKey(want.row)) ?? []);
  }

  private changesOf(key: string): readonly PhasedChange[] {
    const { want, contests } = mergeWants(this.wants.get(key) ?? []);
    for (const { loser } of [...(this.states.get(key)?.contests ?? []), ...contests]) this.losers.add(loser);
    const { changes, waitingFor } = want === undefined ? { changes: [] } : diffRow(want, this.rows);
    if (want === undefined) this.forget(key);
    else this.states.set(key, { want, contests, waitingFor });
    if (want !== undefined) this.noteBridgeless(key, want);
    const due = [...changes, ...this.controllerChange(want)].filter((change) => !this.leaves(key, change));
    if (waitingFor !== undefined) this.settled.delete(key);
    else if (want !== undefined && changes.length === 0) {
      this.settled.add(key);
      this.tolerated.delete(key);
    }
    return [...due.flatMap((change) => shutInBetween(change, this.rows)), ...this.departure(key, want)];
  }

  private forget(key: string): void {
    this.states.delete(key);
    this.settled.delete(key);
    this.tolerated.delete(key);
  }

  private noteBridgeless(key: string, { row }: MergedWant): void {
    if (row.table !== 'Port' || this.rows.bridge(row.bridge) !== undefined) return;
    const keys = this.bridgeless.get(row.bridge);
    if (keys === undefined) this.bridgeless.set(row.bridge, new Set([key]));
    else keys.add(key);
  }

  /** Notes drift. True where the policy is to leave an edit as it is; what was taken away whole is always made again. */
  private leaves(key: string, change: PhasedChange): boolean {
    const place = printRowChange(change);
    if (this.tolerated.get(key) === place) return true;
    if (!this.settled.has(key)) return false;
    this.drifts.push({ kind: 'row', place, owners: change.owners.map(nameOf) });
    if (this.drift === 'report' && change.kind === 'set') {
      this.tolerated.set(key, place);
      return true;
    }
    this.settled.delete(key);
    return false;
  }

  private departure(key: string, want: MergedWant | undefined): readonly PhasedChange[] {
    const name = key.slice('Port '.length);
    const what = key.startsWith('Port ') ? this.leaving.get(name) : undefined;
    if (what === undefined) return [];
    const port = this.rows.port(name);
    const plugin = port === undefined ? undefined : markOf(port);
    if (what === 'port' && port !== undefined && plugin !== undefined && want?.make !== true) {
      return [{ kind: 'delete-port', bridge: port.bridge, name, portRow: port.uuid, owners: [], phase: 'removing' }];
    }
    const qosIsOurs = port?.qos != null && markOf(port.qos) !== undefined;
    if (port !== undefined && qosIsOurs && want?.qos === undefined)
      return [{ kind: 'clear-qos', port: name, portRow: port.uuid, owners: [], phase: 'removing' }];
    this.leaving.delete(name);
    return [];
  }

  /** OVS empties a bridge's tables when its first controller comes or its last one goes, so a set of some becomes a set of some. */
  private controllerChange(want: MergedWant | undefined): readonly PhasedChange[] {
    if (want?.row.table !== 'Bridge' || this.controllers === undefined) return [];
    const { target, replaces } = this.controllers;
    const bridge = this.rows.bridge(want.row.name);
    const targets = bridge?.controllers.map((controller) => controller.target) ?? [];
    const former = targets.filter((one) => replaces.includes(one));
    if (former.length === 0) return [];
    const next = [...targets.filter((one) => one !== target && !former.includes(one)), target];
    const { owners, row } = want;
    return [{ kind: 'set-controllers', bridge: row.name, targets: next, former, owners, phase: 'structure' }];
  }
}

/** All that is asked of the row, each as one text. */
function demandsOf({ row, make, take, cells, columns, qos }: RowWant): readonly string[] {
  return Object.entries({ make, take, columns, qos, ...cells }).flatMap(([what, value]) =>
    value === undefined ? [] : [JSON.stringify([row, what, value])],
  );
}
