import type { AmqpChannel, AmqpConnection } from './amqp';
import { describe } from './errors';
import { type Exchange, NOT_FOUND, openChannel, replyCode } from './topology';

/** How often exchanges are looked at, and how long one has no guard before it is given one; in milliseconds. */
export interface LookTimes {
  readonly everyMs: number;
  readonly guardAfterMs: number;
}

/**
 * Before a guard is made again every agent has looked several times and seen that there is none, or its connection was lost by its
 * heartbeats (60 s unless configured), after which it asks for everything anyway.
 */
export const LOOK_TIMES: LookTimes = { everyMs: 60_000, guardAfterMs: 300_000 };

/**
 * The guard of an exchange: one of ours, the same for all agents, that is bound to it and to nothing else. RabbitMQ deletes it with its
 * last binding, which goes with the exchange: by its absence everybody sees that the exchange was deleted, though somebody made it again.
 */
export function guardOf(exchange: Pick<Exchange, 'name'>): Exchange {
  return { name: `patchbay_guard_${exchange.name}`, type: 'fanout', options: { durable: false, autoDelete: true } };
}

/** What a look at exchanges found. */
export interface Findings {
  /** Were deleted since the last look, whether or not they are there again. */
  readonly deleted: readonly string[];
  /** Are guarded from now on, and were not before: what became of them until now is not known. */
  readonly guarded: readonly string[];
  /** The broker permits no guard of them, and why. */
  readonly refused: readonly { readonly exchange: string; readonly reason: string }[];
}

/** Watches over exchanges by their guards. See docs/adr/guarded-exchanges.md for why nobody makes a missing guard at once. */
export class ExchangeGuards {
  /** By the exchange's name: its guard was there at the last look, or since when it was not, by the monotonic clock. */
  private readonly seen = new Map<string, 'guarded' | number>();

  constructor(private readonly guardAfterMs: number) {}

  /** The exchanges must be there; one that is deleted meanwhile is found at the next look. */
  async look(attempts: Attempts, exchanges: Iterable<Exchange>): Promise<Findings> {
    const [deleted, guarded]: [string[], string[]] = [[], []];
    const refused: { exchange: string; reason: string }[] = [];
    for (const exchange of exchanges) {
      const before = this.seen.get(exchange.name);
      const outcome = await this.outcome(attempts, exchange, before).catch((reason: unknown) => {
        if (replyCode(reason) === undefined) throw reason;
        refused.push({ exchange: exchange.name, reason: describe(reason) });
        return undefined;
      });
      if (outcome === undefined) continue;
      this.seen.set(exchange.name, outcome);
      if (before === 'guarded' && outcome !== 'guarded') deleted.push(exchange.name);
      if (typeof before === 'number' && outcome === 'guarded') guarded.push(exchange.name);
    }
    return { deleted, guarded, refused };
  }

  forget({ name }: Exchange): void {
    this.seen.delete(name);
  }

  private async outcome(
    attempts: Attempts,
    exchange: Exchange,
    before: 'guarded' | number | undefined,
  ): Promise<'guarded' | number> {
    const guard = guardOf(exchange);
    // That it was bound is known of one that is there still, and to look costs the broker a third of what binding does.
    if (before === 'guarded' && (await attempts.isFound((channel) => channel.checkExchange(guard.name)))) return before;
    const bind = (channel: AmqpChannel) => channel.bindExchange(exchange.name, guard.name, '');
    if (await attempts.isFound(bind)) return 'guarded';
    const now = performance.now();
    const since = typeof before === 'number' ? before : now;
    if (now - since < this.guardAfterMs) return since;
    await attempts.isFound((channel) => channel.assertExchange(guard.name, guard.type, guard.options));
    return (await attempts.isFound(bind)) ? 'guarded' : since;
  }
}

/** Operations that the broker may refuse, one after the other: a refusal closes the channel, and the next one has another. */
export class Attempts {
  private channel: AmqpChannel | undefined;

  constructor(private readonly connection: AmqpConnection) {}

  /** False where the broker has no such queue or exchange; rejects for any other refusal. */
  async isFound(operation: (channel: AmqpChannel) => Promise<unknown>): Promise<boolean> {
    this.channel ??= await openChannel(this.connection);
    try {
      await operation(this.channel);
      return true;
    } catch (reason) {
      this.channel = undefined;
      if (replyCode(reason) === NOT_FOUND) return false;
      throw reason;
    }
  }

  async close(): Promise<void> {
    await this.channel?.close();
  }
}
