import { type ControlPlane, type Jobs, type Logger, reasonOf } from '@patchbay/sdk';

type Status = 'up' | 'down';

const RETRY = { initialMs: 500, maxMs: 60_000 };

/**
 * Reports ports up and down, all of one turn of the event loop in one message, one message at a time. A port that went down and up
 * again is reported down before it is reported up: the server tells Nova of a plugged VIF only on that edge. What an outage swallowed
 * is reported again, and so is what the server could not take, later and apart from the others.
 */
export class Reporter {
  private queue = new Map<string, readonly Status[]>();
  /** What the server could not take, until it is tried again. */
  private refused = new Map<string, readonly Status[]>();
  private refusals = 0;
  private reporting = false;
  private refreshTunnels = true;
  private onTheirWay: ReadonlySet<string> = new Set();
  private readonly waiting = new Set<{ readonly portIds: Set<string>; readonly done: () => void }>();
  /** Called when the server has taken a report of the port. */
  onReported: (portId: string, status: Status) => void = () => {};
  onTrouble: (trouble: string | undefined) => void = () => {};

  constructor(
    private readonly controlPlane: Pick<ControlPlane, 'reportPorts'>,
    private readonly jobs: Jobs,
    private readonly logger: Logger,
  ) {}

  up(portId: string): void {
    this.enqueue(portId, 'up');
  }

  down(portId: string): void {
    this.enqueue(portId, 'down');
  }

  /** The next report asks the server for every forwarding entry again. */
  askForTunnels(): void {
    this.refreshTunnels = true;
  }

  /** Reports ports up once more and asks for the forwarding entries of their networks. Resolves when they were reported, up or down. */
  upWithEntries(portIds: readonly string[]): Promise<void> {
    if (portIds.length === 0) return Promise.resolve();
    this.refreshTunnels = true;
    for (const portId of portIds) {
      const edges = this.queue.get(portId) ?? [];
      // What is on its way may have been sent without asking for entries.
      if (edges.length === 0 || (this.onTheirWay.has(portId) && edges.length === 1 && edges[0] === 'up')) {
        this.queue.set(portId, [...edges, 'up']);
      }
    }
    this.start();
    return new Promise((resolve) => this.waiting.add({ portIds: new Set(portIds), done: resolve }));
  }

  private enqueue(portId: string, status: Status): void {
    const before = this.queue.get(portId) ?? this.refused.get(portId) ?? [];
    this.refused.delete(portId);
    // Only the last edge counts: up, down, up is reported as down, up.
    const again = before.length > 1 && !before.includes('down');
    const after: readonly Status[] =
      status === 'down' ? ['down'] : before.includes('down') ? ['down', 'up'] : again ? before : ['up'];
    this.queue.set(portId, after);
    this.start();
  }

  private start(): void {
    if (this.reporting || this.queue.size === 0) return;
    this.reporting = true;
    setImmediate(() => {
      this.jobs.untilDone('report', RETRY, async () => {
        try {
          while (this.queue.size > 0) await this.reportOnce();
          this.onTrouble(this.refusal());
          this.reporting = false;
        } catch (error) {
          this.onTrouble(reasonOf(error));
          throw error;
        }
      });
    });
  }

  private async reportOnce(): Promise<void> {
    const taken = new Map([...this.queue].map(([portId, edges]) => [portId, edges[0] as Status]));
    const of = (status: Status) => [...taken].filter(([, s]) => s === status).map(([portId]) => portId);
    const refreshTunnels = this.refreshTunnels;
    // Asked for again while the report is on its way, it is the next report's.
    this.refreshTunnels = false;
    this.onTheirWay = new Set(taken.keys());
    const { failed } = await this.controlPlane
      .reportPorts({ up: of('up'), down: of('down'), refreshTunnels })
      .catch((error: unknown) => {
        this.refreshTunnels ||= refreshTunnels;
        throw error;
      });
    const refused = new Set(failed);
    this.onTheirWay = new Set();
    for (const [portId, status] of taken) {
      if (refused.has(portId)) this.putOff(portId);
      else {
        this.dequeue(portId, status);
        this.onReported(portId, status);
      }
    }
    if (refused.size > 0) this.tryRefusedLater(failed);
    else if (this.refused.size === 0) this.refusals = 0;
  }

  private putOff(portId: string): void {
    this.refused.set(portId, this.queue.get(portId) ?? []);
    this.queue.delete(portId);
  }

  private tryRefusedLater(ports: readonly string[]): void {
    this.logger.warn('the control plane could not take the report of some ports', { ports });
    const delayMs = Math.min(RETRY.initialMs * 2 ** this.refusals, RETRY.maxMs);
    this.refusals += 1;
    this.jobs.after('report what was refused', delayMs, () => {
      for (const [portId, edges] of this.refused) this.queue.set(portId, edges);
      this.refused.clear();
      this.start();
    });
  }

  private refusal(): string | undefined {
    if (this.refused.size === 0) return undefined;
    return `the control plane could not take the report of ${[...this.refused.keys()].join(', ')}`;
  }

  private dequeue(portId: string, status: Status): void {
    const [first, ...rest] = this.queue.get(portId) ?? [];
    if (first !== status) return;
    if (rest.length > 0) {
      this.queue.set(portId, rest);
      return;
    }
    this.queue.delete(portId);
    for (const waiter of this.waiting) {
      if (!waiter.portIds.delete(portId) || waiter.portIds.size > 0) continue;
      this.waiting.delete(waiter);
      waiter.done();
    }
  }
}
