import type { Announcer, ForwardingChange, HookCalls, Jobs, RemotePorts, TunnelType } from '@patchbay/sdk';

/** Endpoints of networks that one event tells of at most, so that no tap's time runs out on a full table. */
const TOLD_AT_ONCE = 2_000;

/** An endpoint of a network whose entries changed. */
export interface ChangedEndpoint {
  readonly networkId: string;
  readonly tunnelType: TunnelType;
  readonly ipAddress: string;
}

export interface Told {
  readonly remotePorts: (changed: ChangedEndpoint) => RemotePorts;
  /** States what follows from it, in the same event. */
  readonly state: (calls: HookCalls, changed: readonly ChangedEndpoint[]) => Promise<void>;
  /** Everything is known and has been told. */
  readonly complete: () => void;
}

/** Tells changes of entries: all that came in one turn of the event loop as one fact, one event at a time. */
export class Telling {
  private changed = new Map<string, ChangedEndpoint>();
  private waiting: (() => void)[] = [];
  private telling = false;
  private knowledge: ForwardingChange['knowledge'] = 'partial';
  private toldComplete = false;

  constructor(
    private readonly announcer: Announcer,
    private readonly jobs: Jobs,
    private readonly told: Told,
  ) {}

  note(networkId: string, tunnelType: TunnelType, endpoints: Iterable<string>): void {
    for (const ipAddress of endpoints) {
      this.changed.set(`${networkId} ${ipAddress}`, { networkId, tunnelType, ipAddress });
    }
    if (this.changed.size > 0) this.start();
  }

  /** Every entry is known. Resolves when that, and all of them, have been told. */
  complete(): Promise<void> {
    this.knowledge = 'complete';
    const told = new Promise<void>((resolve) => this.waiting.push(resolve));
    this.start();
    return told;
  }

  private start(): void {
    if (this.telling) return;
    this.telling = true;
    this.jobs.untilDone('tell entries', { initialMs: 500, maxMs: 30_000 }, async () => {
      while (this.isBehind()) await this.tellSome();
      this.telling = false;
      for (const resolve of this.waiting.splice(0)) resolve();
    });
  }

  private isBehind(): boolean {
    return this.changed.size > 0 || (this.knowledge === 'complete' && !this.toldComplete);
  }

  private async tellSome(): Promise<void> {
    const taken = [...this.changed].slice(0, TOLD_AT_ONCE);
    for (const [key] of taken) this.changed.delete(key);
    const isLast = this.knowledge === 'complete' && this.changed.size === 0;
    const knowledge = this.toldComplete || isLast ? 'complete' : 'partial';
    const changed = taken.map(([, one]) => one);
    try {
      await this.announcer.event('l2-population', async (calls) => {
        await calls.tell('onForwardingChanged', { remotes: changed.map(this.told.remotePorts), knowledge });
        await this.told.state(calls, changed);
      });
    } catch (error) {
      for (const [key, one] of taken) this.changed.set(key, one);
      throw error;
    }
    if (knowledge === 'partial' || this.toldComplete) return;
    this.toldComplete = true;
    this.told.complete();
  }
}
