import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DesiredRecords, type Logger, reasonOf, type SwitchReconnection, type Unsubscribe } from '@patchbay/sdk';
import type { DesiredKeys } from '../desired-store';
import type { Blueprint } from '../planner/blueprint';
import type { Drift } from '../planner/drift';
import { nameOf, type Owner } from '../planner/owner';
import type { Database } from './database';
import { FlowWatch } from './flow-watch';
import { NOT_STARTED, type Writing } from './guard';
import { Installation } from './installation';
import type { Links } from './links';
import { Quarantine } from './quarantine';
import { type RoundEnd, runRound } from './round';

export interface ReconcilerParts {
  readonly store: DesiredKeys;
  readonly blueprint: Blueprint;
  readonly database: Database;
  readonly links: Links;
  readonly logger: Logger;
  /** May anything be written now? Asked at the start of every round. */
  readonly mayWrite: () => Writing;
  /** Before the first plan after bridges were read: take-over is recognised here. */
  readonly onRead: (bridge: string) => void;
  /** Looks for rows of ours that nobody wants, and answers whether there are any. Asked after a round, when every key is known. */
  readonly sweepRows: () => boolean;
  /** Told how long each round took, in milliseconds. */
  readonly onRound?: (ms: number) => void;
  /** Bridges whose flows are dropped before anything else is written, as the operator asked. */
  readonly purgeOnce?: readonly string[];
}

/** Lines that one round may write about drift. */
const DRIFT_LINES = 20;
/** Lines that one round may write about keys that are held back. */
const HELD_LINES = 20;

const DRIFT_SENTENCES: Readonly<Record<Drift['kind'], string>> = {
  removed: 'somebody else removed what we installed',
  changed: 'somebody else changed what we installed',
  added: 'somebody else added to tables of ours',
  row: 'somebody else edited a row of ours; it was to be',
};

/** How long the event loop is kept from other work at a stretch while much is compiled, in milliseconds. */
const SLICE_MS = 10;

/** Figures since the start. */
export interface ReconcilerFigures {
  rounds: number;
  added: number;
  changed: number;
  removed: number;
  rows: number;
  refused: number;
  /** Edits by others that were found. */
  readonly drift: Record<Drift['kind'], number>;
  lastRoundMs: number;
  /** The last round in one line. */
  lastRound: string;
}

/**
 * The only writer of the switch. It takes all that changed, plans it, and carries the plan out in rounds, one at a time;
 * what comes while a round is under way goes with the next.
 */
export class Reconciler {
  readonly figures: ReconcilerFigures = {
    rounds: 0,
    added: 0,
    changed: 0,
    removed: 0,
    rows: 0,
    refused: 0,
    drift: { removed: 0, changed: 0, added: 0, row: 0 },
    lastRoundMs: 0,
    lastRound: 'none yet',
  };
  private readonly quarantine: Quarantine;
  private readonly installation: Installation;
  private readonly watch: FlowWatch;
  private readonly idle = new Set<() => void>();
  private readonly reconnectListeners = new Set<(reconnection: SwitchReconnection) => void>();
  private causes: string[] = [];
  private running = false;
  private stopped = true;
  private sweepDue = false;
  private wasHeld: string | undefined = NOT_STARTED;
  private retryTimer: NodeJS.Timeout | undefined;
  /** Held back since it was written about last, each with the reason. */
  private heldBack: { readonly plugin: string; readonly key: string; readonly reason: string }[] = [];

  constructor(private readonly parts: ReconcilerParts) {
    parts.store.onProgress((plugin, key, progress) => {
      // What the switch refused was written about when it did.
      if (progress.state !== 'quarantined' || this.quarantine.has(plugin, key)) return;
      this.heldBack.push({ plugin, key, reason: progress.reason });
    });
    this.quarantine = new Quarantine((owner) => {
      parts.blueprint.release(owner);
      this.wake('another try after a refusal');
    });
    this.installation = new Installation(parts.blueprint, parts.links, parts.logger, parts.purgeOnce);
    this.watch = new FlowWatch({
      blueprint: parts.blueprint,
      logger: parts.logger,
      isReading: (bridge) => this.installation.isReading(bridge),
      changed: (bridge) => {
        if (this.installation.isEmptied(bridge)) {
          parts.blueprint.readinessChanged();
          this.tellEmptied([bridge]);
        }
        this.wake(`bridge ${bridge} was edited`);
      },
      missed: (bridge) => {
        this.installation.unread(bridge);
        this.wake(`bridge ${bridge} did not tell all that changed`);
      },
    });
  }

  start(): void {
    this.stopped = false;
    this.wake('start');
  }

  /** Resolves when the round under way has ended. What is on the switch stays. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    this.quarantine.clear();
    await this.settled();
  }

  /** Nothing is under way and nothing is waiting. */
  settled(): Promise<void> {
    if (!this.running) return Promise.resolve();
    return new Promise((resolve) => this.idle.add(resolve));
  }

  get writing(): Writing {
    return this.wasHeld === undefined ? 'yes' : { held: this.wasHeld };
  }

  onReconnected(listener: (reconnection: SwitchReconnection) => void): Unsubscribe {
    this.reconnectListeners.add(listener);
    return () => this.reconnectListeners.delete(listener);
  }

  /** The OpenFlow connection of a bridge came up. */
  linkUp(bridge: string): void {
    const client = this.parts.links.get(bridge);
    if (client !== undefined) this.watch.attach(bridge, client);
    this.installation.unread(bridge);
    this.wake(`bridge ${bridge} connected`);
  }

  linkDown(bridge: string): void {
    this.parts.blueprint.board(bridge).forget();
    this.parts.blueprint.readinessChanged();
    this.wake(`bridge ${bridge} disconnected`);
  }

  /** Reads the whole switch again and compares everything. */
  compareAll(cause: string): void {
    this.installation.unreadAll();
    this.parts.blueprint.compareAll();
    this.sweep(cause);
  }

  /** What nobody wants may be swept: looked for after the next round. */
  sweep(cause: string): void {
    this.sweepDue = true;
    this.wake(cause);
  }

  /** Something changed: a round starts at once, or after the one under way. */
  wake(cause: string): void {
    if (this.stopped) return;
    this.causes.push(cause);
    if (this.running) return;
    this.running = true;
    // A microtask later, so that what one event states in several calls leaves in one round.
    queueMicrotask(() => void this.work());
  }

  private async work(): Promise<void> {
    while (this.causes.length > 0 && !this.stopped) {
      const causes = this.causes;
      this.causes = [];
      try {
        await this.round(causes);
      } catch (error) {
        this.parts.logger.warn('round failed; it is tried again', {
          error: reasonOf(error),
        });
        this.parts.blueprint.compareAll();
        this.retrySoon();
      }
    }
    this.running = false;
    for (const resolve of this.idle) resolve();
    this.idle.clear();
  }

  private async round(causes: readonly string[]): Promise<void> {
    const { store, blueprint } = this.parts;
    const writing = this.parts.mayWrite();
    if (writing !== 'yes') {
      this.hold(writing.held);
      // What is on the switch is known all the same: a plan can say what would be written.
      await this.readSwitch();
      return;
    }
    this.resume();
    const started = performance.now();
    await this.installation.dropFlows();
    await this.readSwitch();
    const dirty = store.takeDirty();
    const suspects = new Set<string>();
    for (const { plugin, key, records } of dirty) {
      suspects.add(`${plugin} ${key}`);
      this.quarantine.forget(plugin, key);
      blueprint.state(plugin, key, records);
    }
    await this.compileInSlices();
    const versions = new Map(dirty.map(({ plugin, key }) => [`${plugin} ${key}`, store.takenVersion({ plugin, key })]));
    const end = await runRound({
      ...this.parts,
      suspects,
      refused: (owner, reason) => this.refuse(owner, reason),
      dropped: (what, reason) => this.parts.logger.warn('the switch refused to remove something', { what, reason }),
      emptied: (bridges) => this.reread(bridges),
      readCookieless: (bridge) => this.readCookieless(bridge),
    });
    const elapsed = performance.now() - started;
    this.installation.noteWired();
    this.noteDrift(blueprint.takeDrift());
    for (const { reason } of blueprint.takeDisplacements().slice(0, DRIFT_LINES))
      this.parts.logger.warn('a flow of ours takes the place of one that is reserved', { reason });
    this.acknowledge(end, versions);
    // Those that are wanted already try again by themselves, after a pause.
    for (const { bridge } of blueprint.allBoards())
      if (!this.parts.links.isWanted(bridge)) this.parts.links.want(bridge);
    this.report(end, elapsed, causes);
    if (!this.sweepDue) return;
    this.sweepDue = false;
    if (this.parts.sweepRows()) this.wake('rows that nobody wants');
  }

  /** What is planned after it begins in a turn of its own too, unless there was little to compile. */
  private async compileInSlices(): Promise<void> {
    for (let more = true; more; ) {
      const began = performance.now();
      more = this.parts.blueprint.compileSome(SLICE_MS);
      if (performance.now() - began >= SLICE_MS / 2) await nextTurn();
    }
  }

  private hold(reason: string): void {
    if (this.wasHeld !== reason) this.parts.logger.warn('nothing is written to the switch', { reason });
    this.wasHeld = reason;
    for (const { records } of this.parts.store.hold(reason, reason === NOT_STARTED ? 'started' : 'further notice')) {
      for (const bridge of bridgesOf(records)) this.parts.links.want(bridge);
    }
  }

  /** After a time in which others may have written, everything is read and compared; after our own start, what was read then is. */
  private resume(): void {
    if (this.wasHeld === undefined) return;
    if (this.wasHeld === NOT_STARTED) this.installation.takeAllAsFound();
    else this.installation.readAllAnew();
    this.wasHeld = undefined;
    this.parts.logger.info('writing to the switch', {});
    this.parts.blueprint.compareAll();
    this.sweepDue = true;
  }

  private async readSwitch(): Promise<void> {
    const { read, emptied } = await this.installation.readUnread();
    for (const bridge of read) {
      this.watch.flush(bridge);
      this.parts.onRead(bridge);
    }
    if (read.length > 0) this.parts.blueprint.readinessChanged();
    if (emptied.length > 0) this.tellEmptied(emptied);
  }

  private tellEmptied(bridges: readonly string[]): void {
    this.parts.logger.warn('flow tables were found empty', { bridges });
    for (const listener of this.reconnectListeners) listener({ bridges });
  }

  private async reread(bridges: readonly string[]): Promise<void> {
    for (const bridge of bridges) this.installation.readAnew(bridge);
    await this.readSwitch();
    this.wake('tables emptied by a change of fail_mode');
  }

  /** A connection that does not answer is no news; what was refused is tried again in any case. */
  private async readCookieless(bridge: string): Promise<boolean> {
    try {
      return await this.installation.readCookieless(bridge);
    } catch (error) {
      this.parts.logger.warn('the groups and meters of a bridge could not be read', { bridge, error: String(error) });
      return false;
    }
  }

  private refuse(owner: Owner, reason: string): void {
    this.figures.refused += 1;
    this.parts.blueprint.quarantine(owner, reason);
    this.quarantine.hold(owner);
    this.parts.logger.error('the switch refused a key; the rest goes on', {
      plugin: owner.plugin,
      key: owner.key,
      reason,
    });
  }

  private acknowledge(end: RoundEnd, versions: ReadonlyMap<string, number>): void {
    const { store, blueprint } = this.parts;
    const later = new Set(end.opened.map(nameOf));
    const settle = (owner: Pick<Owner, 'plugin' | 'key'>): void => {
      const version = versions.get(`${owner.plugin} ${owner.key}`) ?? store.takenVersion(owner);
      const progress = blueprint.progress(owner.plugin, owner.key);
      if (progress.state !== 'quarantined') this.quarantine.forget(owner.plugin, owner.key);
      store.settle(owner, version, progress);
    };
    for (const owner of blueprint.takeTouched()) {
      blueprint.accepted(owner);
      if (!later.has(nameOf(owner))) settle(owner);
    }
    this.noteHeldBack();
    if (end.effective === undefined) return;
    const open = (): void => {
      for (const owner of end.opened) settle(owner);
      this.noteHeldBack();
    };
    end.effective.then(open).catch((error: unknown) => {
      this.parts.logger.warn('ovs-vswitchd does not act on its configuration', { error: String(error) });
      for (const owner of end.opened) {
        const waitingFor = ['ovs-vswitchd to act on its configuration'];
        store.settle(owner, versions.get(nameOf(owner)) ?? store.takenVersion(owner), { state: 'pending', waitingFor });
      }
    });
  }

  /** Keys that cannot be compiled, and those whose place another has: a line each, when it comes to that. */
  private noteHeldBack(): void {
    const { logger } = this.parts;
    for (const held of this.heldBack.slice(0, HELD_LINES)) {
      logger.error('a key is not on the switch; the rest goes on', held);
    }
    const more = this.heldBack.length - HELD_LINES;
    if (more > 0) logger.error('more keys are not on the switch', { more });
    this.heldBack = [];
  }

  private noteDrift(drifts: readonly Drift[]): void {
    const { drift, logger } = { drift: this.figures.drift, logger: this.parts.logger };
    for (const { kind } of drifts) drift[kind] += 1;
    for (const { kind, place, owners } of drifts.slice(0, DRIFT_LINES)) {
      logger.warn(DRIFT_SENTENCES[kind], { place, owners });
    }
    const more = drifts.length - DRIFT_LINES;
    if (more > 0) logger.warn('somebody else edited more of the switch', { more });
  }

  private report({ count }: RoundEnd, elapsedMs: number, causes: readonly string[]): void {
    const { figures } = this;
    figures.rounds += 1;
    figures.lastRoundMs = elapsedMs;
    for (const name of ['added', 'changed', 'removed', 'rows'] as const) figures[name] += count[name];
    let wanted = 0;
    for (const board of this.parts.blueprint.allBoards()) wanted += board.wantedCount;
    const unchanged = Math.max(0, wanted - count.added - count.changed);
    const pending = this.parts.store.pendingCount;
    const { added, changed, removed, rows } = count;
    const idle = added + changed + removed + rows === 0;
    const line = `added ${added} changed ${changed} removed ${removed} unchanged ${unchanged} pending ${pending} in ${elapsedMs.toFixed(0)} ms`;
    figures.lastRound = line;
    this.parts.onRound?.(elapsedMs);
    this.parts.logger[idle ? 'debug' : 'info'](line, { rows, cause: summarise(causes) });
  }

  private retrySoon(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.wake('another try after a failed round'), 1_000);
    this.retryTimer.unref();
  }
}

function summarise(causes: readonly string[]): string {
  const unique = [...new Set(causes)];
  return unique.length <= 3 ? unique.join(', ') : `${unique.slice(0, 3).join(', ')} and ${unique.length - 3} more`;
}

function bridgesOf(records: DesiredRecords | null): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name } of records?.bridges ?? []) names.add(name);
  for (const { bridge } of records?.flows ?? []) names.add(bridge);
  return names;
}
