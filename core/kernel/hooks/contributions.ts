import type { StateReport } from '@patchbay/sdk';
import { KernelError } from '../errors';
import { frozenCopy, isPlainObject } from '../plain';

/** A plugin's part of the state report, as a frozen copy, or an error that says why it cannot be sent. */
export function acceptedContribution(plugin: string, contribution: unknown): Partial<StateReport> {
  const part = frozenCopy(contribution, `the state report of ${plugin}`);
  const refused = (field: string, problem: string): Error =>
    KernelError.answerInvalid({ plugin, hook: 'onReportState', field, problem });
  if (!isPlainObject(part)) throw refused('the report', 'is no object');
  if (part.configurations !== undefined && !isPlainObject(part.configurations)) {
    throw refused('configurations', 'is no map');
  }
  return part as Partial<StateReport>;
}

/** The parts in plugin order, merged: maps key by key at every depth, of anything else the later one counts. */
export function mergedReport(parts: readonly Partial<StateReport>[]): StateReport {
  return parts.reduce<StateReport>((merged, part) => mergeMaps(merged, part) as unknown as StateReport, {
    configurations: {},
  });
}

function mergeMaps(under: object, over: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    if (value === undefined) continue;
    merged[key] = isPlainObject(present) && isPlainObject(value) ? mergeMaps(present, value) : value;
  }
  return merged;
}
