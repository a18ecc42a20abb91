import type { AmqpConnection } from './amqp';
import { describe } from './errors';
import { NOT_FOUND, onOwnChannel, PRECONDITION_FAILED, replyCode } from './topology';

export interface DeletionReport {
  readonly deleted: readonly string[];
  readonly absent: readonly string[];
  /** Somebody consumes them. */
  readonly inUse: readonly string[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Deletes each queue that nobody consumes. Each on a channel of its own, because a refusal closes the channel. Rejects when the
 * connection is lost, for that is the broker's word on no queue.
 */
export async function deleteIfUnused(connection: AmqpConnection, names: readonly string[]): Promise<DeletionReport> {
  const deleted: string[] = [];
  const absent: string[] = [];
  const inUse: string[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      // RabbitMQ deletes a missing queue without complaint, so its presence is asked first.
      await onOwnChannel(connection, async (channel) => {
        await channel.checkQueue(name);
        await channel.deleteQueue(name, { ifUnused: true });
      });
      deleted.push(name);
    } catch (reason) {
      const code = replyCode(reason);
      if (code === undefined) throw reason;
      if (code === NOT_FOUND) absent.push(name);
      else if (code === PRECONDITION_FAILED) inUse.push(name);
      else refused.push({ name, reason: describe(reason) });
    }
  }
  return { deleted, absent, inUse, refused };
}
