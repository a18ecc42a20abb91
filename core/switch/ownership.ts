import type { Claim, Logger } from '@patchbay/sdk';
import { CookieRegister, hex } from './cookies';
import type { DesiredKeys } from './desired-store';
import type { Blueprint } from './planner/blueprint';
import { type BridgeRole, type OwnershipRules, ownedByRecord } from './planner/ownership';
import type { Rows } from './planner/rows';
import type { ListedPlugin, SwitchSettings } from './settings';
import { TakeOver } from './take-over';

/** Whose is what on this switch: bridge roles, cookies, completed plugins, and the reference agent's cookie on provider bridges. */
export class Ownership implements OwnershipRules {
  readonly cookies: CookieRegister;
  readonly claims: readonly Claim[];
  readonly takeOver: TakeOver;

  constructor(
    private readonly settings: Pick<SwitchSettings, 'integration_bridge' | 'tunnel_bridge'>,
    private readonly plugins: readonly ListedPlugin[],
    reservedCookies: readonly bigint[],
    private readonly rows: Rows,
    private readonly store: () => DesiredKeys,
    around: { readonly blueprint: () => Blueprint; readonly logger: Logger },
  ) {
    this.cookies = new CookieRegister(
      plugins.map((plugin) => plugin.id),
      reservedCookies,
    );
    this.claims = plugins.flatMap((plugin) => plugin.claims);
    this.takeOver = new TakeOver({
      ...around,
      rows,
      cookies: this.cookies,
      integrationBridge: settings.integration_bridge,
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

  /** For people: whose cookie that is. */
  nameOf(cookie: bigint): string {
    const owner = this.cookies.ownerOf(cookie);
    return owner.kind === 'plugin' ? owner.plugin : `${owner.kind} cookie ${hex(cookie)}`;
  }

  isComplete(plugin: string): boolean {
    return this.store().isComplete(plugin);
  }

  /** Of the plugins that write to the switch: a control plane or a heartbeat has nothing that could be swept. */
  allComplete(): boolean {
    const store = this.store();
    const writers = this.plugins.filter(({ id, claims }) => claims.length > 0 || store.keys(id).length > 0);
    return writers.every(({ id }) => store.isComplete(id));
  }

  recordedOf(bridge: string): readonly string[] {
    return ownedByRecord(this.rows, bridge);
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
