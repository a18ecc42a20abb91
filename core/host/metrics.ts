import type { PluginMetrics } from '@patchbay/sdk';
import { Gauge, Histogram, Registry } from 'prom-client';
import type { TapTrace } from '../kernel/hooks/trace';
import { pluginMetrics } from './plugin-metrics';
import type { StatusReport } from './reports';

/** Prometheus metrics of the agent. Gauges are read from the status at the time of a scrape, which is taken once for all of them. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly taps: Histogram<'hook' | 'plugin' | 'outcome'>;
  private readonly rounds: Histogram<never>;
  private scraped: Promise<StatusReport> | undefined;

  constructor(private readonly status: () => Promise<StatusReport>) {
    const registers = [this.registry];
    this.taps = new Histogram({
      name: 'patchbay_tap_seconds',
      help: 'Time that a tap of a hook took',
      labelNames: ['hook', 'plugin', 'outcome'],
      buckets: [0.0001, 0.001, 0.01, 0.1, 1, 5],
      registers,
    });
    this.rounds = new Histogram({
      name: 'patchbay_round_seconds',
      help: 'Time that a round of the reconciler took',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    });
    this.gauge('patchbay_ready', 'Whether the first synchronisation is done', (report) => Number(report.ready));
    this.gauge('patchbay_health', 'Health: 0 ok, 1 unknown, 2 degraded, 3 failing', (report) =>
      ['ok', 'unknown', 'degraded', 'failing'].indexOf(report.health),
    );
    this.gauge('patchbay_switch_connected', 'Whether the switch database is connected', (report) =>
      Number(report.switch.connected),
    );
    this.gauge('patchbay_switch_writing', 'Whether the agent may write to the switch', (report) =>
      Number(report.switch.writing === 'yes'),
    );
    this.gauge('patchbay_keys', 'Keys that plugins state', (report) => report.switch.keys);
    this.gauge('patchbay_flows', 'Flows that are installed', (report) => report.switch.flows);
    this.gauge('patchbay_keys_pending', 'Keys that wait for a port or bridge', (report) => report.switch.pending);
    this.gauge(
      'patchbay_keys_quarantined',
      'Keys that are not on the switch: they make no flows, it refuses them, or another plugin has their place',
      (report) => report.switch.quarantined,
    );
    this.gauge(
      'patchbay_conflicts',
      'Flows that two keys want otherwise, and reserved ones that gave way to ours',
      (report) => report.switch.conflicts.length,
    );
    this.gauge('patchbay_rounds_total', 'Rounds of the reconciler', (report) => report.switch.rounds);
    this.gauge('patchbay_rpc_connected', 'Whether the broker is connected', (report) =>
      Number(report.rpc?.connected ?? 0),
    );
    this.gauge('patchbay_rpc_last_received_seconds', 'Time since the last message from the broker', (report) =>
      report.rpc?.lastReceivedMsAgo == null ? -1 : report.rpc.lastReceivedMsAgo / 1000,
    );
    const metrics = this;
    new Gauge({
      name: 'patchbay_drift_total',
      help: 'Edits by others of what the agent installed, by what they did',
      labelNames: ['kind'],
      registers,
      async collect() {
        for (const [kind, count] of Object.entries((await metrics.report()).switch.drift)) this.set({ kind }, count);
      },
    });
    new Gauge({
      name: 'patchbay_ports',
      help: 'Ports by state',
      labelNames: ['state'],
      registers,
      async collect() {
        this.reset();
        for (const [state, count] of Object.entries((await metrics.report()).ports)) this.set({ state }, count);
      },
    });
  }

  tapped({ hook, plugin, outcome, ms }: TapTrace): void {
    this.taps.observe({ hook, plugin, outcome }, ms / 1000);
  }

  roundTook(ms: number): void {
    this.rounds.observe(ms / 1000);
  }

  of(plugin: string): PluginMetrics {
    return pluginMetrics(this.registry, plugin);
  }

  /** The text format of Prometheus. */
  text(): Promise<string> {
    this.scraped = undefined;
    return this.registry.metrics();
  }

  private report(): Promise<StatusReport> {
    this.scraped ??= this.status();
    return this.scraped;
  }

  private gauge(name: string, help: string, read: (report: StatusReport) => number): void {
    const report = () => this.report();
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        this.set(read(await report()));
      },
    });
  }
}
