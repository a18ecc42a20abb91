import type { AgentIdentity, PluginClass } from '@patchbay/sdk';
import { messagingConnector } from '../agent/messaging';
import { createKernel } from '../kernel/agent-kernel';
import type { AgentSettings, Configuration } from '../kernel/config/model';
import { parseMaskedCookie } from '../kernel/config/reservations';
import type { Kernel } from '../kernel/kernel';
import { resolveListing } from '../kernel/loader/resolve';
import type { Logging } from '../kernel/log/log';
import { Roster } from '../kernel/roster';
import { createSwitch, type Switch, type SwitchOptions } from '../switch';
import { VERSION } from '../version';
import type { Stock } from './host';
import type { Metrics } from './metrics';

/** Whether the agent writes to switch and server, or only looks. */
export type Mode = 'writing' | 'watching';

/** How the switch is reached, where that is not what the settings say: a simulated agent's is in memory. */
export type SwitchReach = Pick<SwitchOptions, 'ovsdbTarget' | 'connect'>;

export interface AgentParts {
  readonly switch: Switch;
  readonly kernel: Kernel;
}

export interface AssemblyOptions {
  readonly configuration: Configuration;
  /** Relative paths on the plugin list start here. */
  readonly directory: string;
  readonly stock: Stock;
  readonly mode: Mode;
  readonly reach: SwitchReach;
  readonly logging: Logging;
  readonly metrics: Metrics;
}

/** Makes the switch side, and the kernel with its plugins on it. Nothing of them is started. */
export async function assemble(from: AssemblyOptions): Promise<AgentParts> {
  const { directory, stock, mode, logging, metrics } = from;
  const { settings, plugins } = from.configuration;
  const roster = new Roster(settings.state_dir, logging.for('kernel'));
  const listing = {
    plugins,
    stock: new Map<string, PluginClass>(Object.entries(stock.plugins)),
    configDir: directory,
    former: (await roster.former()).modules,
  };
  const resolution = resolveListing({
    ...listing,
    stockVersion: VERSION,
    packetInCeiling: settings.packet_in_ceiling,
  });
  const { ordered, planned, leftOut } = await resolution;
  const absent = leftOut.flatMap(({ former }) => former?.ids ?? []);
  const switchSide = createSwitch({
    settings,
    ...from.reach,
    mode,
    logger: logging.for('switch'),
    reservedCookies: settings.reserved_cookies.flatMap((cookie) => parseMaskedCookie(cookie) ?? []),
    reservedFlows: settings.reserved_flows,
    plugins: [
      ...planned.map(({ id, required }) => ({
        id,
        required,
        claims: ordered.find(({ manifest }) => manifest.id === id)?.manifest.claims ?? [],
      })),
      // It never says that it has stated all it wants, so nothing of what an earlier run left under its cookie is swept.
      ...absent.map((id) => ({ id, required: false, claims: [] })),
    ],
    onRound: (ms) => metrics.roundTook(ms),
  });
  const kernel = createKernel({
    ...listing,
    resolution,
    settings,
    agentServices: {
      identity: identityOf(settings),
      switchView: switchSide.view,
      messaging: messagingConnector(mode === 'writing' ? 'everything' : 'reading'),
      desiredStore: switchSide.store,
      effectsFor: (plugin) => switchSide.effects(plugin),
      claimTables: (plugin, claims) => switchSide.claimTables(plugin, claims),
      packetsOf: (plugin, from, listener) => switchSide.packets.subscribe(plugin, from, listener),
      metricsFor: (plugin) => metrics.of(plugin),
    },
    loggerOf: (plugin) => logging.for(plugin),
    onTrace: (entry) => metrics.tapped(entry),
  });
  return { switch: switchSide, kernel };
}

function identityOf(settings: AgentSettings): AgentIdentity {
  return {
    host: settings.host,
    version: VERSION,
    integrationBridge: settings.integration_bridge,
    tunnelBridge: settings.tunnel_bridge,
    datapathType: settings.datapath_type,
  };
}
