import { OvsdbRpcError } from './errors';
import type { JsonRpcPeer } from './json-rpc';
import type { UpdateForm } from './replica';
import type { DatabaseSchema } from './schema';

/** The generations of `monitor`: ovsdb-server(7) sections 4.1.15 and 4.1.12, and RFC 7047 section 4.1.5. */
export type MonitorDialect = 'monitor_cond_since' | 'monitor_cond' | 'monitor';

const DIALECTS: readonly MonitorDialect[] = ['monitor_cond_since', 'monitor_cond', 'monitor'];

const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

/** What the server answered to the request for a copy. */
export interface MonitorReply {
  readonly form: UpdateForm;
  /** `everything`: the tables in full. `since`: only what happened after the transaction that was named. */
  readonly covers: 'everything' | 'since';
  readonly lastTransaction: string | undefined;
  readonly updates: unknown;
}

export interface MonitorRequest {
  readonly schema: DatabaseSchema;
  readonly columns: ReadonlyMap<string, readonly string[]>;
  /** The last transaction that the replica contains, where it can be continued. */
  readonly lastTransaction: string | undefined;
  readonly timeoutMs: number;
}

/** The name this client gives to its one monitor; update notifications bear it. */
export const MONITOR_ID = 'replica';

/**
 * Asks for a copy of the tables and for updates to it, in the newest dialect the server knows. `apply` runs before any
 * update notification is looked at.
 * @throws OvsdbError of the request that failed for another reason than that the server does not know the method.
 */
export async function startMonitor(
  peer: JsonRpcPeer,
  request: MonitorRequest,
  apply: (reply: MonitorReply, dialect: MonitorDialect) => void,
): Promise<void> {
  const tables = Object.fromEntries([...request.columns].map(([table, columns]) => [table, [{ columns }]]));
  let refusal: unknown;
  for (const dialect of DIALECTS) {
    const params = [request.schema.name, MONITOR_ID, dialect === 'monitor' ? plain(tables) : tables];
    if (dialect === 'monitor_cond_since') params.push(request.lastTransaction ?? NO_TRANSACTION);
    try {
      await peer.request(dialect, params, request.timeoutMs, (result) => apply(readReply(dialect, result), dialect));
      return;
    } catch (error) {
      if (!(error instanceof OvsdbRpcError) || error.error !== 'unknown method') throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** RFC 7047 has one request object for a table where the later dialects have an array. */
function plain(tables: Record<string, { columns: readonly string[] }[]>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tables).map(([table, [request]]) => [table, request]));
}

function readReply(dialect: MonitorDialect, result: unknown): MonitorReply {
  if (dialect !== 'monitor_cond_since') {
    const form = dialect === 'monitor' ? 'update' : 'update2';
    return { form, covers: 'everything', lastTransaction: undefined, updates: result };
  }
  const [found, lastTransaction, updates] = Array.isArray(result) ? result : [];
  return {
    form: 'update2',
    covers: found === true ? 'since' : 'everything',
    lastTransaction: continuable(lastTransaction),
    updates,
  };
}

/** A server that keeps no history says so with an id of zeros. */
function continuable(id: unknown): string | undefined {
  return typeof id === 'string' && id !== NO_TRANSACTION ? id : undefined;
}

/** An update notification of any dialect, or undefined where it is something else. */
export function readNotification(method: string, params: readonly unknown[]): Omit<MonitorReply, 'covers'> | undefined {
  if (params[0] !== MONITOR_ID) return undefined;
  switch (method) {
    case 'update':
      return { form: 'update', lastTransaction: undefined, updates: params[1] };
    case 'update2':
      return { form: 'update2', lastTransaction: undefined, updates: params[1] };
    case 'update3':
      return { form: 'update2', lastTransaction: continuable(params[1]), updates: params[2] };
    default:
      return undefined;
  }
}
