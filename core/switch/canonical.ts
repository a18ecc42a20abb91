import type { Action, Group, Meter } from '@patchbay/sdk';
import { canonicalFlow } from './openflow';
import type { Canonical } from './planner/items';

/** Port names were resolved before; one that is left is a mistake that the codec names. */
const noNames = (): undefined => undefined;

/** The canonical forms by which what is wanted and what a switch has are compared. */
export const canonical: Canonical = {
  flow: (flow, numberOf = noNames, actions = flow.actions) => canonicalFlow(flow, numberOf, actions),
  groupBody: (group: Group) =>
    JSON.stringify([
      group.kind,
      group.buckets.map((bucket, index) => [
        bucket.bucketId ?? index,
        group.kind === 'select' ? (bucket.weight ?? 1) : 0,
        bucket.watchPort ?? null,
        bucket.watchGroup ?? null,
        actionsBody(group.bridge, bucket.actions),
      ]),
    ]),
  meterBody: (meter: Meter) =>
    JSON.stringify([
      meter.unit,
      meter.bands.map(({ kind, rate, burst, precedenceLevel }) => [kind, rate, burst ?? 0, precedenceLevel ?? 0]),
    ]),
};

/** Buckets are compared as the actions of a flow are. */
function actionsBody(bridge: string, actions: readonly Action[]): string {
  return canonicalFlow({ bridge, table: 0, priority: 0, match: {}, actions }, noNames).body;
}
