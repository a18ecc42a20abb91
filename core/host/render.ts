import type { PortState } from '@patchbay/sdk';
import type { z } from 'zod';
import { showConfiguration } from '../config';
import type { Configuration } from '../kernel/config/model';
import type { Diff } from '../switch';
import type { ConfigReport, PlanReport } from './reports';

export function portsByState(ports: readonly PortState[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of ports) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** A plan as people read it: rows first, then each bridge's flows. */
export function planReport({ rows, flows, unknown }: Diff, pending: readonly string[]): PlanReport {
  const ofBridges = Object.entries(flows);
  const changes = ofBridges.flatMap(([, lines]) => lines);
  const count = (sign: string) => changes.filter((line) => line.startsWith(sign)).length;
  const changed = count('~');
  return {
    lines: [
      ...rows.map((row) => `ovs-vsctl ${row}`),
      ...ofBridges.flatMap(([bridge, lines]) => lines.map((line) => `${bridge} ${line}`)),
    ],
    rows: rows.length,
    added: count('+') - changed,
    changed,
    removed: count('-'),
    pending,
    unknown,
  };
}

/** Effective values as text. With the schemas of plugins their defaults are among them. */
export function configReport(
  configuration: Configuration,
  schemas: Readonly<Record<string, z.ZodType>> = {},
): ConfigReport {
  const values = showConfiguration(configuration, schemas).map(({ path, value, from }) => ({
    path,
    value: typeof value === 'string' ? value : JSON.stringify(value),
    from,
  }));
  return { values, warnings: configuration.warnings };
}
