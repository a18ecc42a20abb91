import type { Logger } from '@patchbay/sdk';
import { type CookieRegister, hex } from './cookies';
import type { Blueprint } from './planner/blueprint';
import type { Installed, InstalledFlow } from './planner/installed';
import type { Owner } from './planner/owner';
import { type OwnershipRules, recogniseReference, TELLING_TABLES, type Telltale } from './planner/ownership';
import { portNumber, type Rows } from './planner/rows';

/** The Bridge external_ids key that remembers, while a bridge is taken over, which cookies there are the reference agent's. */
export const TAKE_OVER_MARK = 'patchbay-reference-cookies';
/** The Bridge external_ids key that says since when the integration bridge is given back: a time of ISO 8601. */
export const RELEASED_MARK = 'patchbay-released';

interface TakeOverParts {
  readonly rows: Rows;
  readonly blueprint: () => Blueprint;
  readonly cookies: CookieRegister;
  readonly logger: Logger;
  readonly integrationBridge: string;
  /** The port of a provider bridge that leads to the integration bridge. */
  readonly uplink: (bridge: string) => string | undefined;
  readonly ownership: Pick<OwnershipRules, 'roleOf' | 'claimants' | 'isReservedPlace' | 'reservesPlacesOn'>;
  /** Every plugin that writes is complete: what is the reference agent's may go. */
  readonly allComplete: () => boolean;
}

/**
 * The take-over of bridges on which not every cookie that is not ours is the reference agent's: provider bridges, and where the operator
 * reserved places. What is the reference agent's is told by one flow, which is the first to be overwritten: so its cookie is recorded
 * on the bridge before anything else is written there, and forgotten when the last flow that bears it is gone.
 */
export class TakeOver {
  private readonly found = new Map<string, ReadonlySet<bigint>>();
  private readonly marked = new Map<string, string | null>();

  constructor(private readonly parts: TakeOverParts) {}

  /** The reference agent's cookies on a bridge. */
  recognised(bridge: string): ReadonlySet<bigint> {
    return new Set([...(this.found.get(bridge) ?? []), ...this.recorded(bridge)]);
  }

  /** Bridges whose take-over has begun and not ended. */
  underWay(): readonly string[] {
    return [...this.parts.rows.bridges()].flatMap(({ name }) => (this.recognised(name).size === 0 ? [] : [name]));
  }

  /** Looks for the reference agent on a bridge that was read, before anything of it is overwritten. */
  bridgeRead(bridge: string): void {
    const { cookies, logger, integrationBridge } = this.parts;
    if (bridge === integrationBridge) this.takeBack();
    const telltale = this.telltale(bridge);
    if (telltale === undefined) return;
    const installed = this.parts.blueprint().board(bridge).installed?.values() ?? [];
    const cookie = recogniseReference(installed, telltale, cookies);
    if (cookie === undefined || this.recognised(bridge).has(cookie)) return;
    logger.info('the reference agent was here; its flows are taken over', { bridge, cookie: hex(cookie) });
    this.found.set(bridge, new Set([...this.recognised(bridge), cookie]));
    this.mark(bridge, TAKE_OVER_MARK, [...this.recognised(bridge)].map(hex).join(' '));
  }

  /** Forgets take-overs that are complete. Answers whether a row is to be written for it. */
  forgetComplete(): boolean {
    if (!this.parts.allComplete()) return false;
    let forgot = false;
    for (const bridge of this.underWay()) {
      const { installed } = this.parts.blueprint().board(bridge);
      const cookies = this.recognised(bridge);
      if (installed === undefined) continue;
      const remains = (one: Installed) => one.kind === 'flow' && cookies.has(one.cookie) && this.matters(bridge, one);
      if ([...installed.values()].some(remains)) continue;
      this.found.delete(bridge);
      if (!this.mark(bridge, TAKE_OVER_MARK, null)) continue;
      this.parts.logger.info('the take-over of a bridge is complete', { bridge });
      forgot = true;
    }
    return forgot;
  }

  private telltale(bridge: string): Telltale | undefined {
    const { rows, ownership } = this.parts;
    const role = ownership.roleOf(bridge);
    if (role === 'integration' || role === 'tunnel') {
      if (!ownership.reservesPlacesOn(bridge)) return undefined;
      // What is at a place that is somebody else's tells nothing.
      return ownership.isReservedPlace(bridge, TELLING_TABLES[role], 0) ? undefined : { bridge: role };
    }
    const port = this.parts.uplink(bridge);
    const number = port === undefined ? undefined : portNumber(rows, bridge, port);
    return number === undefined || !('number' in number) ? undefined : { bridge: 'provider', patchPort: number.number };
  }

  /** Whether the flow would stay if its cookie were forgotten, and is to go: on br-int and br-tun, only what is in a reserved place. */
  private matters(bridge: string, { table, priority }: InstalledFlow): boolean {
    const { ownership } = this.parts;
    const role = ownership.roleOf(bridge);
    if (role === 'provider') return true;
    return ownership.isReservedPlace(bridge, table, priority) && ownership.claimants(role, table, priority).length > 0;
  }

  /** A bridge that was given back, and that this agent wires again, is ours once more. */
  private takeBack(): void {
    const { rows, integrationBridge } = this.parts;
    if (rows.bridge(integrationBridge)?.externalIds[RELEASED_MARK] === undefined) return;
    this.mark(integrationBridge, RELEASED_MARK, null);
  }

  private recorded(bridge: string): readonly bigint[] {
    const text = this.parts.rows.bridge(bridge)?.externalIds[TAKE_OVER_MARK] ?? '';
    return text.split(' ').flatMap((word) => (/^0x[0-9a-f]{1,16}$/.test(word) ? [BigInt(word)] : []));
  }

  private mark(bridge: string, key: string, value: string | null): boolean {
    if (this.marked.get(`${bridge} ${key}`) === value) return false;
    this.marked.set(`${bridge} ${key}`, value);
    const owner: Owner = { plugin: 'switch', key: `${key}/${bridge}`, rank: -1 };
    const cells = { [`Bridge.external_ids:${key}`]: value };
    this.parts
      .blueprint()
      .rowPlanner.replace(owner, [{ owner, row: { table: 'Bridge', name: bridge }, cells }], 'leaving');
    return true;
  }
}
