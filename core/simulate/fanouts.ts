import { setTimeout as pause } from 'node:timers/promises';
import { createMessaging, type Messaging } from '../rpc';
import { FORWARDING_TOPIC, MARKED_MAC, type Mark, monotonicMs, type Noted } from './messages';
import type { SimulatedNetwork } from './neutron-ports';

/** Between two fanouts, in milliseconds: what one set off must not be in the way of the next. */
const BETWEEN_MS = 500;
/** What an agent has not heard, or has no flows for, by then it is not waited for, in milliseconds. */
const PATIENCE_MS = 30_000;

const TARGET = { topic: FORWARDING_TOPIC, version: '1.0' };

/** Milliseconds from a fanout on: to each agent of those that are meant, and to the last of them. */
export interface Spread {
  readonly each: number[];
  readonly last: number[];
}

export interface FanoutTimes {
  /** All agents, to the end of `l2-population`'s part in the message. */
  readonly heard: Spread;
  /** Agents of the network, to the switch's acknowledgement of the flows. */
  readonly applied: Spread;
  /** Fanouts that some agent did not hear, or had no flows for, in time. */
  readonly incomplete: number;
}

/** When each host noted what is waited for, in milliseconds of the monotonic clock. */
class Arrivals {
  readonly times = new Map<string, number>();
  private resolve: () => void = () => {};
  readonly complete: Promise<void>;

  constructor(private readonly wanted: number) {
    this.complete = new Promise((resolve) => {
      this.resolve = resolve;
    });
    if (wanted === 0) this.resolve();
    setTimeout(this.resolve, PATIENCE_MS).unref();
  }

  note({ host, at }: Mark): void {
    this.times.set(host, at);
    if (this.isComplete) this.resolve();
  }

  get isComplete(): boolean {
    return this.times.size >= this.wanted;
  }
}

/** Sends forwarding entries as the server does, to all agents, and measures when all have heard them and those whose network it is have the flows. */
export class Fanouts {
  private readonly messaging: Messaging;
  private readonly awaited = new Map<string, Arrivals>();

  constructor(
    options: { readonly transportUrl: string; readonly rabbit: Readonly<Record<string, unknown>> },
    /** All agents there are. */
    private readonly agents: number,
  ) {
    this.messaging = createMessaging({ ...options, connectionName: 'patchbay-simulate' });
  }

  mark(mark: Mark): void {
    this.awaited.get(nameOf(mark.what, mark.macAddress))?.note(mark);
  }

  async measure(networks: readonly SimulatedNetwork[], count: number): Promise<FanoutTimes> {
    const heard: Spread = { each: [], last: [] };
    const applied: Spread = { each: [], last: [] };
    let incomplete = 0;
    for (let number = 0; number < count; number++) {
      const network = networks[number % networks.length];
      if (network === undefined) break;
      await pause(BETWEEN_MS);
      if (!(await this.once(network, number, heard, applied))) incomplete += 1;
    }
    return { heard, applied, incomplete };
  }

  close(): Promise<void> {
    return this.messaging.close();
  }

  /** As if a port came up on the network's first host, and went: all others of the network have the entry meanwhile. True if all came. */
  private async once(network: SimulatedNetwork, number: number, heard: Spread, applied: Spread): Promise<boolean> {
    const endpoint = network.hosts[0]?.localIp ?? '';
    const low = [number >> 16, number >> 8, number].map((byte) => (byte & 0xff).toString(16).padStart(2, '0'));
    const macAddress = `${MARKED_MAC}${low.join(':')}`;
    const entries = {
      [network.networkId]: {
        segment_id: network.tunnelKey,
        network_type: 'vxlan',
        ports: { [endpoint]: [[macAddress, '192.0.2.1']] },
      },
    };
    const since = monotonicMs();
    const hearing = this.await('heard', macAddress, this.agents);
    const applying = this.await('applied', macAddress, network.hosts.length - 1);
    await this.messaging.fanout(TARGET, 'add_fdb_entries', { fdb_entries: entries });
    await Promise.all([hearing.complete, applying.complete]);
    collect(heard, hearing, since);
    collect(applied, applying, since);
    const withdrawn = this.await('withdrawn', macAddress, this.agents);
    await this.messaging.fanout(TARGET, 'remove_fdb_entries', { fdb_entries: entries });
    await withdrawn.complete;
    this.awaited.clear();
    return hearing.isComplete && applying.isComplete;
  }

  private await(what: Noted, macAddress: string, hosts: number): Arrivals {
    const arrivals = new Arrivals(hosts);
    this.awaited.set(nameOf(what, macAddress), arrivals);
    return arrivals;
  }
}

const nameOf = (what: Noted, macAddress: string): string => `${what} ${macAddress}`;

/** The last agent's time counts only where none is missing. */
function collect({ each, last }: Spread, arrivals: Arrivals, since: number): void {
  const times = [...arrivals.times.values()].map((at) => at - since);
  each.push(...times);
  if (arrivals.isComplete) last.push(Math.max(...times));
}

/** The value that so large a part of the values does not exceed; NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
