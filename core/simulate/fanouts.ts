import { setTimeout as pause } from 'node:timers/promises';
import { createMessaging, type Messaging } from '../rpc';
import { MARKED_MAC, type Mark, monotonicMs } from './messages';
import type { SimulatedNetwork } from './neutron-ports';

/** Between two fanouts, in milliseconds: what one set off must not be in the way of the next. */
const BETWEEN_MS = 500;
/** What an agent has no flows for by then it is not waited for, in milliseconds. */
const PATIENCE_MS = 30_000;

const TARGET = { topic: 'q-agent-notifier-l2population-update', version: '1.0' };

export interface FanoutTimes {
  /** From the fanout to each agent's flows. */
  readonly each: readonly number[];
  /** From the fanout to the last agent's. */
  readonly last: readonly number[];
  /** Fanouts that some agent had no flows for in time. */
  readonly incomplete: number;
}

/** Sends forwarding entries as the server does, to all agents, and measures when those whose network it is have the flows. */
export class Fanouts {
  private readonly messaging: Messaging;
  private readonly arrived = new Map<string, (mark: Mark) => void>();

  constructor(options: { readonly transportUrl: string; readonly rabbit: Readonly<Record<string, unknown>> }) {
    this.messaging = createMessaging({ ...options, connectionName: 'patchbay-simulate' });
  }

  mark(mark: Mark): void {
    this.arrived.get(mark.macAddress)?.(mark);
  }

  async measure(networks: readonly SimulatedNetwork[], count: number): Promise<FanoutTimes> {
    const each: number[] = [];
    const last: number[] = [];
    let incomplete = 0;
    for (let number = 0; number < count; number++) {
      const network = networks[number % networks.length];
      if (network === undefined) break;
      await pause(BETWEEN_MS);
      const times = await this.once(network, number);
      each.push(...times);
      if (times.length === network.hosts.length - 1) last.push(Math.max(...times));
      else incomplete += 1;
    }
    return { each, last, incomplete };
  }

  close(): Promise<void> {
    return this.messaging.close();
  }

  /** As if a port came up on the network's first host: all others of the network have the entry then. */
  private async once(network: SimulatedNetwork, number: number): Promise<readonly number[]> {
    const endpoint = network.hosts[0]?.localIp ?? '';
    const low = [number >> 16, number >> 8, number].map((byte) => (byte & 0xff).toString(16).padStart(2, '0'));
    const macAddress = `${MARKED_MAC}${low.join(':')}`;
    const times = new Map<string, number>();
    const entries = {
      [network.networkId]: {
        segment_id: network.tunnelKey,
        network_type: 'vxlan',
        ports: { [endpoint]: [[macAddress, '192.0.2.1']] },
      },
    };
    const since = monotonicMs();
    const all = new Promise<void>((resolve) => {
      this.arrived.set(macAddress, ({ host, at }) => {
        times.set(host, at - since);
        if (times.size === network.hosts.length - 1) resolve();
      });
      setTimeout(resolve, PATIENCE_MS).unref();
    });
    await this.messaging.fanout(TARGET, 'add_fdb_entries', { fdb_entries: entries });
    await all;
    this.arrived.delete(macAddress);
    await this.messaging.fanout(TARGET, 'remove_fdb_entries', { fdb_entries: entries });
    return [...times.values()];
  }
}

/** The value that so large a part of the values does not exceed; NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
