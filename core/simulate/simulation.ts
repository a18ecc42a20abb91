import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConfigurationRequest, loadConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import { Fanouts, type FanoutTimes, percentile } from './fanouts';
import type { SimulatedHost } from './messages';
import { NeutronPorts, type SimulatedNetwork } from './neutron-ports';
import { Processes } from './processes';
import { processorMs } from './processor-time';

export interface SimulationOptions {
  readonly hosts: number;
  readonly processes: number;
  /** Agents started in a second, by all processes together. */
  readonly perSecond: number;
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

/** How long agents, and then ports, may take to be there. */
const PATIENCE_MS = 1_800_000;
const LINE_EVERY_MS = 10_000;

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
  private before = { at: performance.now(), received: 0, server: 0, broker: 0 };

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
    const { options } = this;
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-simulate-'));
    this.parts.print(`${options.hosts} agents in ${options.processes} processes; their logs are in ${folder}`);
    this.processes.start({ request: options.request, perSecond: options.perSecond, folder });
    await this.until('synchronised', () => this.processes.figures().synced === options.hosts);
    this.parts.print(`all synchronised after ${seconds(performance.now() - this.since)}`);
    const networks = options.neutron === undefined ? [] : await this.plugPorts(options.neutron);
    await this.atRest();
    if (networks.length > 0 && options.fanouts > 0) await this.measureFanouts(networks);
  }

  async stop(): Promise<void> {
    await this.fanouts?.close();
    await this.processes.stop();
  }

  private async plugPorts(url: string): Promise<readonly SimulatedNetwork[]> {
    const neutron = new NeutronPorts(url);
    const since = performance.now();
    const made = [];
    const hosts = this.hosts.slice(0, this.options.ports);
    for (let from = 0; from < hosts.length; from += this.options.span) {
      made.push(await neutron.create(hosts.slice(from, from + this.options.span), made.length));
      this.line();
    }
    this.parts.print(`${hosts.length} ports made in ${made.length} networks in ${seconds(performance.now() - since)}`);
    const plugged = performance.now();
    this.processes.plug(made.flatMap(({ ports }) => ports));
    await this.until('ports up', () => this.processes.figures().portsUp >= hosts.length);
    this.parts.print(`all ports up after ${seconds(performance.now() - plugged)}`);
    return made.map(({ network }) => network);
  }

  private async atRest(): Promise<void> {
    if (this.options.rest === 0) return;
    await pause(10_000);
    this.look();
    await pause(this.options.rest * 1000);
    this.parts.print(`at rest: ${this.look()}`);
  }

  private async measureFanouts(networks: readonly SimulatedNetwork[]): Promise<void> {
    const { configuration } = loadConfiguration(this.options.request, this.parts.stock);
    const { transport_url = 'rabbit://', rabbit = {} } =
      configuration?.plugins.find(({ name }) => name === 'neutron')?.options ?? {};
    const fanouts = new Fanouts({
      transportUrl: String(transport_url),
      rabbit: rabbit as Readonly<Record<string, unknown>>,
    });
    this.fanouts = fanouts;
    this.processes.onMark = (mark) => fanouts.mark(mark);
    const times = await fanouts.measure(networks, this.options.fanouts);
    this.parts.print(fanoutLine(times, this.options.hosts, this.options.span));
  }

  private async until(what: string, done: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    let next = performance.now() + LINE_EVERY_MS;
    while (!done()) {
      if (this.failure !== undefined) throw new Error(this.failure);
      if (performance.now() > deadline) throw new Error(`not all ${what} in time`);
      if (performance.now() > next) {
        next = performance.now() + LINE_EVERY_MS;
        this.line();
      }
      await pause(100);
    }
  }

  private line(): void {
    const { started, synced, portsUp } = this.processes.figures();
    const elapsed = seconds(performance.now() - this.since);
    this.parts.print(`${elapsed}: ${started} started, ${synced} synchronised, ${portsUp} ports up; ${this.look()}`);
  }

  /** What there is, and what went on since the last look. */
  private look(): string {
    const { connections, queues, received, rssMiB } = this.processes.figures();
    const now = {
      at: performance.now(),
      received,
      server: processorMs('neutron-server'),
      broker: processorMs('rabbit'),
    };
    const elapsed = Math.max(1, now.at - this.before.at);
    const perSecond = ((received - this.before.received) / elapsed) * 1000;
    const share = (of: 'server' | 'broker') => `${Math.round(((now[of] - this.before[of]) / elapsed) * 100)} %`;
    const line = `${connections} connections, ${queues} queues, ${Math.round(perSecond)} messages/s to agents, server CPU ${share('server')}, broker CPU ${share('broker')}, agents' memory ${Math.round(rssMiB)} MiB`;
    this.before = now;
    return line;
  }
}

function fanoutLine({ each, last, incomplete }: FanoutTimes, hosts: number, span: number): string {
  const ms = (values: readonly number[], part: number) => `${percentile(values, part).toFixed(1)} ms`;
  return [
    `fanouts to ${hosts} agents, ${span} of which have the network:`,
    `an agent's flows acknowledged p50 ${ms(each, 0.5)}, p99 ${ms(each, 0.99)};`,
    `the last agent's p50 ${ms(last, 0.5)}, p99 ${ms(last, 0.99)}`,
    `(${last.length} fanouts${incomplete === 0 ? '' : `, ${incomplete} more incomplete`})`,
  ].join(' ');
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
