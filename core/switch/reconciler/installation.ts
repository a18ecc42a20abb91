import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger, Meter } from '@patchbay/sdk';
import { canonical } from '../canonical';
import type { FlowTableClient } from '../openflow';
import type { Blueprint } from '../planner/blueprint';
import type { Installed } from '../planner/board';
import type { Links } from './links';

/** What is on the bridges: reads those that are unread, and notices when a table that had flows of ours is empty. */
export class Installation {
  private readonly due = new Set<string>();
  /** Bridges that had something while we wanted something on them. */
  private readonly wired = new Set<string>();
  private readonly reading = new Set<string>();
  /** Bridges whose flows are still to be dropped. */
  private readonly purge: Set<string>;

  constructor(
    private readonly blueprint: Blueprint,
    private readonly links: Links,
    private readonly logger: Logger,
    purgeOnce: readonly string[] = [],
  ) {
    this.purge = new Set(purgeOnce);
  }

  unread(bridge: string): void {
    this.due.add(bridge);
  }

  unreadAll(): void {
    for (const board of this.blueprint.allBoards()) this.due.add(board.bridge);
  }

  /** What changed in the meantime is nobody's edit: the bridge is read as if for the first time. */
  readAnew(bridge: string): void {
    this.blueprint.board(bridge).forget();
    this.due.add(bridge);
  }

  readAllAnew(): void {
    for (const board of this.blueprint.allBoards()) this.readAnew(board.bridge);
  }

  /** What was read, and what the bridges told since, is how they were found. */
  takeAllAsFound(): void {
    for (const board of this.blueprint.allBoards()) board.takeAsFound();
  }

  isReading(bridge: string): boolean {
    return this.reading.has(bridge);
  }

  /** The bridge lost all its flows since we wired it. */
  isEmptied(bridge: string): boolean {
    return this.wired.has(bridge) && this.blueprint.board(bridge).installed?.size === 0;
  }

  /** Reads what is unread and connected. `emptied`: of those read, bridges that lost all their flows since we wired them. */
  async readUnread(): Promise<{ readonly read: readonly string[]; readonly emptied: readonly string[] }> {
    const bridges = [...this.due];
    const read = await Promise.all(bridges.map(async (bridge) => ((await this.read(bridge)) ? [bridge] : [])));
    const done = read.flat();
    const emptied = done.filter((bridge) => this.isEmptied(bridge));
    this.noteWired();
    return { read: done, emptied };
  }

  /** Bridges that have something of ours now: they are found empty if they lose it. */
  noteWired(): void {
    for (const board of this.blueprint.allBoards()) {
      if (board.wantedCount > 0 && (board.installed?.size ?? 0) > 0) this.wired.add(board.bridge);
    }
  }

  /** Drops what the operator asked to drop, once a bridge. Only who may write may call it: a bridge is read by others, too. */
  async dropFlows(): Promise<void> {
    for (const bridge of this.purge) {
      const client = this.links.get(bridge);
      if (client === undefined) continue;
      try {
        await client.send([{ kind: 'flow', command: 'delete', filter: {} }]);
        this.purge.delete(bridge);
        this.readAnew(bridge);
      } catch (error) {
        this.logger.warn('the flows of a bridge could not be dropped; its connection is made anew', {
          bridge,
          error: String(error),
        });
        await this.links.drop(bridge);
      }
    }
  }

  /**
   * Reads the groups and meters of a bridge, whose changes no switch tells of. Answers whether others changed any since they were known.
   * @throws an error of the connection.
   */
  async readCookieless(bridge: string): Promise<boolean> {
    const client = this.links.get(bridge);
    if (client === undefined) return false;
    return this.blueprint.board(bridge).observeCookieless(await readCookieless(client));
  }

  private async read(bridge: string): Promise<boolean> {
    const client = this.links.get(bridge);
    if (client === undefined) return false;
    try {
      this.reading.add(bridge);
      const installed = await readInstalled(client);
      this.blueprint.board(bridge).read(installed);
      this.due.delete(bridge);
      return true;
    } catch (error) {
      this.logger.warn('a bridge could not be read; its connection is made anew', { bridge, error: String(error) });
      await this.links.drop(bridge);
      return false;
    } finally {
      this.reading.delete(bridge);
    }
  }
}

/** Flows taken over between two turns of the event loop; working one out takes some microseconds. */
const FLOWS_A_TURN = 2_000;

async function readInstalled(client: FlowTableClient): Promise<Installed[]> {
  const [flows, installed] = await Promise.all([client.dumpFlows(), readCookieless(client)]);
  for (const [index, flow] of flows.entries()) {
    if (index % FLOWS_A_TURN === FLOWS_A_TURN - 1) await nextTurn();
    installed.push(flow.inCanonicalForm());
  }
  return installed;
}

async function readCookieless(client: FlowTableClient): Promise<Installed[]> {
  const [groups, meters] = await Promise.all([client.dumpGroups(), metersOf(client)]);
  const installed: Installed[] = [];
  for (const group of groups) {
    installed.push({ kind: 'group', identity: `group=${group.group}`, body: canonical.groupBody(group), group });
  }
  for (const meter of meters) {
    installed.push({ kind: 'meter', identity: `meter=${meter.meter}`, body: canonical.meterBody(meter), meter });
  }
  return installed;
}

/** A datapath without meters refuses to list them. */
async function metersOf(client: FlowTableClient): Promise<Meter[]> {
  try {
    return await client.dumpMeters();
  } catch {
    return [];
  }
}
