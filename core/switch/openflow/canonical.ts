import { type Action, type Flow, type Match, matchFields, matchHasVlan, type ResolvePort } from '@patchbay/sdk/flow';
import { canonicalInstructions } from './wire/canonical-actions';
import { putMatch } from './wire/canonical-match';
import { writeInstructions } from './wire/encode-actions';
import { type FieldForm, formsOfMatch } from './wire/field-forms';
import { matchBounds, writeMatchFields } from './wire/oxm';
import { WireWriter } from './wire/writer';

/**
 * A flow in the one form that the switch's rewriting leaves unchanged. Two flows with the same key are the same flow to the switch; with the same body too, they
 * do the same. Strings of bytes (latin-1): compare them, do not read them.
 */
export interface CanonicalFlow {
  /** Bridge, table, priority and match. */
  readonly key: string;
  /** Instructions and timeouts. */
  readonly body: string;
}

/** A match's longest canonical form is less than twice its 64 KiB on the wire. */
const text = Buffer.allocUnsafe(256 * 1024);
const heads = new Map<string, Buffer>();

/** Puts what is in front of the match; answers where that begins. */
function putHead(bridge: string, table: number, priority: number): number {
  let head = heads.get(bridge);
  if (head === undefined) {
    head = Buffer.from(`${bridge}/`);
    heads.set(bridge, head);
  }
  const at = head.length;
  for (let index = 0; index < at; index++) text[index] = head[index] ?? 0;
  text[at] = table;
  text[at + 1] = priority >> 8;
  text[at + 2] = priority;
  return at + 3;
}

/** The key of a flow whose OXM fields lie between two offsets. */
export function canonicalKey(
  bridge: string,
  table: number,
  priority: number,
  bytes: Buffer,
  from: number,
  to: number,
): string {
  const end = putMatch(text, putHead(bridge, table, priority), bytes, from, to);
  return text.toString('latin1', 0, end);
}

/** Bodies of instructions that were met, by their bytes: thousands of flows do the same. */
const bodies = new Map<string, string>();
const REMEMBERED_BODIES = 16_384;

/** The body of a flow whose instructions lie between two offsets. */
export function canonicalBody(
  idleTimeout: number,
  hardTimeout: number,
  bytes: Buffer,
  from: number,
  to: number,
): string {
  const raw = bytes.toString('latin1', from, to);
  let body = bodies.get(raw);
  if (body === undefined) {
    if (bodies.size >= REMEMBERED_BODIES) bodies.clear();
    body = `0/0/${canonicalInstructions(bytes, from, to)}`;
    bodies.set(raw, body);
  }
  return idleTimeout === 0 && hardTimeout === 0 ? body : `${idleTimeout}/${hardTimeout}/${body.slice(4)}`;
}

const scratch = new WireWriter(65536);
/** The fields of the match at hand by ascending order. */
const found: FieldForm[] = [];

/** The key of a flow of plain fields, and undefined for one whose fields must be looked at together. */
function plainKey({ bridge, table, priority, match }: Flow, resolve: ResolvePort): string | undefined {
  const count = formsOfMatch(match, resolve, found);
  if (count === undefined) return undefined;
  let end = putHead(bridge, table, priority);
  for (let index = 0; index < count; index++) {
    const { bytes } = found[index] as FieldForm;
    for (let at = 0; at < bytes.length; at++) text[end + at] = bytes[at] ?? 0;
    end += bytes.length;
  }
  return text.toString('latin1', 0, end);
}

function writtenKey(
  flow: Flow,
  match: Match,
  resolve: ResolvePort,
): { readonly key: string; readonly tagged: boolean } {
  scratch.clear();
  const fields = matchFields(match, resolve);
  writeMatchFields(scratch, fields);
  const bytes = scratch.view();
  const { from, to } = matchBounds(bytes, 0);
  return { key: canonicalKey(flow.bridge, flow.table, flow.priority, bytes, from, to), tagged: matchHasVlan(fields) };
}

/** Bodies of lists that are frozen and name no port, without timeouts; those behind a match of a VLAN tag apart. */
const bodiesOfLists = {
  tagged: new WeakMap<readonly Action[], string>(),
  other: new WeakMap<readonly Action[], string>(),
};

function bodyOf(actions: readonly Action[], match: 'tagged' | 'other', resolve: ResolvePort): string {
  const known = bodiesOfLists[match].get(actions);
  if (known !== undefined) return known;
  let named = false;
  scratch.clear();
  writeInstructions(scratch, actions, match === 'tagged', (port) => {
    named = true;
    return resolve(port);
  });
  const bytes = scratch.view();
  const body = canonicalBody(0, 0, bytes, 0, bytes.length);
  if (!named && Object.isFrozen(actions)) bodiesOfLists[match].set(actions, body);
  return body;
}

/**
 * The canonical form of a flow that is wanted, with `actions` for its own; equal to that of the same flow read back from the switch.
 * @throws FlowNotationError for a flow that cannot be encoded; UnresolvedPortError when a port it names is not on the bridge.
 */
export function canonicalFlow(
  flow: Flow,
  resolve: ResolvePort,
  actions: readonly Action[] = flow.actions,
): CanonicalFlow {
  const plain = plainKey(flow, resolve);
  const { key, tagged } = plain === undefined ? writtenKey(flow, flow.match, resolve) : { key: plain, tagged: false };
  const body = bodyOf(actions, tagged ? 'tagged' : 'other', resolve);
  const { idleTimeout = 0, hardTimeout = 0 } = flow;
  return {
    key,
    body: idleTimeout === 0 && hardTimeout === 0 ? body : `${idleTimeout}/${hardTimeout}/${body.slice(4)}`,
  };
}
