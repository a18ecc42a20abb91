import { inject } from 'tsyringe';
import type { DesiredState } from './desired';
import type { AllottedTables, Commands, Numbers, PacketIns, PluginMetrics } from './extension-services';
import type { MessagingConnector } from './messaging';
import type {
  AgentIdentity,
  Announcer,
  ControlPlane,
  Health,
  Jobs,
  Logger,
  PortDirectory,
  ResourceView,
  Rpc,
  Store,
  Synchronisation,
} from './services';
import type { Effects, SwitchView } from './switch-services';

/** `agent`: one, made before any plugin. `plugin`: one for each plugin. `provided`: made by a plugin, for those that load after it. */
export type TokenScope = 'agent' | 'plugin' | 'provided';

/** The name of a service, with its type. Names are strings so that two copies of this package agree on them. */
export class Token<T> {
  declare readonly type: T;
  constructor(
    readonly name: string,
    readonly scope: TokenScope,
  ) {}
  toString(): string {
    return `patchbay:${this.name}`;
  }
}

/** A service that a plugin provides for others. */
export function providedToken<T>(name: string): Token<T> {
  return new Token<T>(name, 'provided');
}

/** Everything that can be asked for in a constructor. */
export const Service = {
  identity: new Token<AgentIdentity>('identity', 'agent'),
  announcer: new Token<Announcer>('announcer', 'agent'),
  synchronisation: new Token<Synchronisation>('synchronisation', 'agent'),
  switchView: new Token<SwitchView>('switchView', 'agent'),
  messaging: new Token<MessagingConnector>('messaging', 'agent'),
  logger: new Token<Logger>('logger', 'plugin'),
  /** The plugin's configuration, checked by its manifest's schema. */
  config: new Token<unknown>('config', 'plugin'),
  health: new Token<Health>('health', 'plugin'),
  desired: new Token<DesiredState>('desired', 'plugin'),
  jobs: new Token<Jobs>('jobs', 'plugin'),
  store: new Token<Store>('store', 'plugin'),
  effects: new Token<Effects>('effects', 'plugin'),
  packetIns: new Token<PacketIns>('packetIns', 'plugin'),
  commands: new Token<Commands>('commands', 'plugin'),
  metrics: new Token<PluginMetrics>('metrics', 'plugin'),
  numbers: new Token<Numbers>('numbers', 'plugin'),
  tables: new Token<AllottedTables>('tables', 'plugin'),
  controlPlane: new Token<ControlPlane>('controlPlane', 'provided'),
  resources: new Token<ResourceView>('resources', 'provided'),
  rpc: new Token<Rpc>('rpc', 'provided'),
  ports: new Token<PortDirectory>('ports', 'provided'),
} as const;

/** Asks for a service by its token: `constructor(@use(Service.desired) private readonly desired: DesiredState)`. */
export function use(token: Token<unknown>): ParameterDecorator {
  return inject(token.toString()) as ParameterDecorator;
}
