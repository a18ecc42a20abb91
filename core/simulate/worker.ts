import { mkdirSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfiguration } from '../host/configuration';
import type { Stock } from '../host/host';
import type { Figures, FromWorker, Mark, ToWorker } from './messages';
import { monotonicMs } from './messages';
import { SimulatedAgent } from './simulated-agent';

/** One process of a simulation: runs its agents until it is told to stop. */
export async function runWorker(stock: Stock): Promise<number> {
  const agents = new Map<string, SimulatedAgent>();
  let started = 0;
  let marks: Mark[] = [];
  const say = (message: FromWorker): void => void process.send?.(message);

  const begin = async ({ request, hosts, perSecond, folder }: Extract<ToWorker, { kind: 'start' }>): Promise<void> => {
    haveAddresses(hosts.map(({ localIp }) => localIp));
    const loaded = loadConfiguration(request, stock);
    const { configuration, problems } = loaded;
    const [problem] = problems;
    if (configuration === undefined || problem !== undefined) throw problem ?? new Error('there is no configuration');
    mkdirSync(folder, { recursive: true });
    for (const simulated of hosts) {
      const since = monotonicMs();
      const marked = (macAddress: string): void =>
        void marks.push({ host: simulated.name, macAddress, at: monotonicMs() });
      const agent = new SimulatedAgent(simulated, { ...loaded, configuration }, stock, folder, marked);
      agents.set(simulated.name, agent);
      await agent.start();
      started += 1;
      await pause(Math.max(0, 1000 / perSecond - (monotonicMs() - since)));
    }
  };

  return new Promise((resolve) => {
    const reporting = setInterval(() => {
      void figuresOf([...agents.values()], started).then((figures) => say({ kind: 'figures', figures }));
    }, 1_000);
    const telling = setInterval(() => {
      if (marks.length > 0) say({ kind: 'marks', marks });
      marks = [];
    }, 100);
    const stop = async (): Promise<void> => {
      clearInterval(reporting);
      clearInterval(telling);
      await Promise.allSettled([...agents.values()].map((agent) => agent.stop()));
      process.disconnect?.();
      resolve(0);
    };
    process.on('disconnect', () => void stop());
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'stop') void stop();
      else if (message.kind === 'plug') for (const port of message.ports) agents.get(port.host)?.plug(port);
      else begin(message).catch((error: Error) => say({ kind: 'failed', reason: error.message }));
    });
  });
}

async function figuresOf(agents: readonly SimulatedAgent[], started: number): Promise<Figures> {
  const reports = await Promise.all(agents.slice(0, started).map((agent) => agent.host.status()));
  const sum = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    started,
    synced: agents.filter(({ isSynced }) => isSynced).length,
    portsUp: sum(({ ports }) => ports.up ?? 0),
    connections: sum(({ rpc }) => rpc?.connections ?? 0),
    queues: sum(({ rpc }) => rpc?.queues ?? 0),
    received: sum(({ rpc }) => rpc?.received ?? 0),
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
