import { FlowNotationError } from './errors';
import type { Flow, MatchValue } from './model';
import { parseActions } from './parse-actions';
import { addMatchText, settleMatch } from './parse-match';
import { splitOutside, splitPair } from './split-text';
import { parseNumber } from './values';

/** A flow read from text, with what text may say of a flow and a plugin may not. */
export interface ParsedFlow {
  readonly flow: Flow;
  readonly cookie?: bigint;
}

/** Statistics that dump-flows prints, and flags, which say nothing of what a flow does. */
const IGNORED = new Set([
  'duration',
  'n_packets',
  'n_bytes',
  'idle_age',
  'hard_age',
  'n_offload_packets',
  'n_offload_bytes',
  'importance',
  'out_port',
  'out_group',
  'actions',
]);
const FLAGS = new Set(['send_flow_rem', 'reset_counts', 'no_packet_counts', 'no_byte_counts', 'check_overlap']);

/** ovs-ofctl's priority when none is given (OFP_DEFAULT_PRIORITY). */
const DEFAULT_PRIORITY = 0x8000;

/**
 * Reads one flow as it is typed for add-flow or printed by dump-flows. Table 0, priority 32768 when not stated.
 * @throws FlowNotationError naming the field or action that cannot be read.
 */
export function parseFlowLine(bridge: string, text: string): ParsedFlow {
  const found = /(?:^|[\s,])(?:actions?)=(.*)$/s.exec(text.trim());
  const head = found === null ? text.trim() : text.trim().slice(0, found.index);
  const match: Record<string, MatchValue> = {};
  const numbers: Record<string, number> = {};
  let cookie: bigint | undefined;
  for (const piece of splitOutside(head)) {
    const { name, value, mark } = splitPair(piece);
    if (IGNORED.has(name) || (mark === '' && FLAGS.has(name))) continue;
    if (name === 'cookie') cookie = BigInt(parseNumber(name, value.split('/')[0] ?? ''));
    else if (name === 'table' || name === 'priority' || name === 'idle_timeout' || name === 'hard_timeout') {
      numbers[name] = Number(parseNumber(name, value));
    } else addMatchText(match, name, value, mark !== '');
  }
  settleMatch(match);
  if (found === null)
    throw new FlowNotationError('actions', `missing in '${text.trim()}'; a flow that drops says actions=drop`);
  const { table = 0, priority = DEFAULT_PRIORITY, idle_timeout: idle, hard_timeout: hard } = numbers;
  const flow: Flow = {
    bridge,
    table,
    priority,
    match,
    actions: parseActions(found[1] ?? '', match),
    ...(idle === undefined || idle === 0 ? {} : { idleTimeout: idle }),
    ...(hard === undefined || hard === 0 ? {} : { hardTimeout: hard }),
  };
  return cookie === undefined ? { flow } : { flow, cookie };
}

/** One flow from ovs-ofctl text; a cookie in the text is dropped, for the owner's is written. */
export function parseFlow(bridge: string, text: string): Flow {
  return parseFlowLine(bridge, text).flow;
}

/** Every flow of a dump: one a line; empty lines, comments and reply headers are passed over. */
export function parseFlows(bridge: string, text: string): ParsedFlow[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !/^(NXST|OFPST)/.test(line))
    .map((line) => parseFlowLine(bridge, line));
}
