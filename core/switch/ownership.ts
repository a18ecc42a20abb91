import type { Claim } from '@patchbay/sdk';
import { CookieRegister, hex } from './cookies';
import type { DesiredKeys } from './desired-store';
import type { Installed } from './planner/board';
import { type BridgeRole, type OwnershipRules, recogniseReference } from './planner/ownership';
import { portNumber, type Rows } from './planner/rows';
import type { ListedPlugin, SwitchSettings } from './settings';

/** Whose is what on this switch: bridge roles, cookies, completed plugins, and the reference agent's cookie on provider bridges. */
export class Ownership implements OwnershipRules {
  readonly cookies: CookieRegister;
  readonly claims: readonly Claim[];
  private readonly taken = new Map<string, Set<bigint>>();

  constructor(
    private readonly settings: Pick<SwitchSettings, 'integration_bridge' | 'tunnel_bridge'>,
    private readonly plugins: readonly ListedPlugin[],
    reservedCookies: readonly bigint[],
    private readonly rows: Rows,
    private readonly store: () => DesiredKeys,
  ) {
    this.cookies = new CookieRegister(
      plugins.map((plugin) => plugin.id),
      reservedCookies,
    );
    this.claims = plugins.flatMap((plugin) => plugin.claims);
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

  recognised(bridge: string): ReadonlySet<bigint> {
    return this.taken.get(bridge) ?? new Set();
  }

  /** Looks for the reference agent on a bridge that was read, before anything of it is overwritten. */
  recognise(bridge: string, installed: Iterable<Installed>): bigint | undefined {
    const port = this.patchTowardsIntegration(bridge);
    if (port === undefined || bridge === this.settings.tunnel_bridge) return undefined;
    const number = portNumber(this.rows, bridge, port);
    if (!('number' in number)) return undefined;
    const cookie = recogniseReference(installed, number.number, this.cookies);
    if (cookie !== undefined) this.taken.set(bridge, new Set([...this.recognised(bridge), cookie]));
    return cookie;
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
