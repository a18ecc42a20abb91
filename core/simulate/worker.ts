import { mkdirSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import type { Figures, FromWorker, Mark, Noted, SimulatedPort, ToWorker } from './messages';
import { monotonicMs } from './messages';
import { Pacing } from './pacing';
import { SimulatedAgent } from './simulated-agent';

/** How often marks are handed on, in milliseconds; each holds the time at which it was made. */
const TELL_MARKS_MS = 100;
/** How often one that is on its way is asked whether it has arrived, in milliseconds. */
const LOOK_EVERY_MS = 200;

/** One process of a simulation: runs its agents until it is told to stop. */
export async function runWorker(stock: Stock): Promise<number> {
  const agents = new Map<string, SimulatedAgent>();
  let settled = 0;
  let marks: Mark[] = [];
  let isStopping = false;
  const say = (message: FromWorker): void => void process.send?.(message);

  let pacing: Pacing | undefined;

  /** As agents start: no more ports at once than the server keeps up with. */
  const plug = async (ports: readonly SimulatedPort[]): Promise<void> => {
    for (const port of ports) {
      const agent = agents.get(port.host);
      if (agent === undefined) continue;
      await pacing?.turn();
      if (isStopping) return;
      agent.plug(port);
      void until(() => agent.hasPortsUp()).then(() => pacing?.arrived());
    }
  };

  const begin = async (start: Extract<ToWorker, { kind: 'start' }>): Promise<void> => {
    const { request, hosts, folder, reportInterval } = start;
    haveAddresses(hosts.map(({ localIp }) => localIp));
    const loaded = loadConfiguration(request, stock);
    const { configuration, problems } = loaded;
    const [problem] = problems;
    if (configuration === undefined || problem !== undefined) throw problem ?? new Error('there is no configuration');
    mkdirSync(folder, { recursive: true });
    const starting = new Pacing(start.pace);
    pacing = starting;
    for (const simulated of hosts) {
      await starting.turn();
      if (isStopping) return;
      const noted = (macAddress: string, what: Noted): void =>
        void marks.push({ host: simulated.name, macAddress, what, at: monotonicMs() });
      const own = { folder, reportInterval };
      const agent = new SimulatedAgent(simulated, { ...loaded, configuration }, stock, own, noted);
      agents.set(simulated.name, agent);
      await agent.start();
      void until(() => agent.isSettled()).then(() => {
        settled += 1;
        starting.arrived();
      });
    }
  };

  return new Promise((resolve) => {
    const telling = setInterval(() => {
      if (marks.length > 0) say({ kind: 'marks', marks });
      marks = [];
    }, TELL_MARKS_MS);
    const stop = async (): Promise<void> => {
      if (isStopping) return;
      isStopping = true;
      clearInterval(telling);
      await Promise.allSettled([...agents.values()].map((agent) => agent.stop()));
      if (process.connected) process.disconnect();
      resolve(0);
    };
    const failed = (error: Error): void => say({ kind: 'failed', reason: error.message });
    process.on('disconnect', () => void stop());
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'stop') void stop();
      else if (message.kind === 'plug') plug(message.ports).catch(failed);
      else if (message.kind === 'start') begin(message).catch(failed);
      else {
        const { question } = message;
        figuresOf([...agents.values()], settled).then((figures) => say({ kind: 'figures', question, figures }), failed);
      }
    });
  });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(LOOK_EVERY_MS);
}

async function figuresOf(agents: readonly SimulatedAgent[], settled: number): Promise<Figures> {
  const reports = await Promise.all(agents.map((agent) => agent.host.reports.status()));
  const sum = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const { user, system } = process.cpuUsage();
  return {
    started: agents.length,
    settled,
    portsUp: sum(({ ports }) => ports.up ?? 0),
    connections: sum(({ rpc }) => rpc?.connections ?? 0),
    queues: sum(({ rpc }) => rpc?.queues ?? 0),
    received: sum(({ rpc }) => rpc?.received ?? 0),
    sent: sum(({ rpc }) => rpc?.sent ?? 0),
    cpuMs: (user + system) / 1000,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

/** An agent checks that its tunnel endpoint is an address of its host; of this process's hosts, each has one of these. */
function haveAddresses(addresses: readonly string[]): void {
  const real = os.networkInterfaces;
  const simulated = addresses.map((address) => ({
    address,
    netmask: '255.255.255.255',
    family: 'IPv4' as const,
    mac: '00:00:00:00:00:00',
    internal: false,
    cidr: `${address}/32`,
  }));
  os.networkInterfaces = () => ({ ...real(), simulated });
}
