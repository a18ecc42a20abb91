import { randomUUID } from 'node:crypto';
import { type Health, type Jobs, type PortDirectory, type PortState, reasonOf } from '@patchbay/sdk';
import { L2PopulationErrors } from './errors';

const BACKOFF = { initialMs: 1_000, maxMs: 60_000 };
/** How long a report, or a message through this host's own queue, may take, in milliseconds. */
const PATIENCE_MS = 60_000;
/** A message that was sent before the queue was bound is lost; after so many milliseconds another is sent. */
const MARKER_AGAIN_MS = 3_000;

export interface Asking {
  readonly ports: Pick<PortDirectory, 'ports' | 'askForForwarding'>;
  readonly jobs: Jobs;
  readonly health: Health;
  /** Sends a message to this host's own queue, behind what the server sent there before it answered. */
  readonly sendMarker: (token: string) => Promise<void>;
  /** The count of messages that came. */
  readonly now: () => number;
  /** The full entries of the networks came after the message of that count; no network: none is used here. */
  readonly answered: (networkIds: readonly string[], since: number) => Promise<void>;
}

/**
 * Asks the server for all entries of networks and knows when they have come. The server sends them, if there are any, before it
 * answers a port's report; so when a message that was sent to the same queue after the answer comes, they have all come.
 */
export class FullEntries {
  private readonly due = new Set<string>();
  private readonly markers = new Map<string, () => void>();
  private begun = false;
  private answeredOnce = false;

  constructor(private readonly parts: Asking) {}

  /** Nothing is asked before: until every port that was there is wired, there would be no end of asking. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.start();
  }

  ask(networkIds: readonly string[]): void {
    for (const networkId of networkIds) this.due.add(networkId);
    if (this.begun && networkIds.length > 0) this.start();
  }

  /** A port through which a network can be asked for may have come. */
  portAdded(networkId: string): void {
    if (this.begun && this.due.has(networkId)) this.start();
  }

  markerCame(token: string): void {
    this.markers.get(token)?.();
    this.markers.delete(token);
  }

  private start(): void {
    const { jobs, health } = this.parts;
    jobs.untilDone('ask for entries', BACKOFF, async (signal) => {
      try {
        await this.askOnce(signal);
        health.clear('entries');
      } catch (error) {
        const reason = reasonOf(error);
        health.report('entries', 'degraded', L2PopulationErrors.notAnswered({ reason }).message);
        throw error;
      }
    });
  }

  private async askOnce(signal: AbortSignal): Promise<void> {
    const { ports, answered, now } = this.parts;
    const states = (await ports.ports()).filter(({ bound }) => this.due.has(bound?.segment.networkId ?? ''));
    const portOf = new Map(
      states.flatMap(({ state, bound, vif }) =>
        state === 'up' && bound !== undefined ? [[bound.segment.networkId, vif.portId] as const] : [],
      ),
    );
    const asked = [...portOf.keys()];
    if (asked.length > 0 || !this.answeredOnce) {
      const since = now() + 1;
      for (const networkId of asked) this.due.delete(networkId);
      try {
        // First of all it must be known that what is sent to the queue arrives.
        await this.marker(signal);
        await inTime(ports.askForForwarding([...portOf.values()]), PATIENCE_MS, 'the report was not taken', signal);
        await this.marker(signal);
      } catch (error) {
        for (const networkId of asked) this.due.add(networkId);
        throw error;
      }
      await answered(asked, since);
      this.answeredOnce = true;
    }
    const isComing = ({ state, bound }: PortState) =>
      state === 'wiring' && this.due.has(bound?.segment.networkId ?? '');
    if (states.some(isComing)) this.parts.jobs.after('ask for more entries', BACKOFF.initialMs, () => this.start());
  }

  /** Sends a message through this host's own queue, and waits for it. */
  private async marker(signal: AbortSignal): Promise<void> {
    for (let waited = 0; ; waited += MARKER_AGAIN_MS) {
      const token = randomUUID();
      const came = new Promise<void>((resolve) => this.markers.set(token, resolve));
      try {
        await this.parts.sendMarker(token);
        return await inTime(came, MARKER_AGAIN_MS, 'no message came back from the broker', signal);
      } catch (error) {
        if (waited >= PATIENCE_MS || signal.aborted) throw error;
      } finally {
        this.markers.delete(token);
      }
    }
  }
}

async function inTime(work: Promise<void>, patienceMs: number, late: string, signal: AbortSignal): Promise<void> {
  let giveUp = () => {};
  const deadline = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${late} within ${patienceMs / 1000} s`)), patienceMs);
    const stopped = () => reject(new Error('the agent stops'));
    signal.addEventListener('abort', stopped, { once: true });
    giveUp = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stopped);
    };
  });
  await Promise.race([work, deadline]).finally(() => giveUp());
}
