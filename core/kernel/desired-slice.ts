import type { DesiredRecords, DesiredState, KeyProgress, Logger } from '@patchbay/sdk';
import type { DesiredStore } from './desired-port';
import type { EventContext } from './event-context';
import { frozenCopy } from './plain';

/** One plugin's desired state: staged while an event is delivered, applied at once outside of one. */
export class DesiredSlice implements DesiredState {
  constructor(
    private readonly plugin: string,
    private readonly store: DesiredStore,
    private readonly context: EventContext,
    private readonly logger: Logger,
  ) {}

  set(key: string, records: DesiredRecords): void {
    this.change(key, frozenCopy(records, `desired state ${this.plugin} ${key}`));
  }

  unset(key: string): void {
    this.change(key, null);
  }

  keys(): readonly string[] {
    const keys = new Set(this.store.keys(this.plugin));
    const place = this.context.current();
    const open = place?.event.state === 'open' ? [place.event.staged, place.tap?.staged] : [];
    for (const change of open.flatMap((staged) => staged?.list() ?? [])) {
      if (change.plugin !== this.plugin) continue;
      if (change.records === null) keys.delete(change.key);
      else keys.add(change.key);
    }
    return [...keys];
  }

  progress(key: string): Promise<KeyProgress> {
    return this.store.progress(this.plugin, key);
  }

  complete(): void {
    this.store.complete(this.plugin);
  }

  private change(key: string, records: DesiredRecords | null): void {
    const destination = this.context.destination();
    if (destination === 'nowhere') {
      this.logger.debug('Change of a tap that failed or ran out of time was dropped', { key });
    } else if (destination === 'at once') {
      this.store.apply([{ plugin: this.plugin, key, records }], this.context.current()?.event.cause ?? this.plugin);
    } else {
      destination.stage(this.plugin, key, records);
    }
  }
}
