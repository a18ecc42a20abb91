import { run } from './bed-command';
import type { Host } from './bed-host';

/** Runs rabbitmqctl in the bed. */
export const rabbitmqctl = (...words: readonly string[]): Promise<string> => run(['rabbitmqctl', '--quiet', ...words]);

/** Rows of a listing; in its text form, for JSON has process ids in a form that no command takes. */
async function list(what: string, ...columns: readonly string[]): Promise<readonly (readonly string[])[]> {
  const text = await rabbitmqctl('--no-table-headers', what, ...columns);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** What the broker has of one host. */
export interface HostAtBroker {
  /** Erlang process ids, as `rabbitmqctl close_connection` takes them. */
  readonly connections: readonly string[];
  /** Queues that its connections consume from. */
  readonly queues: readonly string[];
}

export async function atBroker(host: Host): Promise<HostAtBroker> {
  const connections = (await list('list_connections', 'pid', 'name'))
    .filter(([, name]) => name?.startsWith(`${host.management}:`))
    .map(([pid = '']) => pid);
  const channels = (await list('list_channels', 'pid', 'connection'))
    .filter(([, connection = '']) => connections.includes(connection))
    .map(([pid]) => pid);
  const consumers = await list('list_consumers', 'queue_name', 'channel_pid');
  const queues = consumers.filter(([, channel]) => channels.includes(channel)).map(([queue = '']) => queue);
  return { connections, queues: [...new Set(queues)].sort() };
}

export const queueNames = async (): Promise<readonly string[]> =>
  (await list('list_queues', 'name')).map(([name = '']) => name).sort();
