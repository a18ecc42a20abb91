import { type Command, InvalidArgumentError } from 'commander';
import type { SimulationParts } from '../../simulate/simulation';
import { configured, requestOf } from './configured';

// Loaded when they are asked for: an agent that starts has no use for them.
const simulation = (): typeof import('../../simulate/simulation') => require('../../simulate/simulation');
const simulationWorker = (): typeof import('../../simulate/worker') => require('../../simulate/worker');

interface SimulateOptions {
  readonly hosts: number;
  readonly processes?: number;
  readonly perSecond: number;
  readonly atOnce: number;
  readonly reportInterval?: number;
  readonly rest: number;
  readonly neutron?: string;
  readonly ports?: number;
  readonly span: number;
  readonly fanouts: number;
}

const SIMULATE_HELP = `
The configuration is that of one agent; each gets a host name (simulated-0001) and a local_ip of its own (100.64.0.0/10). Agents, networks and ports
that were made stay at the server: delete them there. It shows connections, queues, messages a second, processor time of the server and the broker
if they run on this machine, and how long a fanout takes to the flows of every agent.`;

/** @throws InvalidArgumentError for what is no whole number. */
function counted(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

/** `patchbay simulate`, and the command by which it starts its own processes. */
export function addSimulation(program: Command, parts: SimulationParts, ended: (status: number) => void): void {
  configured(
    program
      .command('simulate')
      .description(
        'Size a cloud: run many agents against your broker and server, each whole but for its switch, which is in memory',
      )
      .requiredOption('--hosts <number>', 'how many agents', counted)
      .option('--processes <number>', 'over how many processes they are spread; default: 400 agents in each', counted)
      .option('--per-second <number>', 'how many are started in a second at most', counted, 10)
      .option(
        '--at-once <number>',
        'how many may be starting, or wiring a port, at once: more wait for broker and server',
        counted,
        10,
      )
      .option('--report-interval <seconds>', 'between state reports; default: as it is configured', counted)
      .option('--rest <seconds>', 'for how long they are watched at rest', counted, 60)
      .option(
        '--neutron <url>',
        "neutron-server's REST API (OS_TOKEN has the token): hosts get a port each, and fanouts are measured",
      )
      .option('--ports <number>', 'how many hosts get a port; default: all', counted)
      .option('--span <number>', 'how many hosts share a network', counted, 20)
      .option('--fanouts <number>', 'how many fanouts are measured', counted, 100),
  )
    .addHelpText('after', SIMULATE_HELP)
    .action(async (options: SimulateOptions, command: Command) => {
      const processes = options.processes ?? Math.ceil(options.hosts / 400);
      const { hosts, perSecond, atOnce, reportInterval, rest, span, fanouts, neutron, ports = hosts } = options;
      const pace = { perSecond, atOnce };
      const request = requestOf(command);
      await simulation().simulate(
        { hosts, processes, pace, reportInterval, rest, span, fanouts, neutron, ports, request },
        parts,
      );
    });
  program.command('simulate-process', { hidden: true }).action(async () => {
    ended(await simulationWorker().runWorker(parts.stock));
  });
}
