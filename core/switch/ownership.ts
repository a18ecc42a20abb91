import type { Claim, Logger } from '@patchbay/sdk';
import type { MaskedCookie, ReservedFlows } from '../kernel/config/reservations';
import { CookieRegister, hex } from './cookies';
import type { DesiredKeys } from './desired-store';
import type { Blueprint } from './planner/blueprint';
import type { InstalledFlow } from './planner/board';
import { type BridgeRole, covers, isBetween, type OwnershipRules, ownedByRecord } from './planner/ownership';
import { markOf } from './planner/row-changes';
import type { Rows } from './planner/rows';
import type { ListedPlugin, SwitchSettings } from './settings';
import { TakeOver } from './take-over';

/** What the operator keeps for others. */
export interface Reservations {
  readonly cookies: readonly MaskedCookie[];
  readonly flows: readonly ReservedFlows[];
}

/** Whose is what on this switch: bridge roles, cookies, completed plugins, and the reference agent's cookie on provider bridges. */
export class Ownership implements OwnershipRules {
  readonly cookies: CookieRegister;
  private readonly claimed: { readonly plugin: string; readonly claim: Claim }[] = [];
  readonly takeOver: TakeOver;

  constructor(
    private readonly settings: Pick<SwitchSettings, 'integration_bridge' | 'tunnel_bridge'>,
    private readonly plugins: readonly ListedPlugin[],
    private readonly reserved: Reservations,
    private readonly rows: Rows,
    private readonly store: () => DesiredKeys,
    private readonly around: { readonly blueprint: () => Blueprint; readonly logger: Logger },
  ) {
    this.cookies = new CookieRegister(
      plugins.map((plugin) => plugin.id),
      reserved.cookies,
    );
    for (const { id, claims } of plugins) this.claim(id, claims);
    this.takeOver = new TakeOver({
      ...around,
      rows,
      cookies: this.cookies,
      integrationBridge: settings.integration_bridge,
      ownership: this,
      uplink: (bridge) => this.uplinkOf(bridge),
      allComplete: () => this.allComplete(),
    });
  }

  /** A provider bridge is one that a patch port joins to the integration bridge, besides the tunnel bridge. */
  roleOf(bridge: string): BridgeRole {
    if (bridge === this.settings.integration_bridge) return 'integration';
    if (bridge === this.settings.tunnel_bridge) return 'tunnel';
    return this.patchTowardsIntegration(bridge) === undefined ? 'other' : 'provider';
  }

  claim(plugin: string, claims: readonly Claim[]): void {
    this.claimed.push(...claims.map((claim) => ({ plugin, claim })));
  }

  claimants(role: BridgeRole, table: number, priority: number): readonly string[] {
    const covering = this.claimed.filter(({ claim }) => covers(claim, role, table, priority));
    return [...new Set(covering.map(({ plugin }) => plugin))];
  }

  isReservedPlace(bridge: string, table: number, priority: number): boolean {
    return this.reservedOn(bridge).some(
      ({ tables, priorities }) => tables.includes(table) && isBetween(priority, priorities),
    );
  }

  reservesPlacesOn(bridge: string): boolean {
    return this.reservedOn(bridge).length > 0;
  }

  private reservedOn(bridge: string): readonly ReservedFlows[] {
    if (this.reserved.flows.length === 0) return this.reserved.flows;
    const role = this.roleOf(bridge);
    return this.reserved.flows.filter((place) => place.bridge === role || place.bridge === bridge);
  }

  /** For people: whose cookie a flow bears that nobody wants, and whose place it is in. */
  describeStranger(bridge: string, { cookie, table, priority }: InstalledFlow): string {
    const owner = this.cookies.ownerOf(cookie);
    if (owner.kind === 'plugin') return owner.plugin;
    const claimants = this.claimants(this.roleOf(bridge), table, priority);
    const place =
      claimants.length === 0 ? '' : ` in what ${claimants.join(' and ')} claim${claimants.length === 1 ? 's' : ''}`;
    return `${owner.kind} cookie ${hex(cookie)}${place}`;
  }

  isComplete(plugin: string): boolean {
    return this.store().isComplete(plugin);
  }

  /** Of the plugins that write to the switch: a control plane or a heartbeat has nothing that could be swept. */
  allComplete(): boolean {
    const store = this.store();
    const claimants = new Set(this.claimed.map(({ plugin }) => plugin));
    const writers = this.plugins.filter(({ id }) => claimants.has(id) || store.keys(id).length > 0);
    return writers.every(({ id }) => store.isComplete(id));
  }

  recordedOf(bridge: string): readonly string[] {
    return ownedByRecord(this.rows, bridge);
  }

  isForsaken(bridge: string): boolean {
    const row = this.rows.bridge(bridge);
    return row !== undefined && markOf(row) !== undefined && !this.around.blueprint().isNamed(bridge);
  }

  recognised(bridge: string): ReadonlySet<bigint> {
    return this.takeOver.recognised(bridge);
  }

  /** The port of a provider bridge that leads to the integration bridge. */
  uplinkOf(bridge: string): string | undefined {
    return bridge === this.settings.tunnel_bridge ? undefined : this.patchTowardsIntegration(bridge);
  }

  private patchTowardsIntegration(bridge: string): string | undefined {
    for (const port of this.rows.ports()) {
      const [iface] = port.interfaces;
      if (port.bridge !== bridge || iface?.type !== 'patch') continue;
      const peer = this.rows.port(iface.options.peer ?? '');
      if (peer?.bridge === this.settings.integration_bridge) return port.name;
    }
    return undefined;
  }
}
