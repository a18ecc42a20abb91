import { setTimeout as pause } from 'node:timers/promises';
import { OpenFlowConnection } from '../../core/switch/openflow';

/** What one act changed on br-int: how many flows, and how long after it began the last of them did. */
export interface SettledChange {
  readonly ms: number;
  readonly flows: number;
}

/** An agent that changes nothing at all after an act has failed at it. */
const PATIENCE_MS = 180_000;

/** Sees every change of br-int's flows when the switch makes it, whoever asked for it. */
export class FlowChanges {
  private count = 0;
  private lastAt = 0;

  private constructor(
    private readonly connection: OpenFlowConnection,
    private readonly quietMs: number,
  ) {}

  /** `quietMs`: with no change for so long, what an act brought about is over. */
  static async watch(runDir: string, quietMs: number): Promise<FlowChanges> {
    const target = { kind: 'unix', path: `${runDir}/br-int.mgmt` } as const;
    const connection = await OpenFlowConnection.connect({ bridge: 'br-int', target });
    const changes = new FlowChanges(connection, quietMs);
    await connection.flowMonitor(({ event }) => {
      if (event !== 'added' && event !== 'removed' && event !== 'modified') return;
      changes.count += 1;
      changes.lastAt = performance.now();
    });
    return changes;
  }

  async settledBy(act: () => Promise<unknown>): Promise<SettledChange> {
    const [count, startedAt] = [this.count, performance.now()];
    await act();
    while (this.count === count || performance.now() - this.lastAt < this.quietMs) {
      if (performance.now() - startedAt > PATIENCE_MS) break;
      await pause(20);
    }
    if (this.count === count) throw new Error(`no flow changed in ${PATIENCE_MS} ms`);
    return { ms: this.lastAt - startedAt, flows: this.count - count };
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
