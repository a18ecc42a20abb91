import type { AgentSettings, LoggingSettings } from '../kernel/config/model';
import type { OptionValues } from './values';

/** What the agent runs on where nobody says otherwise. */
export function defaultSettings(hostname: string): AgentSettings {
  return {
    host: hostname,
    integration_bridge: 'br-int',
    tunnel_bridge: 'br-tun',
    datapath_type: 'system',
    ovsdb_connection: 'unix:/run/openvswitch/db.sock',
    ovsdb_timeout: 10,
    ssl_key_file: null,
    ssl_cert_file: null,
    ssl_ca_cert_file: null,
    openflow_connections: {},
    of_connect_timeout: 300,
    of_request_timeout: 300,
    of_inactivity_probe: 10,
    drop_flows_on_start: false,
    ovs_run_dir: '/run/openvswitch',
    run_dir: '/run/patchbay',
    state_dir: '/var/lib/patchbay',
    resync_interval: 300,
    accept_missing: [],
    logging: {
      debug: false,
      log_file: null,
      log_dir: null,
      use_json: false,
      use_stderr: false,
      use_syslog: false,
      use_journal: false,
    },
  };
}

export interface Placed {
  readonly settings: AgentSettings;
  /** Options by plugin. */
  readonly options: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly provenance: Readonly<Record<string, string>>;
}

/** Puts every option that is set in its place, as the option table says. A list of plugins says which take any. */
export function place(values: OptionValues, hostname: string, plugins: ReadonlySet<string>): Placed {
  const defaults = defaultSettings(hostname);
  const settings: Record<string, unknown> = {};
  const logging: Record<string, unknown> = {};
  const options = new Map<string, Record<string, unknown>>();
  const provenance: Record<string, string> = {};
  for (const { option, value, where } of values.all) {
    if (option.verdict.kind !== 'honoured') continue;
    for (const target of option.verdict.becomes) {
      const [owner = '', name = '', inner] = target.split('.');
      if (owner === 'settings') {
        if (inner === undefined) settings[name] = value;
        else logging[inner] = value;
        provenance[target] = where;
      } else if (plugins.has(owner)) {
        const own = options.get(owner) ?? {};
        own[name] = inner === undefined ? value : { ...(own[name] as object | undefined), [inner]: value };
        options.set(owner, own);
        provenance[`plugins.${target}`] = where;
      }
    }
  }
  const runDirectory = settings.ovs_run_dir;
  return {
    // The option table gives each setting the type that AgentSettings says; a test holds them against each other.
    settings: {
      ...defaults,
      ...(runDirectory === undefined ? {} : { ovsdb_connection: `unix:${String(runDirectory)}/db.sock` }),
      ...(settings as Partial<AgentSettings>),
      logging: { ...defaults.logging, ...(logging as Partial<LoggingSettings>) },
    },
    options,
    provenance,
  };
}
