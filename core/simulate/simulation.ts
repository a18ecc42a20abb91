import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConfigurationRequest, loadConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import { isAtRest, type Reading, rates, readingOf, totals } from './consumption';
import { Fanouts, type FanoutTimes, percentile, type Spread } from './fanouts';
import type { Figures, SimulatedHost } from './messages';
import { NeutronPorts, type SimulatedNetwork } from './neutron-ports';
import type { Pace } from './pacing';
import { Processes } from './processes';

export interface SimulationOptions {
  readonly hosts: number;
  readonly processes: number;
  /** How agents are started, by all processes together. */
  readonly pace: Pace;
  /** Seconds between an agent's state reports; undefined: as it is configured. */
  readonly reportInterval: number | undefined;
  /** Seconds of rest that are measured. */
  readonly rest: number;
  readonly fanouts: number;
  /** Hosts that share a network. */
  readonly span: number;
  /** Hosts that get a port. */
  readonly ports: number;
  /** neutron-server's REST API; undefined: no ports, and no fanouts. */
  readonly neutron: string | undefined;
  readonly request: ConfigurationRequest;
}

export interface SimulationParts {
  readonly stock: Stock;
  readonly print: (text: string) => void;
}

/** How long nothing may come of it before it is given up: however many agents there are, the next one is there sooner. */
const STALLED_MS = 300_000;
const LINE_EVERY_MS = 10_000;
/** Counting takes processor time of the agents: not more often. */
const LOOK_EVERY_MS = 2_000;
/** After the last port came up the server goes on sending for a while. It is at rest when nothing came of its own accord for two such windows. */
const REST_WINDOW_MS = 5_000;
const REST_WINDOWS = 2;

/** Runs agents against the operator's own broker and server, and prints what that costs. Resolves when all have stopped. */
export async function simulate(options: SimulationOptions, parts: SimulationParts): Promise<void> {
  const simulation = new Simulation(options, parts);
  try {
    await simulation.run();
  } finally {
    await simulation.stop();
  }
}

class Simulation {
  private readonly hosts: readonly SimulatedHost[];
  private readonly processes: Processes;
  private fanouts: Fanouts | undefined;
  private failure: string | undefined;
  private readonly since = performance.now();

  constructor(
    private readonly options: SimulationOptions,
    private readonly parts: SimulationParts,
  ) {
    this.hosts = Array.from({ length: options.hosts }, (_, index) => ({
      name: `simulated-${String(index + 1).padStart(4, '0')}`,
      // RFC 6598: addresses that no underlay should have by accident.
      localIp: `100.64.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    }));
    this.processes = new Processes(options.processes, this.hosts);
    this.processes.onFailed = (reason) => {
      this.failure ??= reason;
    };
  }

  async run(): Promise<void> {
    const { options, parts } = this;
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-simulate-'));
    parts.print(`${options.hosts} agents in ${options.processes} processes; their logs are in ${folder}`);
    const { request, pace, reportInterval } = options;
    this.processes.start({ request, pace, reportInterval, folder });
    await this.until(`${options.hosts} agents are there`, options.hosts, ({ settled }) => settled);
    const networks = options.neutron === undefined ? [] : await this.plugPorts(options.neutron);
    await this.untilRest();
    await this.atRest();
    if (networks.length > 0 && options.fanouts > 0) await this.measureFanouts(networks);
  }

  async stop(): Promise<void> {
    await this.fanouts?.close();
    await this.processes.stop();
  }

  private async plugPorts(url: string): Promise<readonly SimulatedNetwork[]> {
    const neutron = new NeutronPorts(url);
    const before = await this.read();
    const made = [];
    const hosts = this.hosts.slice(0, this.options.ports);
    for (let from = 0; from < hosts.length; from += this.options.span) {
      made.push(await neutron.create(hosts.slice(from, from + this.options.span), made.length));
    }
    this.parts.print(`${hosts.length} ports made in ${made.length} networks: ${totals(before, await this.read())}`);
    this.processes.plug(made.flatMap(({ ports }) => ports));
    await this.until(`${hosts.length} ports are up`, hosts.length, ({ portsUp }) => portsUp);
    return made.map(({ network }) => network);
  }

  private async untilRest(): Promise<void> {
    const since = await this.read();
    let before = since;
    for (let windows = 0; windows < REST_WINDOWS; ) {
      await pause(REST_WINDOW_MS);
      const now = await this.read();
      windows = isAtRest(before, now) ? windows + 1 : 0;
      before = now;
      if (this.failure !== undefined) throw new Error(this.failure);
      if (now.atMs - since.atMs > STALLED_MS) {
        this.parts.print(`the server does not come to rest: what follows was measured beside its work`);
        return;
      }
    }
    this.parts.print(`the server is at rest: ${totals(since, before)}`);
  }

  private async atRest(): Promise<void> {
    if (this.options.rest === 0) return;
    const before = await this.read();
    await pause(this.options.rest * 1000);
    this.parts.print(`at rest: ${rates(before, await this.read())}`);
  }

  private async measureFanouts(networks: readonly SimulatedNetwork[]): Promise<void> {
    const { configuration } = loadConfiguration(this.options.request, this.parts.stock);
    const { transport_url = 'rabbit://', rabbit = {} } =
      configuration?.plugins.find(({ name }) => name === 'neutron')?.options ?? {};
    const transport = {
      transportUrl: String(transport_url),
      rabbit: rabbit as Readonly<Record<string, unknown>>,
    };
    const fanouts = new Fanouts(transport, this.options.hosts);
    this.fanouts = fanouts;
    this.processes.onMark = (mark) => fanouts.mark(mark);
    const before = await this.read();
    const times = await fanouts.measure(networks, this.options.fanouts);
    const span = Math.max(...networks.map(({ hosts }) => hosts.length));
    this.parts.print(fanoutLines(times, this.options, span));
    this.parts.print(`… which took ${totals(before, await this.read())}`);
  }

  /** Waits until so many are there, and prints how they come, and what it took. */
  private async until(what: string, wanted: number, counted: (figures: Figures) => number): Promise<void> {
    const first = await this.read();
    let lined = first;
    let most = { count: -1, at: performance.now() };
    for (;;) {
      const reading = await this.read();
      const count = counted(reading.figures);
      if (this.failure !== undefined) throw new Error(this.failure);
      if (count > most.count) most = { count, at: performance.now() };
      if (count >= wanted) {
        this.parts.print(`${what}: ${totals(first, reading)}`);
        return;
      }
      if (performance.now() - most.at > STALLED_MS) {
        throw new Error(`${count} of ${wanted}, and no more for ${STALLED_MS / 1000} s: not all ${what}`);
      }
      if (reading.atMs - lined.atMs > LINE_EVERY_MS) {
        this.line(lined, reading);
        lined = reading;
      }
      await pause(LOOK_EVERY_MS);
    }
  }

  private line(before: Reading, reading: Reading): void {
    const { started, settled, portsUp } = reading.figures;
    const elapsed = `${Math.round((performance.now() - this.since) / 1000)} s`;
    this.parts.print(
      `${elapsed}: ${started} started, ${settled} there, ${portsUp} ports up; ${rates(before, reading)}`,
    );
  }

  private async read(): Promise<Reading> {
    return readingOf(await this.processes.figures());
  }
}

function fanoutLines(
  { heard, applied, incomplete }: FanoutTimes,
  { hosts, fanouts }: SimulationOptions,
  span: number,
): string {
  const ms = (values: readonly number[]): string =>
    [0.5, 0.99].map((part) => `p${part * 100} ${percentile(values, part).toFixed(1)} ms`).join(', ');
  const spread = ({ each, last }: Spread): string => `an agent's ${ms(each)}; the last agent's ${ms(last)}`;
  const missing = incomplete === 0 ? '' : `, ${incomplete} of them incomplete`;
  return [
    `${fanouts} fanouts to ${hosts} agents${missing}`,
    `  heard by all ${hosts}: ${spread(heard)}`,
    `  flows acknowledged, ${span - 1} that have the network: ${spread(applied)}`,
  ].join('\n');
}
