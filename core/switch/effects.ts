import {
  type Action,
  type ConntrackTuple,
  type Effects,
  LEARNED_COOKIE,
  type LearnedFlows,
  type Logger,
} from '@patchbay/sdk';
import type { Conntrack } from './conntrack/conntrack';
import { switchErrors } from './errors';
import type { OpenFlowConnection } from './openflow';
import { type FlowTableClient, type InstalledFlow, OpenFlowError } from './openflow';
import { FlowResolver } from './planner/resolve';
import { portNumber, type Rows } from './planner/rows';

/** A connection that can also flush conntrack; fakes may lack it. */
type Flushing = FlowTableClient & Partial<Pick<OpenFlowConnection, 'flushConntrack' | 'flushConntrackZone'>>;

interface EffectSources {
  readonly rows: Rows;
  readonly connectionTo: (bridge: string) => FlowTableClient | undefined;
  /** Any bridge will do for what concerns the whole datapath. */
  readonly integrationBridge: string;
  readonly version: () => string;
  /** Resolves when everything stated before the call is acknowledged, or it is known why not. */
  readonly stated: () => Promise<unknown>;
  /** Why nothing may be done now, or undefined. */
  readonly held: () => string | undefined;
  /** For an Open vSwitch whose OpenFlow cannot flush. */
  readonly conntrack: Pick<Conntrack, 'flush'>;
  readonly logger: Logger;
}

const PROTOCOL_OF_PORTS = new Set([6, 17, 132]);

/** Acts that are not state, each logged with the plugin that did it: once it is done where it may fail. */
export function effectsFor(plugin: string, sources: EffectSources): Effects {
  const clientOf = (bridge: string): Flushing => {
    const reason = sources.held();
    if (reason !== undefined) throw switchErrors.held({ reason });
    const client = sources.connectionTo(bridge);
    if (client === undefined) throw switchErrors.noBridge({ bridge });
    return client;
  };
  return {
    async packetOut({ bridge, inPort, actions, bytes }) {
      const client = clientOf(bridge);
      // As many as a plugin answers: not what an operator's log is for.
      sources.logger.debug('packet sent out', { plugin, bridge, bytes: bytes.length });
      const port = inPort === undefined ? {} : { inPort: inPortOf(sources.rows, bridge, inPort) };
      await client.packetOut({ ...port, actions: resolved(sources.rows, bridge, actions), frame: Buffer.from(bytes) });
    },
    async deleteLearned(learned) {
      // The port may be gone by the time that what was stated is acknowledged.
      const outPort = outPortOf(sources.rows, learned);
      if (learned.when === 'settled') await sources.stated();
      const { bridge, table, match } = learned;
      if (sources.rows.bridge(bridge) === undefined || outPort === 'absent') return;
      sources.logger.info('learned flows deleted', { plugin, bridge, table, match, outPort });
      const client = clientOf(bridge);
      const filter = {
        cookie: LEARNED_COOKIE,
        ...(table === undefined ? {} : { table }),
        ...(match === undefined ? {} : { match }),
      };
      if (outPort === undefined) return client.send([{ kind: 'flow', command: 'delete', filter }]);
      const flows = (await client.dumpFlows(filter)).filter((flow) => sendsTo(flow, outPort));
      await client.send(flows.map((installed) => ({ kind: 'flow', command: 'delete_installed', installed })));
    },
    async flushConntrack(zone, tuple) {
      const client = clientOf(sources.integrationBridge);
      try {
        await flush(client, zone, tuple, sources.version());
      } catch (error) {
        if (!(error instanceof OpenFlowError)) throw error;
        sources.logger.info('this Open vSwitch cannot flush over OpenFlow; its control socket is asked', {
          plugin,
          zone,
        });
        await sources.conntrack.flush(zone, tuple).catch((second: unknown) => {
          throw switchErrors.noFlush({ version: sources.version() }, second);
        });
      }
      sources.logger.info('connections flushed', { plugin, zone, ...tuple });
    },
  };
}

async function flush(
  client: Flushing,
  zone: number,
  tuple: ConntrackTuple | undefined,
  version: string,
): Promise<void> {
  if (tuple === undefined) {
    if (client.flushConntrackZone === undefined) throw switchErrors.noFlush({ version });
    return client.flushConntrackZone(zone);
  }
  if (client.flushConntrack === undefined) throw switchErrors.noFlush({ version });
  const { source, destination, sourcePort, destinationPort, protocol } = tuple;
  const ports = protocol !== undefined && PROTOCOL_OF_PORTS.has(protocol);
  await client.flushConntrack({
    zone,
    ...(protocol === undefined ? {} : { protocol }),
    original: {
      ...(source === undefined ? {} : { source }),
      ...(destination === undefined ? {} : { destination }),
      ...(ports && sourcePort !== undefined ? { sourcePort } : {}),
      ...(ports && destinationPort !== undefined ? { destinationPort } : {}),
    },
  });
}

function outPortOf(rows: Rows, { bridge, outPort }: LearnedFlows): number | 'absent' | undefined {
  if (outPort === undefined || typeof outPort === 'number') return outPort;
  const found = portNumber(rows, bridge, typeof outPort === 'object' ? outPort.port : outPort);
  return 'number' in found ? found.number : 'absent';
}

function sendsTo(flow: InstalledFlow, port: number): boolean {
  return flow.decode().actions.some((action) => action.type === 'output' && action.port === port);
}

function inPortOf(
  rows: Rows,
  bridge: string,
  port: Parameters<Effects['packetOut']>[0]['inPort'],
): number | 'CONTROLLER' | 'LOCAL' {
  if (typeof port === 'number' || port === 'CONTROLLER' || port === 'LOCAL') return port;
  const name = typeof port === 'object' ? port.port : String(port);
  const found = portNumber(rows, bridge, name);
  if ('number' in found) return found.number;
  throw switchErrors.noPort({ port: name, bridge });
}

function resolved(rows: Rows, bridge: string, actions: readonly Action[]): readonly Action[] {
  const resolver = new FlowResolver((_bridge, port) => {
    const found = portNumber(rows, bridge, port);
    if ('number' in found) return found.number;
    throw switchErrors.noPort({ port, bridge });
  });
  return resolver.flow({ bridge, table: 0, priority: 0, match: {}, actions })?.actions ?? actions;
}
