import type { ReservedFlows } from './reservations';

/**
 * The one configuration model: whatever file the operator keeps, this is what the agent runs on.
 * Options carry Neutron's own snake_case names, so that an ini option maps to its place by name.
 */

/** One line of the plugin list. */
export interface PluginEntry {
  /** Id of a stock plugin, npm package, or path of a module. */
  readonly name: string;
  /** Checked by the plugin's own schema when it is loaded. */
  readonly options: Readonly<Record<string, unknown>>;
  /** True lets a plugin that is not stock be a condition of every port's being open, where its manifest asks for that. */
  readonly required?: boolean;
  /** `worker`: in a thread of its own. Default: in the agent's main thread. */
  readonly isolation?: 'main' | 'worker';
  /** `file:line` or `stock list`. */
  readonly from: string;
  /** Where relative paths among its options start, if not at the folder of the configuration. */
  readonly directory?: string;
}

/** Names are those of oslo.log. */
export interface LoggingSettings {
  readonly debug: boolean;
  readonly log_file: string | null;
  /** Directory that `log_file` is in, or the log goes to by the agent's own name. */
  readonly log_dir: string | null;
  readonly use_json: boolean;
  readonly use_stderr: boolean;
  readonly use_syslog: boolean;
  readonly use_journal: boolean;
}

export interface AgentSettings {
  /** The host name that the control plane knows this agent by. */
  readonly host: string;
  readonly integration_bridge: string;
  readonly tunnel_bridge: string;
  readonly datapath_type: 'system' | 'netdev';
  /** `unix:PATH`, `tcp:HOST:PORT` or `ssl:HOST:PORT`. */
  readonly ovsdb_connection: string;
  /** Seconds that an OVSDB request may take. */
  readonly ovsdb_timeout: number;
  readonly ssl_key_file: string | null;
  readonly ssl_cert_file: string | null;
  readonly ssl_ca_cert_file: string | null;
  /** Bridge → OpenFlow target. A bridge not named is reached at `<ovs_run_dir>/<bridge>.mgmt`. */
  readonly openflow_connections: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly of_connect_timeout: number;
  /** Seconds between echo requests on an OpenFlow connection. */
  readonly of_inactivity_probe: number;
  /** Installed flows are not kept over a start; the reference agent's default is to keep them. */
  readonly drop_flows_on_start: boolean;
  readonly ovs_run_dir: string;
  /** Holds the admin socket, patchbay.sock. */
  readonly run_dir: string;
  /** Holds what survives a restart. */
  readonly state_dir: string;
  /** Seconds between comparisons of the whole switch; 0 turns them off. */
  readonly resync_interval: number;
  /** What becomes of somebody else's edits of what the agent installed. */
  readonly drift: 'repair' | 'report';
  /** Options of ini files, and plugins that these ask for, that are missing here and that the operator goes without knowingly. */
  readonly accept_missing: readonly string[];
  /** Cookies (`0x…`, or with a mask `0x…/0x…`) of somebody else's flows in claimed tables, which stay. */
  readonly reserved_cookies: readonly string[];
  /** Places in which somebody else's flows stay, whatever their cookies. */
  readonly reserved_flows: readonly ReservedFlows[];
  /** Packets a second that any one plugin may ask to be told of. */
  readonly packet_in_ceiling: number;
  readonly logging: LoggingSettings;
}

export interface Configuration {
  readonly settings: AgentSettings;
  readonly plugins: readonly PluginEntry[];
  /** Dotted path (`settings.host`, `plugins.tunnels.local_ip`) → where its value comes from. A path not named has its default. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}
