import type { DesiredRecords, DesiredState, Health, KeyProgress, Logger, PatchbayError } from '@patchbay/sdk';
import { type Permit, unclaimed } from './claims';
import type { DesiredStore } from './desired-port';
import { KernelError } from './errors';
import type { EventContext } from './event-context';
import { FlowCount } from './flow-count';
import { frozenCopy } from './plain';
import { misstatedPort } from './port-columns';

/** Keys that may be refused at a time before the next is refused by an exception: each costs a condition and a line of the log. */
const REFUSALS = 100;
/** The condition that names a key which was stated too late. */
const LATE = 'late keys';

export interface DesiredSliceParts {
  readonly plugin: string;
  readonly store: DesiredStore;
  readonly context: EventContext;
  readonly logger: Logger;
  readonly health: Health;
  /** Absent: everything may be written. */
  readonly permit?: Permit;
  /** How many flows the plugin may want, over all its keys. */
  readonly flowBudget?: number;
}

/**
 * One plugin's desired state: staged while an event is delivered, applied at once outside of one.
 *
 * A key that wants what the manifest does not claim, what cannot be, or more flows than the plugin may have, is refused: what it stated before stays,
 * its progress is `quarantined`, the plugin's health says why, and its other keys go on. Who goes on stating what is refused, key after key,
 * is told by an exception: it ends the loop that does so.
 *
 * What is stated in a tap that is over is dropped; health names such keys until they are stated in time.
 */
export class DesiredSlice implements DesiredState {
  private readonly refused = new Map<string, PatchbayError>();
  /** Keys that were last stated too late. */
  private readonly late = new Set<string>();
  private readonly flows = new FlowCount();

  constructor(private readonly parts: DesiredSliceParts) {}

  set(key: string, records: DesiredRecords): void {
    const { plugin } = this.parts;
    const refusal = this.refusalOf(key, records);
    if (refusal !== undefined) {
      this.refuse(key, refusal);
      return;
    }
    const copied = frozenCopy(records, `desired state ${plugin} ${key}`);
    this.admit(key);
    this.change(key, copied);
  }

  unset(key: string): void {
    this.admit(key);
    this.change(key, null);
  }

  keys(): readonly string[] {
    const { plugin, store, context } = this.parts;
    const keys = new Set(store.keys(plugin));
    const place = context.current();
    const open = place?.event.state === 'open' ? [place.event.staged, place.tap?.staged] : [];
    for (const change of open.flatMap((staged) => staged?.list() ?? [])) {
      if (change.plugin !== plugin) continue;
      if (change.records === null) keys.delete(change.key);
      else keys.add(change.key);
    }
    for (const key of this.refused.keys()) keys.add(key);
    return [...keys];
  }

  async progress(key: string): Promise<KeyProgress> {
    const refusal = this.refused.get(key);
    if (refusal !== undefined) return { state: 'quarantined', reason: refusal.message };
    return this.parts.store.progress(this.parts.plugin, key);
  }

  complete(): void {
    this.parts.store.complete(this.parts.plugin);
  }

  private refusalOf(key: string, records: DesiredRecords): PatchbayError | undefined {
    const { plugin, permit, flowBudget = Number.POSITIVE_INFINITY } = this.parts;
    const flows = this.flows.with(key, flowsIn(records));
    // Asked first, and before anything is copied: a million flows must not hold the others up.
    if (flows > flowBudget) return KernelError.tooManyFlows({ plugin, key, flows, budget: flowBudget });
    const what = permit === undefined ? undefined : unclaimed(permit, records);
    if (what !== undefined) return KernelError.claimViolated({ plugin, key, what });
    const wrong = misstatedPort(records, permit?.identity);
    return wrong === undefined ? undefined : KernelError.recordInvalid({ plugin, key, ...wrong });
  }

  private refuse(key: string, error: PatchbayError): void {
    const { logger, health } = this.parts;
    if (this.refused.size >= REFUSALS && !this.refused.has(key)) throw error;
    if (this.refused.get(key)?.message !== error.message) {
      logger.error('A key was refused; the plugin’s others go on', { code: error.code, key, reason: error.message });
    }
    this.refused.set(key, error);
    health.report(conditionOf(key), 'degraded', error.message);
  }

  private admit(key: string): void {
    if (this.refused.delete(key)) this.parts.health.clear(conditionOf(key));
  }

  /** Once a key: a timer that goes on states the same again and again. */
  private drop(key: string): void {
    const { plugin, logger, health } = this.parts;
    if (this.late.has(key) || this.late.size >= REFUSALS) return;
    this.late.add(key);
    const error = KernelError.statedLate({ plugin, key });
    logger.warn('What was stated too late was dropped', { code: error.code, key });
    health.report(LATE, 'degraded', error.message);
  }

  private change(key: string, records: DesiredRecords | null): void {
    const { plugin, store, context, health } = this.parts;
    const destination = context.destination();
    if (destination === 'nowhere') {
      this.drop(key);
      return;
    }
    if (this.late.delete(key) && this.late.size === 0) health.clear(LATE);
    this.flows.note(
      key,
      records === null ? 0 : flowsIn(records),
      destination === 'at once' ? undefined : context.current(),
    );
    if (destination === 'at once') {
      store.apply([{ plugin, key, records }], context.current()?.event.cause ?? plugin);
    } else {
      destination.stage(plugin, key, records);
    }
  }
}

function conditionOf(key: string): string {
  return `refused key ${key}`;
}

function flowsIn({ flows, gates }: DesiredRecords): number {
  return (flows?.length ?? 0) + (gates ?? []).reduce((sum, gate) => sum + (gate.admission?.length ?? 0), 0);
}
