import type { Claim } from '@patchbay/sdk';
import type { AgentSettings } from '../kernel/config/model';

/** The part of the agent's settings that the switch side goes by. */
export type SwitchSettings = Pick<
  AgentSettings,
  | 'integration_bridge'
  | 'tunnel_bridge'
  | 'ovsdb_connection'
  | 'ovsdb_timeout'
  | 'ssl_key_file'
  | 'ssl_cert_file'
  | 'ssl_ca_cert_file'
  | 'openflow_connections'
  | 'of_connect_timeout'
  | 'of_inactivity_probe'
  | 'drop_flows_on_start'
  | 'ovs_run_dir'
  | 'resync_interval'
  | 'drift'
>;

/** What the switch side needs to know of the plugins on the list, in their order. */
export interface ListedPlugin {
  readonly id: string;
  readonly claims: readonly Claim[];
  /** Every gate waits for this plugin's `port/<subject>` key. */
  readonly required: boolean;
}

/**
 * The target of the controller row on bridges of ours: a socket in OVS's run directory that nobody makes. A bridge with a
 * controller keeps its flows under fail_mode secure, and ovs-vswitchd tries a missing socket every few seconds at no cost.
 * Without a folder: ovs-vswitchd leaves out a row whose folder is not, to the letter, the run directory it was built with
 * (/var/run/openvswitch on Debian), and then empties the tables, for the bridge has no controller.
 */
export const OWN_CONTROLLER = 'unix:patchbay-none';

/** Where the reference agent's controller listens by default ([ovs] of_listen_address and of_listen_port). */
export const REFERENCE_CONTROLLERS = ['tcp:127.0.0.1:6633'];
