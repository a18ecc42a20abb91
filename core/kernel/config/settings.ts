import { hostname } from 'node:os';
import { z } from 'zod';
import type { AgentSettings } from './model';
import { ReservedCookie, ReservedPlace } from './reservations';

const Seconds = z.number().nonnegative();
const Path = z.string().regex(/^\//, 'is no absolute path');
const Target = z
  .string()
  .regex(/^(unix:\/.+|(tcp|ssl):.+:\d+)$/, 'is no target: write unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT');
const Bridge = z.string().min(1, 'is empty');

const Logging = z.strictObject({
  debug: z.boolean().default(false),
  log_file: z.string().nullable().default(null),
  log_dir: z.string().nullable().default(null),
  use_json: z.boolean().default(false),
  use_stderr: z.boolean().default(false),
  use_syslog: z.boolean().default(false),
  use_journal: z.boolean().default(false),
});

/** The `agent:` section. Timeouts and names default to what neutron-openvswitch-agent has. */
export const AgentSettingsSchema = z.strictObject({
  host: z.string().min(1, 'is empty').default(hostname),
  integration_bridge: Bridge.default('br-int'),
  tunnel_bridge: Bridge.default('br-tun'),
  datapath_type: z.enum(['system', 'netdev']).default('system'),
  ovsdb_connection: Target.default('unix:/run/openvswitch/db.sock'),
  ovsdb_timeout: Seconds.default(10),
  ssl_key_file: Path.nullable().default(null),
  ssl_cert_file: Path.nullable().default(null),
  ssl_ca_cert_file: Path.nullable().default(null),
  openflow_connections: z.record(z.string(), Target).default({}),
  of_connect_timeout: Seconds.default(300),
  of_inactivity_probe: Seconds.default(10),
  drop_flows_on_start: z.boolean().default(false),
  ovs_run_dir: Path.default('/run/openvswitch'),
  run_dir: Path.default('/run/patchbay'),
  state_dir: Path.default('/var/lib/patchbay'),
  // Events tell of every change; the whole is compared now and then all the same, for what nobody told.
  resync_interval: Seconds.default(600),
  drift: z.enum(['repair', 'report']).default('repair'),
  reserved_cookies: z.array(ReservedCookie).default([]),
  reserved_flows: z.array(ReservedPlace).default([]),
  packet_in_ceiling: z.int().min(1).default(1000),
  logging: Logging.prefault({}),
});

/** Settings that an operator who says nothing gets. */
export function defaultSettings(): AgentSettings {
  return { ...AgentSettingsSchema.parse({}), accept_missing: [] };
}
