import type { Claim } from '@patchbay/sdk';
import type { CookieRegister } from '../cookies';
import type { Fate, Installed, InstalledFlow } from './board';
import type { Rows } from './rows';

/** The Bridge external_ids key under which groups and meters of ours are listed: `group=7 meter=3`. */
export const OWNED_MARK = 'patchbay-owned';

export function ownedByRecord(rows: Pick<Rows, 'bridge'>, bridge: string): readonly string[] {
  const text = rows.bridge(bridge)?.externalIds[OWNED_MARK] ?? '';
  return text === '' ? [] : text.split(' ');
}

/** What a bridge is to the agent. `other`: named in a claim, or merely written to. */
export type BridgeRole = 'integration' | 'tunnel' | 'provider' | 'other';

/** What decides over that which nobody wants. */
export interface OwnershipRules {
  readonly cookies: CookieRegister;
  /** Plugins that claim the place. */
  claimants(role: BridgeRole, table: number, priority: number): readonly string[];
  roleOf(bridge: string): BridgeRole;
  /** The plugin has stated all it knows of. */
  isComplete(plugin: string): boolean;
  /** Every plugin on the list has. */
  allComplete(): boolean;
  /** Groups and meters that the bridge's row records as ours. */
  recordedOf(bridge: string): readonly string[];
  /** The operator left the place to somebody else. */
  isReservedPlace(bridge: string, table: number, priority: number): boolean;
  reservesPlacesOn(bridge: string): boolean;
  /** We made the bridge, in this run or another, and no key is about it. */
  isForsaken(bridge: string): boolean;
  /** The reference agent's cookies that were recognised on the bridge. */
  recognised(bridge: string): ReadonlySet<bigint>;
}

/**
 * Whether the operator wants the flow to stay: its cookie is reserved, or its place is. In a reserved place anybody's cookie is that
 * of the one it is reserved for, but ours, and the reference agent's own where it was recognised: those flows have nobody any more.
 */
export function isReserved(rules: OwnershipRules, bridge: string, { cookie, table, priority }: InstalledFlow): boolean {
  const { kind } = rules.cookies.ownerOf(cookie);
  if (kind !== 'foreign') return kind === 'reserved';
  return rules.isReservedPlace(bridge, table, priority) && !rules.recognised(bridge).has(cookie);
}

/**
 * The rules of sweeping.
 *
 * - Withdrawn in this run: goes at once if it carries a cookie of ours.
 * - A plugin's own: goes once that plugin is complete. Of a plugin that is not on the list: once all are.
 * - Reserved by the operator: stays. So does what the switch learned, but on a bridge of our making that no key is about any more: there it
 *   goes once all are complete.
 * - Somebody else's, in a place that the operator reserved: stays.
 * - Somebody else's, in a table claimed on the integration or tunnel bridge: is drift, and goes once all are complete. On a
 *   provider bridge only what bears the reference agent's recognised cookie goes, and cookie 0 never.
 * - Groups and meters bear no cookie: those that were withdrawn in this run go, and once all are complete those that the bridge's row
 *   records as ours.
 */
export function fateBy(rules: OwnershipRules): Fate {
  return (bridge, installed, withdrawn) => {
    if (installed.kind !== 'flow') {
      const isOurs = rules.allComplete() && rules.recordedOf(bridge).includes(installed.identity);
      return withdrawn || isOurs ? 'remove' : 'keep';
    }
    return goes(rules, bridge, installed, withdrawn) ? 'remove' : 'keep';
  };
}

function goes(rules: OwnershipRules, bridge: string, installed: InstalledFlow, withdrawn: boolean): boolean {
  const owner = rules.cookies.ownerOf(installed.cookie);
  switch (owner.kind) {
    case 'learned':
      return rules.allComplete() && rules.isForsaken(bridge);
    case 'reserved':
      return false;
    case 'plugin':
      return withdrawn || rules.isComplete(owner.plugin);
    case 'unlisted':
      return withdrawn || rules.allComplete();
    case 'foreign':
      return rules.allComplete() && isDrift(rules, bridge, installed);
  }
}

function isDrift(rules: OwnershipRules, bridge: string, flow: InstalledFlow): boolean {
  if (isReserved(rules, bridge, flow)) return false;
  const { table, priority, cookie } = flow;
  const role = rules.roleOf(bridge);
  if (role === 'other') return false;
  if (role === 'provider' && (cookie === 0n || !rules.recognised(bridge).has(cookie))) return false;
  return rules.claimants(role, table, priority).length > 0;
}

/** Whether a claim is on the place. */
export function covers(claim: Claim, role: BridgeRole, table: number, priority: number): boolean {
  if (claim.bridge !== role) return false;
  if (claim.tables !== 'all' && !claim.tables.includes(table)) return false;
  return isBetween(priority, claim.priorities);
}

/** Whether a priority is in a range, both ends included. No range is any. */
export function isBetween(priority: number, range: readonly [number, number] | undefined): boolean {
  return range === undefined || (priority >= range[0] && priority <= range[1]);
}

/** A flow that the reference agent has on every bridge of its kind, and that nobody else would write. */
export type Telltale =
  /** On a provider bridge: matches the patch port towards br-int, and nothing else. */
  | { readonly bridge: 'provider'; readonly patchPort: number }
  /** On br-tun, the last of table 0; on br-int, that of table 23, by which it sees that the switch restarted. */
  | { readonly bridge: 'tunnel' | 'integration' };

export const TELLING_TABLES = { provider: 0, tunnel: 0, integration: 23 } as const;

function tells(flow: InstalledFlow, telltale: Telltale): boolean {
  if (flow.table !== TELLING_TABLES[telltale.bridge]) return false;
  if (telltale.bridge !== 'provider') return flow.priority === 0 && Object.keys(flow.decode().match).length === 0;
  const { match } = flow.decode();
  return Object.keys(match).length === 1 && match.in_port === telltale.patchPort;
}

/** The reference agent's cookie: that of its telltale flow. Undefined where there is none, where it is ours, and for cookie 0, which is anybody's. */
export function recogniseReference(
  installed: Iterable<Installed>,
  telltale: Telltale,
  cookies: CookieRegister,
): bigint | undefined {
  for (const one of installed) {
    if (one.kind !== 'flow' || one.cookie === 0n || cookies.ownerOf(one.cookie).kind !== 'foreign') continue;
    if (tells(one, telltale)) return one.cookie;
  }
  return undefined;
}
