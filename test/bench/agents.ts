import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bed, Host, Running } from '../support/bed';
import { untilReady } from '../support/bed-agent';
import type { StandInServer } from '../support/stand-in-server';
import { added, type BrokerLoad, brokerLoad } from './broker';
import { standInWithPorts, untilReportedUp } from './stand-in-world';
import { type Usage, usageBeside } from './usage';
import { type BenchPort, WatchedSwitch, type Wiring } from './watched-switch';

export type AgentName = 'patchbay' | 'reference';

/** What one agent took for the same tasks. Times in milliseconds. */
export interface AgentFigures {
  readonly broker: BrokerLoad;
  readonly idle: Usage;
  /** Share of one processor, in percent. */
  readonly idleCpu: number;
  readonly singles: readonly Span[];
  readonly together: Span & { readonly cpuMs: number };
  readonly loaded: Usage;
  readonly restart: {
    readonly syncedMs: number;
    readonly cpuMs: number;
    readonly flows: number;
    readonly flowChanges: number;
  };
}

/** From plugged: to the ofport, which is the switch's doing, and to wired. */
export interface Span {
  readonly ofportMs: number;
  readonly wiredMs: number;
}

export interface Scale {
  readonly singles: number;
  readonly together: number;
  readonly idleSeconds: number;
  /** The longest pause between two single ports: a poll's whole period, so that samples fall anywhere in it. */
  readonly pauseMs: number;
}

/** The firewall of both agents: `openvswitch` or `noop`. */
export const FIREWALL = process.env.PATCHBAY_BENCH_FIREWALL ?? 'openvswitch';
const INI = { securitygroup: { firewall_driver: FIREWALL } };

/** Time for what an agent does after it is ready: its first reports, garbage collection. */
const REST_MS = 3_000;

/** After the start both agents' runtimes go on compiling and collecting for some seconds: no idleness yet. */
const AFTER_START_MS = 12_000;

/** One agent on a fresh host beside the stand-in server, from its first start to a restart with ports. */
export async function measureAgent(name: AgentName, bed: Bed, scale: Scale): Promise<AgentFigures> {
  await bed.reset();
  const host = bed.host(1);
  const hostProcess = Number(readFileSync(join(host.folder, 'pid'), 'utf8'));
  const usage = (): Usage => usageBeside(hostProcess);
  const { server, ports } = await standInWithPorts(host.name, scale.singles + scale.together);
  const before = await brokerLoad();
  const running = await startAgent(name, host, INI);
  const watched = await WatchedSwitch.open({
    runDir: `/proc/${hostProcess}/root/run/openvswitch`,
    interfaceType: 'internal',
  });
  try {
    await pause(AFTER_START_MS);
    const broker = added(before, await brokerLoad());
    const idleCpu = await idleShare(usage, scale.idleSeconds);
    const idle = usage();
    const lone = ports.slice(0, scale.singles);
    const singles: Span[] = [];
    for (const port of lone) {
      await pause(Math.random() * scale.pauseMs);
      singles.push(...(await plugged(watched, server, [port])));
    }
    await watched.unplug(lone);
    await pause(REST_MS);
    const crowd = ports.slice(scale.singles);
    const cpuBefore = usage().cpuMs;
    const spans = await plugged(watched, server, crowd);
    const together = {
      ofportMs: Math.max(...spans.map(({ ofportMs }) => ofportMs)),
      wiredMs: Math.max(...spans.map(({ wiredMs }) => wiredMs)),
      cpuMs: usage().cpuMs - cpuBefore,
    };
    await pause(REST_MS);
    const loaded = usage();
    await running.stop();
    const restart = await restarted(name, host, watched, server, crowd, usage);
    return { broker, idle, idleCpu, singles, together, loaded, restart };
  } finally {
    await watched.close();
    await host.stopPrograms();
    await server.close();
  }
}

/** Starts an agent as the host's, and waits until it is up. `environment` is Patchbay's alone. */
export async function startAgent(
  name: AgentName,
  host: Host,
  ini: NonNullable<Parameters<Host['startReferenceAgent']>[0]>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  if (name === 'patchbay') {
    const running = host.startPatchbay({ ini, environment });
    await untilReady(host);
    return running;
  }
  const running = host.startReferenceAgent(ini);
  await running.untilLogged(/Agent initialized successfully, now running/, { timeoutMs: 60_000 });
  return running;
}

async function idleShare(usage: () => Usage, seconds: number): Promise<number> {
  const before = usage().cpuMs;
  await pause(seconds * 1000);
  return ((usage().cpuMs - before) / (seconds * 1000)) * 100;
}

/** Plugs the ports together and waits until they are wired and reported. */
async function plugged(
  watched: WatchedSwitch,
  server: StandInServer,
  ports: readonly BenchPort[],
): Promise<readonly Span[]> {
  const since = performance.now();
  const wirings = await watched.plug(ports);
  await untilReportedUp(server, ports, since);
  return wirings.map(({ pluggedAt, ofportAt, wiredAt }: Wiring) => ({
    ofportMs: ofportAt - pluggedAt,
    wiredMs: wiredAt - pluggedAt,
  }));
}

async function restarted(
  name: AgentName,
  host: Host,
  watched: WatchedSwitch,
  server: StandInServer,
  ports: readonly BenchPort[],
  usage: () => Usage,
): Promise<AgentFigures['restart']> {
  const changes = await watched.countFlowChanges();
  const since = performance.now();
  const starting = startAgent(name, host, INI);
  await untilReportedUp(server, ports, since);
  const syncedMs = performance.now() - since;
  await starting;
  await pause(REST_MS);
  return { syncedMs, cpuMs: usage().cpuMs, flows: await watched.flowCount(), flowChanges: await changes() };
}
