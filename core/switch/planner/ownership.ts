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
  /** The reference agent's cookies that were recognised on a provider bridge. */
  recognised(bridge: string): ReadonlySet<bigint>;
}

/**
 * The rules of sweeping.
 *
 * - Withdrawn in this run: goes at once if it carries a cookie of ours.
 * - A plugin's own: goes once that plugin is complete. Of a plugin that is not on the list: once all are.
 * - Learned by the switch, or reserved by the operator: stays.
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

function isDrift(rules: OwnershipRules, bridge: string, { table, priority, cookie }: InstalledFlow): boolean {
  const role = rules.roleOf(bridge);
  if (role === 'other') return false;
  if (role === 'provider' && (cookie === 0n || !rules.recognised(bridge).has(cookie))) return false;
  return rules.claimants(role, table, priority).length > 0;
}

/** Whether a claim is on the place. */
export function covers(claim: Claim, role: BridgeRole, table: number, priority: number): boolean {
  if (claim.bridge !== role) return false;
  if (claim.tables !== 'all' && !claim.tables.includes(table)) return false;
  const [lowest, highest] = claim.priorities ?? [0, 65535];
  return priority >= lowest && priority <= highest;
}

/**
 * The reference agent's cookie on a provider bridge: that of its table 0 flow which matches the patch port towards br-int and
 * nothing else. Undefined where there is none, where it is ours, and for cookie 0, which is anybody's.
 */
export function recogniseReference(
  installed: Iterable<Installed>,
  patchPort: number,
  cookies: CookieRegister,
): bigint | undefined {
  for (const one of installed) {
    if (one.kind !== 'flow' || one.table !== 0 || one.cookie === 0n) continue;
    if (cookies.ownerOf(one.cookie).kind !== 'foreign') continue;
    const { match } = one.decode();
    if (Object.keys(match).length === 1 && match.in_port === patchPort) return one.cookie;
  }
  return undefined;
}
