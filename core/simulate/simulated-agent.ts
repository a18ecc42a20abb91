import { join } from 'node:path';
import { createHost } from '../host/agent-host';
import type { LoadedConfiguration } from '../host/configuration';
import type { Host, Stock } from '../host/host';
import type { Configuration } from '../kernel/config/model';
import type { Noted, SimulatedHost, SimulatedPort } from './messages';
import { RECEIPT, receiptPlugin } from './receipt';
import { SwitchInMemory } from './switch-in-memory';

export interface OwnParts {
  /** For its log and what it keeps. */
  readonly folder: string;
  /** Seconds between state reports; undefined: as it is configured. */
  readonly reportInterval: number | undefined;
}

/** A whole agent but for its switch, which is in memory: what broker and server see of it is what they see of a real one. */
export class SimulatedAgent {
  readonly host: Host;
  private readonly memory: SwitchInMemory;
  private readonly integrationBridge: string;

  constructor(
    simulated: SimulatedHost,
    { configuration, directory }: LoadedConfiguration & { readonly configuration: Configuration },
    stock: Stock,
    parts: OwnParts,
    noted: (macAddress: string, what: Noted) => void,
  ) {
    this.memory = new SwitchInMemory((macAddress) => noted(macAddress, 'applied'));
    const own = ownConfiguration(configuration, simulated, parts);
    this.integrationBridge = own.settings.integration_bridge;
    for (const bridge of providerBridges(own)) this.memory.addBridge(bridge);
    this.host = createHost(own, directory, withReceipt(stock, noted), this.memory.reach);
  }

  start(): Promise<void> {
    return this.host.start();
  }

  /** Whether broker and server know of it: it is synchronised, everything it asked is answered, and it has nothing to complain of. */
  async isSettled(): Promise<boolean> {
    const { ready, rpc, plugins } = await this.host.reports.status();
    // All agents of a process share its event loop: that it is late is no one's complaint.
    const complaints = plugins.flatMap(({ conditions }) =>
      conditions.filter(({ condition, level }) => level !== 'ok' && condition !== 'event loop'),
    );
    const isHeard = rpc?.connected === true && rpc.unanswered === 0 && (rpc.received ?? 0) > 0;
    return ready && isHeard && complaints.length === 0;
  }

  plug(port: SimulatedPort): void {
    this.memory.plug(this.integrationBridge, port);
  }

  /** Whether the server took every port that is plugged as ACTIVE, and nothing is left to ask. */
  async hasPortsUp(): Promise<boolean> {
    const { ports, rpc } = await this.host.reports.status();
    return (ports.up ?? 0) > 0 && Object.keys(ports).length === 1 && rpc?.unanswered === 0;
  }

  async stop(): Promise<void> {
    await this.host.stop();
    await this.memory.close();
  }
}

/** The operator's configuration with a name, an endpoint and files of this agent's own. */
function ownConfiguration(
  configuration: Configuration,
  { name, localIp }: SimulatedHost,
  { folder, reportInterval }: OwnParts,
): Configuration {
  const { settings, plugins } = configuration;
  const logging = { ...settings.logging, log_dir: null, log_file: join(folder, 'agents.log'), use_stderr: false };
  const state_dir = join(folder, name);
  const openflow_connections = {};
  return {
    ...configuration,
    settings: {
      ...settings,
      host: name,
      state_dir,
      openflow_connections,
      ovsdb_connection: 'unix:/nowhere',
      resync_interval: 0,
      logging: { ...logging, debug: false, use_syslog: false, use_journal: false },
    },
    plugins: plugins.flatMap((entry) => {
      const own = {
        ...('local_ip' in entry.options && { local_ip: localIp }),
        ...(entry.name === 'heartbeat' && reportInterval !== undefined && { report_interval: reportInterval }),
      };
      const receipt = entry.name === 'l2-population' ? [{ name: RECEIPT, options: {}, from: 'the simulation' }] : [];
      return [{ ...entry, options: { ...entry.options, ...own } }, ...receipt];
    }),
  };
}

const withReceipt = (stock: Stock, noted: (macAddress: string, what: Noted) => void): Stock => ({
  ...stock,
  plugins: { ...stock.plugins, [RECEIPT]: receiptPlugin(noted) },
});

function providerBridges({ plugins }: Configuration): readonly string[] {
  const mappings = plugins.find(({ name }) => name === 'bridge-mappings')?.options.bridge_mappings;
  return typeof mappings === 'object' && mappings !== null ? Object.values(mappings as Record<string, string>) : [];
}
