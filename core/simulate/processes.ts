import { type ChildProcess, fork } from 'node:child_process';
import type { Figures, FromWorker, Mark, SimulatedHost, SimulatedPort, ToWorker } from './messages';

type Start = Extract<ToWorker, { kind: 'start' }>;

/** The processes of a simulation. Hosts are dealt out in turn. */
export class Processes {
  private readonly children: ChildProcess[];
  private readonly hostsOf: SimulatedHost[][];
  private readonly latest = new Map<ChildProcess, Figures>();
  onMark: (mark: Mark) => void = () => {};
  onFailed: (reason: string) => void = () => {};

  constructor(count: number, hosts: readonly SimulatedHost[]) {
    this.children = Array.from({ length: count }, () => fork(process.argv[1] ?? '', ['simulate-process']));
    this.hostsOf = this.children.map((_, place) => hosts.filter((_host, index) => index % count === place));
    for (const child of this.children) {
      child.on('message', (message: FromWorker) => this.heard(child, message));
      child.on('exit', (status) => {
        if (status !== 0) this.onFailed(`a process of the simulation ended with status ${status}`);
      });
    }
  }

  start(common: Omit<Start, 'kind' | 'hosts' | 'folder'> & { readonly folder: string }): void {
    this.children.forEach((child, place) => {
      const perSecond = common.perSecond / this.children.length;
      const folder = `${common.folder}/process-${place + 1}`;
      this.tell(child, { kind: 'start', ...common, perSecond, folder, hosts: this.hostsOf[place] ?? [] });
    });
  }

  plug(ports: readonly SimulatedPort[]): void {
    for (const child of this.children) this.tell(child, { kind: 'plug', ports });
  }

  figures(): Figures {
    const all = [...this.latest.values()];
    const sum = (name: keyof Figures): number => all.reduce((total, figures) => total + figures[name], 0);
    return {
      started: sum('started'),
      synced: sum('synced'),
      portsUp: sum('portsUp'),
      connections: sum('connections'),
      queues: sum('queues'),
      received: sum('received'),
      rssMiB: sum('rssMiB'),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.children.map((child) => {
        if (child.exitCode !== null || !child.connected) return undefined;
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        this.tell(child, { kind: 'stop' });
        return gone;
      }),
    );
  }

  private heard(child: ChildProcess, message: FromWorker): void {
    if (message.kind === 'figures') this.latest.set(child, message.figures);
    else if (message.kind === 'failed') this.onFailed(message.reason);
    else for (const mark of message.marks) this.onMark(mark);
  }

  private tell(child: ChildProcess, message: ToWorker): void {
    if (child.connected) child.send(message);
  }
}
