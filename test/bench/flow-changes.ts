import { setTimeout as pause } from 'node:timers/promises';
import { OpenFlowConnection } from '../../core/switch/openflow';

/** What one act changed on a bridge: how many flows, and how long after it began the last of them did. */
export interface SettledChange {
  readonly ms: number;
  readonly flows: number;
  /** Flows went on changing for as long as was waited: the time is too short. */
  readonly unsettled?: boolean;
}

/** An agent that changes nothing at all after an act has failed at it. */
const PATIENCE_MS = 180_000;

export interface Settling {
  /** Beyond quiet: what must have come about. */
  readonly isDone?: () => Promise<boolean>;
  readonly patienceMs?: number;
}

/** Sees every change of a bridge's flows when the switch makes it, whoever asked for it. */
export class FlowChanges {
  private count = 0;
  private lastAt = 0;

  private constructor(
    private readonly connection: OpenFlowConnection,
    private readonly quietMs: number,
  ) {}

  /** `quietMs`: with no change for so long, what an act brought about is over. */
  static async watch(runDir: string, quietMs: number, bridge = 'br-int'): Promise<FlowChanges> {
    const target = { kind: 'unix', path: `${runDir}/${bridge}.mgmt` } as const;
    const connection = await OpenFlowConnection.connect({ bridge, target });
    const changes = new FlowChanges(connection, quietMs);
    await connection.flowMonitor(({ event }) => {
      if (event !== 'added' && event !== 'removed' && event !== 'modified') return;
      changes.count += 1;
      changes.lastAt = performance.now();
    });
    return changes;
  }

  /** Changes since it began to watch. */
  get total(): number {
    return this.count;
  }

  async settledBy(act: () => Promise<unknown>, settling: Settling = {}): Promise<SettledChange> {
    const { isDone = async () => true, patienceMs = PATIENCE_MS } = settling;
    const [count, startedAt] = [this.count, performance.now()];
    await act();
    const isQuiet = () => this.count !== count && performance.now() - this.lastAt >= this.quietMs;
    while (!isQuiet() || !(await isDone())) {
      if (performance.now() - startedAt > patienceMs) break;
      await pause(20);
    }
    if (this.count === count) throw new Error(`no flow changed in ${patienceMs} ms`);
    if (!(await isDone())) throw new Error(`it is not done after ${patienceMs} ms: ${this.count - count} changes`);
    return { ms: this.lastAt - startedAt, flows: this.count - count, unsettled: !isQuiet() };
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
