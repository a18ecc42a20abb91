import type { Logger } from '@patchbay/sdk';
import type { FlowTableClient, FlowUpdate } from '../openflow';
import type { Blueprint } from '../planner/blueprint';
import type { Observation } from '../planner/board';

interface Watched {
  readonly client: FlowTableClient;
  updates: FlowUpdate[];
  scheduled: boolean;
}

/**
 * Listens to the flow monitor of every bridge: what others change is known at once. Our own changes come by their number alone and
 * are known from their acknowledgement. A switch without flow monitors is compared now and then all the same.
 */
export class FlowWatch {
  private readonly watched = new Map<string, Watched>();

  constructor(
    private readonly parts: {
      readonly blueprint: Blueprint;
      readonly logger: Logger;
      readonly isReading: (bridge: string) => boolean;
      /** Others changed the bridge. */
      readonly changed: (bridge: string) => void;
      /** The switch could not tell all that changed. */
      readonly missed: (bridge: string) => void;
    },
  ) {}

  /** Must be called before the bridge is read, so that what changes meanwhile is told. */
  attach(bridge: string, client: FlowTableClient): void {
    const watched: Watched = { client, updates: [], scheduled: false };
    this.watched.set(bridge, watched);
    client
      .flowMonitor((update) => this.told(bridge, watched, update))
      .catch((error: unknown) => {
        this.parts.logger.debug('the bridge does not tell of changes', { bridge, reason: String(error) });
      });
  }

  /** Takes over what was told and not yet looked at. */
  flush(bridge: string): void {
    const watched = this.watched.get(bridge);
    if (watched === undefined || watched.updates.length === 0 || this.parts.isReading(bridge)) return;
    const { updates } = watched;
    watched.updates = [];
    if (updates.some(({ event }) => event === 'resumed')) this.parts.missed(bridge);
    else if (this.parts.blueprint.board(bridge).observe(updates.flatMap(observationOf))) this.parts.changed(bridge);
  }

  private told(bridge: string, watched: Watched, update: FlowUpdate): void {
    if (this.watched.get(bridge) !== watched || update.event === 'own') return;
    watched.updates.push(update);
    if (watched.scheduled) return;
    watched.scheduled = true;
    // In a turn of its own: an acknowledgement that came before it is then taken over before it, too.
    setImmediate(() => {
      watched.scheduled = false;
      if (this.watched.get(bridge) === watched) this.flush(bridge);
    });
  }
}

function observationOf(update: FlowUpdate): Observation[] {
  switch (update.event) {
    case 'initial':
    case 'added':
    case 'modified':
      return [{ present: update.flow }];
    case 'removed':
      return [{ absent: update.flow.key }];
    default:
      return [];
  }
}
