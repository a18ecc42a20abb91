import { FlowNotationError } from './errors';
import { findField } from './fields';
import type { Action, FieldValue, LearnSpec, Subfield } from './model';
import { splitOutside, splitPair } from './split-text';
import { parseSubfield } from './subfield';
import { parseNumber, valueBytes } from './values';

type Learn = Extract<Action, { readonly type: 'learn' }>;

function source(target: Subfield, text: string): Subfield | { readonly value: FieldValue } {
  const name = /^[A-Za-z0-9_]+/.exec(text)?.[0] ?? '';
  if (!/^[0-9]/.test(text) && findField(name) !== undefined) return parseSubfield(text);
  const field = findField(target.field);
  if (field === undefined) throw new FlowNotationError(target.field, 'no such field');
  if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text)) return { value: parseNumber(target.field, text) };
  valueBytes(field, text);
  return { value: text };
}

function moveParts(text: string): readonly [string, string] {
  const arrow = text.indexOf('->');
  if (arrow < 0) throw new FlowNotationError('learn', `'${text}' lacks ->`);
  return [text.slice(0, arrow), text.slice(arrow + 2)];
}

function spec(text: string): LearnSpec {
  if (text.startsWith('load:')) {
    const [from, to] = moveParts(text.slice(5));
    const target = parseSubfield(to);
    return { kind: 'load', target, source: source(target, from) };
  }
  if (text.startsWith('output:')) return { kind: 'output', source: parseSubfield(text.slice(7)) };
  const equals = text.indexOf('=');
  const target = parseSubfield(equals < 0 ? text : text.slice(0, equals));
  return { kind: 'match', target, source: equals < 0 ? target : source(target, text.slice(equals + 1)) };
}

const SETTINGS: Readonly<Record<string, keyof Learn>> = {
  priority: 'priority',
  idle_timeout: 'idleTimeout',
  hard_timeout: 'hardTimeout',
  fin_idle_timeout: 'finIdleTimeout',
  fin_hard_timeout: 'finHardTimeout',
  limit: 'limit',
};

/** What stands in `learn(…)`. */
export function parseLearn(text: string): Learn {
  const settings: Record<string, number | bigint | boolean> = {};
  const specs: LearnSpec[] = [];
  let table = 1;
  for (const piece of splitOutside(text)) {
    const { name, value, mark } = splitPair(piece);
    const setting = SETTINGS[name];
    if (mark === '=' && setting !== undefined) settings[setting] = Number(parseNumber(name, value));
    else if (name === 'table' && mark === '=') table = Number(parseNumber(name, value));
    else if (name === 'cookie' && mark === '=') settings.cookie = BigInt(parseNumber(name, value));
    else if (piece === 'send_flow_rem') settings.sendFlowRemoved = true;
    else if (piece === 'delete_learned') settings.deleteLearned = true;
    else specs.push(spec(piece));
  }
  return { type: 'learn', table, ...settings, specs };
}
