import { type FlowTableClient, OpenFlowConnectionError } from '../../../core/switch/openflow';
import type { FakeOvsdbServer } from '../../../core/switch/ovsdb/fake';

interface Mourners {
  /** At the first write that is not made. */
  died(): void;
  /** After each write that is made. */
  wrote(what: string): void;
}

/** Counts what an agent writes to the switch, and from a number of writes on lets no more through, as if the agent had been killed. */
export class Mortality {
  /** Since `dieAfter`. */
  writes = 0;
  private left = Number.POSITIVE_INFINITY;
  private isOver = false;

  constructor(private readonly mourners: Mourners) {}

  get isDead(): boolean {
    return this.isOver;
  }

  /** The agent is alive, and dies after that many writes from now. */
  dieAfter(writes: number): void {
    this.isOver = false;
    this.left = writes;
    this.writes = 0;
  }

  die(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.mourners.died();
  }

  /** Every write of an agent is under the lock; what a test does is not, and always comes through. */
  watchDatabase({ database }: FakeOvsdbServer): void {
    const transact = database.transact.bind(database);
    database.transact = (operations, ...rest) => {
      const isWrite = operations.some((operation) => (operation as { readonly op: string }).op === 'assert');
      if (isWrite && !this.survives()) return;
      transact(operations, ...rest);
      if (isWrite) this.mourners.wrote('a transaction');
    };
  }

  watchClient(client: FlowTableClient, bridge: string): FlowTableClient {
    for (const name of ['bundle', 'send'] as const) {
      const act = client[name].bind(client);
      client[name] = async (messages) => {
        if (messages.length > 0 && !this.survives()) throw new OpenFlowConnectionError('the agent is dead');
        await act(messages);
        if (messages.length > 0) this.mourners.wrote(`a ${name} on ${bridge}`);
      };
    }
    return client;
  }

  private survives(): boolean {
    if (this.left <= 0) this.die();
    if (this.isOver) return false;
    this.left -= 1;
    this.writes += 1;
    return true;
  }
}
