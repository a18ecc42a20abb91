import { run } from '../support/bed-command';

export interface BrokerLoad {
  readonly queues: number;
  readonly connections: number;
}

/** What the broker holds now, for everybody. */
export async function brokerLoad(): Promise<BrokerLoad> {
  const rows = async (...words: readonly string[]) => {
    const report = await run(['rabbitmqctl', '--quiet', '--no-table-headers', ...words]);
    return report.split('\n').filter((line) => line.trim() !== '').length;
  };
  return { queues: await rows('list_queues', 'name'), connections: await rows('list_connections', 'pid') };
}

/** What came to it between two looks. */
export function added(before: BrokerLoad, after: BrokerLoad): BrokerLoad {
  return { queues: after.queues - before.queues, connections: after.connections - before.connections };
}
