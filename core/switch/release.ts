import { type Action, type Flow, printFlow } from '@patchbay/sdk';
import type { CookieRegister } from './cookies';
import type { FlowTableMessage } from './openflow';
import type { Board, InstalledFlow } from './planner/board';
import type { BridgeRole } from './planner/ownership';
import { type Diff, printInstalled, printRowChange } from './planner/print';
import { FORMER_CONTROLLERS, markOf, type RowChange } from './planner/row-changes';
import { COLUMNS_MARK, OWNER_MARK } from './planner/row-wants';
import type { BridgeRow, Rows } from './planner/rows';
import { RELEASED_MARK, TAKE_OVER_MARK } from './take-over';

/**
 * Tables that every release of the reference agent sweeps of cookies not its own, once it has synchronised (neutron-lib's
 * INT_BR_ALL_TABLES, TUN_BR_ALL_TABLES and PHY_BR_ALL_TABLES as of Neutron 21, which later ones extend).
 */
const SWEPT: Readonly<Record<BridgeRole, readonly number[]>> = {
  integration: [0, 1, 2, 23, 24, 25, 61, 30, 31, 59, 60, 62, 71, 72, 73, 77, 78, 81, 82, 91, 92, 93],
  tunnel: [0, 1, 2, 3, 4, 6, 9, 10, 20, 21, 22],
  provider: [0, 1, 2, 3],
  other: [],
};

/** What giving the switch back comes to. */
export interface Release {
  /** By bridge, each list one bundle. */
  readonly flows: ReadonlyMap<string, readonly FlowTableMessage[]>;
  readonly rows: readonly RowChange[];
  /** The flows as a plan prints them. */
  readonly printed: ReadonlyMap<string, readonly string[]>;
  /** For people. */
  readonly lines: readonly string[];
}

interface ReleaseSources {
  readonly boards: Iterable<Board>;
  readonly rows: Rows;
  readonly cookies: CookieRegister;
  readonly roleOf: (bridge: string) => BridgeRole;
  readonly ownTarget: string;
  /** The controller that bridges are given back to which had none before ours. */
  readonly reference: string;
  readonly integrationBridge: string;
  /** ISO 8601. */
  readonly now: string;
}

/**
 * Gives the switch back to the reference agent without a packet lost: what carries traffic stays until that agent has written its own
 * and swept ours. What it would never sweep goes: flows in tables it does not know, marks on rows. Controllers are swapped, never emptied.
 */
export function planRelease(sources: ReleaseSources): Release {
  const flows = new Map<string, readonly FlowTableMessage[]>();
  const printed = new Map<string, readonly string[]>();
  const lines: string[] = [];
  for (const board of sources.boards) {
    const ours = [...(board.installed?.values() ?? [])].flatMap((one) =>
      one.kind === 'flow' && isOurs(sources.cookies, one) ? [one] : [],
    );
    const { messages, stays, print } = withdrawal(ours, SWEPT[sources.roleOf(board.bridge)]);
    if (messages.length > 0) {
      flows.set(board.bridge, messages);
      printed.set(board.bridge, print);
    }
    lines.push(`${board.bridge}: ${messages.length} flows changed or withdrawn, ${stays} stay until they are swept`);
  }
  const rows = rowChanges(sources);
  for (const row of rows)
    if (row.kind === 'set-controllers') lines.push(`${row.bridge}: controller ${row.targets.join(' ')}`);
  return { flows, rows, printed, lines };
}

/** What giving the switch back comes to, in the notation of a plan. */
export function printRelease({ printed, rows }: Release): Diff {
  return { rows: rows.map(printRowChange), flows: Object.fromEntries(printed), unknown: [] };
}

function isOurs(cookies: CookieRegister, { cookie }: InstalledFlow): boolean {
  return ['plugin', 'unlisted', 'learned'].includes(cookies.ownerOf(cookie).kind);
}

/** Of a table that is not swept, flows go unless something leads there; a table that only leads on is led past first. */
function withdrawal(
  ours: readonly InstalledFlow[],
  swept: readonly number[],
): { readonly messages: readonly FlowTableMessage[]; readonly print: readonly string[]; readonly stays: number } {
  const unswept = ours.filter(({ table }) => !swept.includes(table));
  const through = thoroughfares(unswept);
  const messages: FlowTableMessage[] = [];
  const print: string[] = [];
  const left: Flow[] = [];
  for (const one of ours) {
    if (unswept.includes(one) && through.has(one.table)) continue;
    const flow = one.decode();
    const actions = ledPast(flow.actions, through);
    left.push({ ...flow, actions });
    if (actions === flow.actions) continue;
    messages.push({ kind: 'flow', command: 'add', flow: { ...flow, actions }, cookie: one.cookie });
    print.push(`~ ${printInstalled(one)}`, `+ ${printFlow({ ...flow, actions }, one.cookie)}`);
  }
  const needed = new Set(left.flatMap(({ actions }) => [...tablesLedTo(actions)]));
  const gone = unswept.filter(({ table }) => through.has(table) || !needed.has(table));
  for (const one of gone) {
    const { table, priority, match } = one.decode();
    messages.push({ kind: 'flow', command: 'delete_strict', flow: { table, priority, match }, cookie: one.cookie });
    print.push(`- ${printInstalled(one)}`);
  }
  return { messages, print, stays: ours.length - gone.length };
}

/** Tables whose one flow takes everything on to another table. */
function thoroughfares(flows: readonly InstalledFlow[]): ReadonlyMap<number, number> {
  const byTable = new Map<number, Flow[]>();
  for (const one of flows) byTable.set(one.table, [...(byTable.get(one.table) ?? []), one.decode()]);
  const found = new Map<number, number>();
  for (const [table, [only, ...others]] of byTable) {
    const [action, ...more] = only?.actions ?? [];
    if (only === undefined || others.length > 0 || Object.keys(only.match).length > 0) continue;
    if (action?.type === 'goto_table' && more.length === 0) found.set(table, action.table);
  }
  return found;
}

function ledPast(actions: readonly Action[], through: ReadonlyMap<number, number>): readonly Action[] {
  let changed = false;
  const past = actions.map((action): Action => {
    if (action.type === 'clone') {
      const inner = ledPast(action.actions, through);
      if (inner === action.actions) return action;
      changed = true;
      return { ...action, actions: inner };
    }
    if ((action.type !== 'goto_table' && action.type !== 'resubmit') || action.table === undefined) return action;
    const next = through.get(action.table);
    if (next === undefined) return action;
    changed = true;
    return { ...action, table: next };
  });
  return changed ? past : actions;
}

function* tablesLedTo(actions: readonly Action[]): Iterable<number> {
  for (const action of actions) {
    if ((action.type === 'goto_table' || action.type === 'resubmit') && action.table !== undefined) yield action.table;
    if (action.type === 'ct' && action.table !== undefined) yield action.table;
    if (action.type === 'clone') yield* tablesLedTo(action.actions);
  }
}

function rowChanges({ rows, ownTarget, reference, integrationBridge, now }: ReleaseSources): readonly RowChange[] {
  const changes: RowChange[] = [];
  const recorded = (bridge: BridgeRow | undefined) =>
    bridge?.externalIds[FORMER_CONTROLLERS]?.split(' ').filter(Boolean);
  const customary = recorded(rows.bridge(integrationBridge)) ?? [reference];
  for (const bridge of rows.bridges()) {
    const row = { table: 'Bridge', name: bridge.name } as const;
    const targets = bridge.controllers.map(({ target }) => target);
    if (targets.includes(ownTarget)) {
      const former = recorded(bridge) ?? customary;
      const next = [...new Set(targets.flatMap((target) => (target === ownTarget ? former : target)))];
      changes.push({ kind: 'set-controllers', bridge: bridge.name, targets: next, former: null, owners: [] });
    }
    if (bridge.externalIds[TAKE_OVER_MARK] !== undefined)
      changes.push({ kind: 'set', row, cells: { [`Bridge.external_ids:${TAKE_OVER_MARK}`]: null }, owners: [] });
    if (markOf(bridge) !== undefined)
      changes.push({ kind: 'set', row, cells: { [`Bridge.external_ids:${OWNER_MARK}`]: null }, owners: [] });
    if (bridge.name === integrationBridge)
      changes.push({ kind: 'set', row, cells: { [`Bridge.external_ids:${RELEASED_MARK}`]: now }, owners: [] });
  }
  for (const port of rows.ports()) {
    if (markOf(port) === undefined) continue;
    const row = { table: 'Port', bridge: port.bridge, name: port.name } as const;
    const marks = [OWNER_MARK, COLUMNS_MARK].filter((mark) => port.externalIds[mark] !== undefined);
    const cells = Object.fromEntries(marks.map((mark) => [`Port.external_ids:${mark}`, null]));
    changes.push({ kind: 'set', row, cells, owners: [] });
  }
  return changes;
}
