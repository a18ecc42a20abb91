import type { Blueprint } from '../planner/blueprint';
import type { Step } from '../planner/board';
import { nameOf, type Owner } from '../planner/owner';
import type { PhasedChange } from '../planner/row-changes';
import { type Database, RowChangeRefused, RowGone } from './database';
import type { Links } from './links';
import { type Refused, sendSteps } from './sender';

/** What one round did. */
export interface RoundCount {
  added: number;
  changed: number;
  removed: number;
  rows: number;
  refused: number;
}

export interface RoundParts {
  readonly blueprint: Blueprint;
  readonly database: Database;
  readonly links: Links;
  /** The key was refused. */
  readonly refused: (owner: Owner, reason: string) => void;
  /** Nobody's change was refused (something that was to go). */
  readonly dropped: (what: string, reason: string) => void;
  /** A bridge's tables may have been emptied by what was just written. */
  readonly emptied: (bridges: readonly string[]) => Promise<void>;
  /** Reads a bridge's groups and meters again. Answers whether others changed any. */
  readonly readCookieless: (bridge: string) => Promise<boolean>;
  /** Keys stated in this round: of several owners of one refused flow they are the suspects. */
  readonly suspects: ReadonlySet<string>;
}

/** What is still to come when a round has ended: gates that were opened, until ovs-vswitchd acts by them. */
export interface RoundEnd {
  readonly count: RoundCount;
  readonly opened: readonly Owner[];
  /** Resolves when the opened gates are open; undefined where none was. */
  readonly effective: Promise<void> | undefined;
}

/**
 * One round, in the order that keeps an unwired port closed: gates shut and structure, each bridge's bundle, then gates
 * opened and rows removed. A refused key is held back and the rest planned again, until nothing is refused.
 */
export async function runRound(parts: RoundParts): Promise<RoundEnd> {
  const count: RoundCount = { added: 0, changed: 0, removed: 0, rows: 0, refused: 0 };
  const surprised = new Set<string>();
  const reread = new Set<string>();
  for (;;) {
    const { rows, steps } = parts.blueprint.plan();
    const early = rows.filter((change) => change.phase === 'closing' || change.phase === 'structure');
    const late = rows.filter((change) => change.phase === 'opening' || change.phase === 'removing');
    const written = await writeRows(parts, early, count, surprised);
    if (count.refused > 0) {
      planAgain(parts, steps, late);
      count.refused = 0;
      continue;
    }
    if (written !== undefined && mustBeEffective(early, steps)) await parts.database.applied(written);
    const emptied = early.flatMap(emptiedBy);
    if (emptied.length > 0) await parts.emptied(emptied);
    const sent = await Promise.all([...steps].map(([bridge, list]) => sendBridge(parts, bridge, list, count, reread)));
    if (sent.includes('again')) {
      planAgain(parts, new Map(), late);
      continue;
    }
    const configuration = await writeRows(parts, late, count, surprised);
    if (count.refused > 0) {
      count.refused = 0;
      continue;
    }
    const opened = late.flatMap((change) => change.owners);
    const effective = configuration === undefined ? undefined : parts.database.applied(configuration);
    return { count, opened, effective };
  }
}

/** What came after a refusal is planned anew: with the refused key held back, gates may have to stay shut. */
function planAgain(
  parts: RoundParts,
  steps: ReadonlyMap<string, readonly Step[]>,
  late: readonly PhasedChange[],
): void {
  for (const [bridge, list] of steps) for (const step of list) parts.blueprint.board(bridge).undone(step);
  for (const change of late) parts.blueprint.undone(change);
}

/**
 * A gate that shuts must be shut before flows go or change, and others wait for it no longer than ovs-vswitchd takes: a round that only
 * adds flows, as when a port is first seen, does not wait. Emptied tables must be empty before they are read.
 */
function mustBeEffective(changes: readonly PhasedChange[], steps: ReadonlyMap<string, readonly Step[]>): boolean {
  if (changes.some((change) => emptiedBy(change).length > 0)) return true;
  const onlyAdds = [...steps.values()].every((list) => list.every((step) => step.act === 'add'));
  return !onlyAdds && changes.some((change) => change.phase === 'closing');
}

/** A change of fail_mode empties a bridge's tables where it has no controller. */
function emptiedBy(change: PhasedChange): readonly string[] {
  return change.kind === 'set' && 'Bridge.fail_mode' in change.cells ? [change.row.name] : [];
}

/**
 * Writes the changes, without those that are refused. Answers the configuration's number. A change of a row that vanished since it was
 * planned (`surprised`: whose it was) is planned again, once in a round: then its key waits for the row.
 */
async function writeRows(
  parts: RoundParts,
  changes: readonly PhasedChange[],
  count: RoundCount,
  surprised: Set<string>,
): Promise<number | undefined> {
  let left = changes;
  while (left.length > 0) {
    try {
      const configuration = await parts.database.commit(left);
      count.rows += left.length;
      return configuration;
    } catch (error) {
      if (!(error instanceof RowChangeRefused)) {
        for (const change of changes) parts.blueprint.undone(change);
        throw error;
      }
      left = await withoutRefused(parts, left, error, count, surprised);
    }
  }
  return undefined;
}

async function withoutRefused(
  parts: RoundParts,
  changes: readonly PhasedChange[],
  error: RowChangeRefused,
  count: RoundCount,
  surprised: Set<string>,
): Promise<readonly PhasedChange[]> {
  const index = error.index ?? (changes.length === 1 ? 0 : await findRefused(parts, changes));
  const bad = changes[index];
  if (bad === undefined) throw error;
  const owners = suspectsAmong(parts, bad.owners);
  const isNew = owners.length === 0 || owners.some((owner) => !surprised.has(nameOf(owner)));
  if (error.cause instanceof RowGone && isNew) {
    for (const owner of owners) surprised.add(nameOf(owner));
    parts.blueprint.undone(bad);
  } else {
    if (owners.length === 0) parts.dropped(`${bad.kind} ${'name' in bad ? bad.name : ''}`.trim(), error.message);
    for (const owner of owners) parts.refused(owner, error.message);
  }
  count.refused += owners.length;
  const gone = new Set(owners);
  const left = changes.filter((change) => change !== bad && !change.owners.some((owner) => gone.has(owner)));
  for (const change of changes) if (!left.includes(change) && change !== bad) parts.blueprint.undone(change);
  return left;
}

/** The database refused the sum and not one operation: the changes are tried one by one until one fails alone. */
async function findRefused(parts: RoundParts, changes: readonly PhasedChange[]): Promise<number> {
  for (const [index, change] of changes.entries()) {
    try {
      await parts.database.commit([change]);
    } catch (error) {
      if (error instanceof RowChangeRefused) return index;
      throw error;
    }
  }
  return -1;
}

async function sendBridge(
  parts: RoundParts,
  bridge: string,
  steps: readonly Step[],
  count: RoundCount,
  reread: Set<string>,
): Promise<'done' | 'again'> {
  const board = parts.blueprint.board(bridge);
  const client = parts.links.get(bridge);
  if (client === undefined) {
    board.forget();
    return 'again';
  }
  const sent = await sendSteps(client, steps);
  for (const step of sent.applied) {
    board.applied(step);
    count[step.act === 'add' ? 'added' : step.act === 'change' ? 'changed' : 'removed'] += 1;
  }
  for (const step of sent.undone) board.undone(step);
  const excused = await excuse(parts, bridge, sent.refused, reread);
  for (const { step } of excused) board.undone(step);
  for (const { step, reason } of sent.refused) {
    if (excused.some((one) => one.step === step)) continue;
    const owners = suspectsAmong(parts, step.owners);
    if (owners.length === 0) parts.dropped(`${step.act} on ${bridge}`, reason);
    for (const owner of owners) parts.refused(owner, `bridge ${bridge}: ${reason}`);
    if (step.act !== 'remove') board.undone(step);
  }
  if (sent.failure !== undefined) {
    // What is on the bridge is not known any more: it is read again, and gates that count on it wait for that.
    board.forget();
    await parts.links.drop(bridge);
    return 'again';
  }
  return sent.refused.length > 0 ? 'again' : 'done';
}

/**
 * A flow that was refused for want of a group or meter which the agent takes to be there is proof that somebody removed that: of groups and
 * meters no switch tells. They are read again, once in a round; where any was changed, nobody is to blame and all is planned again.
 */
async function excuse(
  parts: RoundParts,
  bridge: string,
  refused: readonly Refused[],
  reread: Set<string>,
): Promise<readonly Refused[]> {
  const lacking = refused.filter(({ lacksReference }) => lacksReference);
  if (lacking.length === 0 || reread.has(bridge)) return [];
  reread.add(bridge);
  return (await parts.readCookieless(bridge)) ? lacking : [];
}

/** Of several who share what was refused, those who have just changed it; if none has, all of them. */
function suspectsAmong(parts: RoundParts, owners: readonly Owner[]): readonly Owner[] {
  const recent = owners.filter((owner) => parts.suspects.has(nameOf(owner)));
  return recent.length > 0 ? recent : owners;
}
