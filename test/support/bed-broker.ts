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

export const atBroker = (host: Host): Promise<HostAtBroker> => heldBy((peer) => peer.startsWith(`${host.management}:`));

/** What the broker has of connections that are called so by who opened them (`connection_name`). */
export const ofNamed = (start: string): Promise<HostAtBroker> =>
  heldBy((_peer, properties) => properties.includes(`{"connection_name","${start}`));

/** `peer` is `ADDRESS:PORT -> ADDRESS:PORT`, `properties` what the client says of itself, in Erlang's form. */
async function heldBy(isTheirs: (peer: string, properties: string) => boolean): Promise<HostAtBroker> {
  const [allConnections, allChannels, consumers] = await Promise.all([
    list('list_connections', 'pid', 'name', 'client_properties'),
    list('list_channels', 'pid', 'connection'),
    list('list_consumers', 'queue_name', 'channel_pid'),
  ]);
  const connections = allConnections
    .filter(([, peer = '', properties = '']) => isTheirs(peer, properties))
    .map(([pid = '']) => pid);
  const channels = allChannels.filter(([, connection = '']) => connections.includes(connection)).map(([pid]) => pid);
  const queues = consumers.filter(([, channel]) => channels.includes(channel)).map(([queue = '']) => queue);
  return { connections, queues: [...new Set(queues)].sort() };
}

export const queueNames = async (): Promise<readonly string[]> =>
  (await list('list_queues', 'name')).map(([name = '']) => name).sort();
