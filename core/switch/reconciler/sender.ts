import { type FlowTableClient, OpenFlowError } from '../openflow';
import type { Step } from '../planner/board';
import { messageOf, orderSteps } from './messages';

export interface Refused {
  readonly step: Step;
  readonly reason: string;
  /** The flow names a group or a meter that the switch does not have. */
  readonly lacksReference: boolean;
}

/** What became of the steps of one bridge. */
export interface Sent {
  readonly applied: readonly Step[];
  readonly refused: readonly Refused[];
  /** Neither acknowledged nor refused: they were in a bundle with a refused one, or the connection went. */
  readonly undone: readonly Step[];
  /** The connection failed, or did not answer: nothing more is known of the bridge. */
  readonly failure?: Error;
}

/** Sends one bridge's steps: meters, then groups and flows as one atomic and ordered bundle, then the meters that go. Never rejects. */
export async function sendSteps(client: FlowTableClient, steps: readonly Step[]): Promise<Sent> {
  const { metersFirst, bundle, metersLast } = orderSteps(steps);
  const meters = await sendSingly(client, metersFirst);
  // A flow that uses a meter which was refused would be refused itself; it waits for the next plan.
  if (meters.failure !== undefined || meters.refused.length > 0)
    return join(meters, { undone: [...bundle, ...metersLast] });
  const flows = await sendBundle(client, bundle);
  if (flows.failure !== undefined || flows.refused.length > 0) return join(meters, flows, { undone: metersLast });
  return join(meters, flows, await sendSingly(client, metersLast));
}

const NOTHING: Sent = { applied: [], refused: [], undone: [] };

async function sendSingly(client: FlowTableClient, steps: readonly Step[]): Promise<Sent> {
  const outcomes = await Promise.all(steps.map((step) => attempt([step], () => client.send([messageOf(step)]))));
  return join(...outcomes);
}

/**
 * A refusal says which message it is about. Where it does not, the bundle is halved until it is known: then it is no longer
 * one bundle, and still each half is all or nothing.
 */
async function sendBundle(client: FlowTableClient, steps: readonly Step[]): Promise<Sent> {
  if (steps.length === 0) return NOTHING;
  const sent = await attempt(steps, () => client.bundle(steps.map(messageOf)));
  if (sent.refused.length > 0 || sent.failure !== undefined || sent.undone.length === 0) return sent;
  const middle = Math.ceil(steps.length / 2);
  const first = await sendBundle(client, steps.slice(0, middle));
  if (first.failure !== undefined) return join(first, { undone: steps.slice(middle) });
  return join(first, await sendBundle(client, steps.slice(middle)));
}

async function attempt(steps: readonly Step[], act: () => Promise<void>): Promise<Sent> {
  try {
    await act();
    return { ...NOTHING, applied: steps };
  } catch (error) {
    const unencodable = unencodableIndex(error);
    if (!(error instanceof OpenFlowError) && unencodable === undefined)
      return { ...NOTHING, undone: steps, failure: asError(error) };
    const said = error instanceof OpenFlowError ? error.failedIndex : unencodable;
    const index = said ?? (steps.length === 1 ? 0 : undefined);
    const step = index === undefined ? undefined : steps[index];
    if (step === undefined) return { ...NOTHING, undone: steps };
    return {
      ...NOTHING,
      refused: [{ step, reason: asError(error).message, lacksReference: isUnknownReference(error) && isOfFlow(step) }],
      undone: steps.filter((one) => one !== step),
    };
  }
}

function isUnknownReference(error: unknown): boolean {
  return error instanceof OpenFlowError && error.isUnknownReference;
}

function isOfFlow(step: Step): boolean {
  return step.act !== 'remove' && step.item.kind === 'flow';
}

/** The message that could not be put on the wire: nothing of it was sent, and what it says is its owner's fault, not the connection's. */
function unencodableIndex(error: unknown): number | undefined {
  return error instanceof Error && 'messageIndex' in error && typeof error.messageIndex === 'number'
    ? error.messageIndex
    : undefined;
}

function join(...parts: readonly Partial<Sent>[]): Sent {
  const failure = parts.find((part) => part.failure !== undefined)?.failure;
  return {
    applied: concat(parts.map((part) => part.applied)),
    refused: concat(parts.map((part) => part.refused)),
    undone: concat(parts.map((part) => part.undone)),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Most parts are empty: of one that is not no copy is made. */
function concat<Element>(lists: readonly (readonly Element[] | undefined)[]): readonly Element[] {
  const [first = [], ...more] = lists.filter((list) => list !== undefined && list.length > 0);
  return more.length === 0 ? first : first.concat(...more.map((list) => list ?? []));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
