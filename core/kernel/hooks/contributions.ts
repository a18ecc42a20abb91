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

/**
 * The parts in plugin order, merged: maps key by key at every depth, lists of texts joined without repeats (`extensions`, `tunnel_types`: names
 * of what is there). Of anything else the later one counts.
 */
export function mergedReport(parts: readonly Partial<StateReport>[]): StateReport {
  return parts.reduce<StateReport>((report, part) => mergedMaps(report, part) as unknown as StateReport, {
    configurations: {},
  });
}

/** By a Map: what objects inherit is no key, and no key leads to what they inherit. */
function mergedMaps(under: object, over: object): Readonly<Record<string, unknown>> {
  const entries = new Map<string, unknown>(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    if (value !== undefined) entries.set(key, mergedValues(entries.get(key), value));
  }
  return Object.fromEntries(entries);
}

function mergedValues(under: unknown, over: unknown): unknown {
  if (isPlainObject(under) && isPlainObject(over)) return mergedMaps(under, over);
  if (isListOfTexts(under) && isListOfTexts(over)) return [...new Set([...under, ...over])];
  return over;
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
