import type { QosRecord, QueueRecord } from '@patchbay/sdk';
import type { Contest } from './contest';
import { nameOf, type Owner } from './owner';

/** A QoS row that one or more owners want, with whose each queue is. */
export interface MergedQos {
  readonly record: QosRecord;
  /** Those who want it, or a part of it; the row is the first one's. */
  readonly owners: readonly [Owner, ...Owner[]];
  readonly queueOwners: Readonly<Record<number, Owner>>;
}

/**
 * Makes one row of what several owners, first ones first, want for one port. A port has room for one QoS row, so a record whose type or
 * other_config differs from the first one's loses, and so does one that has another queue under a number that is taken: it loses as a whole,
 * for queues are shares of what there is.
 */
export function mergeQos(wants: readonly { readonly owner: Owner; readonly qos: QosRecord }[]): {
  readonly qos: MergedQos | undefined;
  readonly contests: readonly Contest[];
} {
  let merged: MergedQos | undefined;
  const contests: Contest[] = [];
  for (const { owner, qos } of wants) {
    const rival = merged === undefined ? undefined : rivalOf(merged, qos);
    if (rival === undefined) merged = merged === undefined ? only(owner, qos) : joined(merged, owner, qos);
    else contests.push(contestOver(qos.port, rival, owner));
  }
  return { qos: merged, contests };
}

interface Rival {
  readonly winner: Owner;
  /** What the two want otherwise, for people. */
  readonly what: string;
}

function rivalOf({ record, owners: [first], queueOwners }: MergedQos, other: QosRecord): Rival | undefined {
  if (record.type !== other.type) return { winner: first, what: 'type' };
  if (!sameMap(record.otherConfig, other.otherConfig)) return { winner: first, what: 'other_config' };
  for (const [number, queue] of Object.entries(other.queues)) {
    const [taken, winner] = [record.queues[Number(number)], queueOwners[Number(number)]];
    if (taken !== undefined && winner !== undefined && !sameQueue(taken, queue)) {
      return { winner, what: `queue ${number}` };
    }
  }
  return undefined;
}

function only(owner: Owner, record: QosRecord): MergedQos {
  return { record, owners: [owner], queueOwners: ownedBy(owner, record) };
}

function joined({ record, owners, queueOwners }: MergedQos, owner: Owner, other: QosRecord): MergedQos {
  return {
    record: { ...record, queues: { ...other.queues, ...record.queues } },
    owners: owners.includes(owner) ? owners : [...owners, owner],
    queueOwners: { ...ownedBy(owner, other), ...queueOwners },
  };
}

function ownedBy(owner: Owner, { queues }: QosRecord): Readonly<Record<number, Owner>> {
  return Object.fromEntries(Object.keys(queues).map((number) => [number, owner]));
}

function contestOver(port: string, { winner, what }: Rival, loser: Owner): Contest {
  const reason = `${what} of the QoS of ${port} is stated differently by ${nameOf(winner)}, which comes first`;
  return { place: `Port ${port} Port.qos`, winner, loser, reason };
}

function sameQueue(left: QueueRecord, right: QueueRecord): boolean {
  return left.name === right.name && sameMap(left.otherConfig, right.otherConfig);
}

export function sameMap(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}
