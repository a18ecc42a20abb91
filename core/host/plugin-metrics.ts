import type { MetricDefinition, PluginMetrics } from '@patchbay/sdk';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The metrics of one plugin in the agent's registry, under its own prefix. */
export function pluginMetrics(registry: Registry, plugin: string): PluginMetrics {
  const prefix = `patchbay_${plugin.replaceAll('-', '_')}_`;
  const once = <M>(
    definition: MetricDefinition,
    make: (options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => M,
  ): M => {
    const name = `${prefix}${definition.name}`;
    const known = registry.getSingleMetric(name);
    if (known !== undefined) return known as unknown as M;
    return make({ name, help: definition.help, labelNames: [...(definition.labels ?? [])], registers: [registry] });
  };
  return {
    counter(definition) {
      const counter = once(definition, (options) => new Counter(options));
      return { add: (count = 1, labels = {}) => counter.inc({ ...labels }, count) };
    },
    gauge(definition) {
      const gauge = once(definition, (options) => new Gauge(options));
      return { set: (value, labels = {}) => gauge.set({ ...labels }, value) };
    },
    histogram({ buckets, ...definition }) {
      const more = buckets === undefined ? {} : { buckets: [...buckets] };
      const histogram = once(definition, (options) => new Histogram({ ...options, ...more }));
      return { observe: (value, labels = {}) => histogram.observe({ ...labels }, value) };
    },
  };
}
