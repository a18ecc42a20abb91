import { type ChildProcess, fork } from 'node:child_process';
import type { Figures, FromWorker, Mark, SimulatedHost, SimulatedPort, ToWorker } from './messages';

type Start = Extract<ToWorker, { kind: 'start' }>;

const NOTHING: Figures = {
  started: 0,
  settled: 0,
  portsUp: 0,
  connections: 0,
  queues: 0,
  received: 0,
  sent: 0,
  cpuMs: 0,
  rssMiB: 0,
};

/** The processes of a simulation. Hosts are dealt out in turn. */
export class Processes {
  private readonly children: ChildProcess[];
  private readonly hostsOf: SimulatedHost[][];
  private readonly questions = new Map<number, (figures: Figures) => void>();
  private lastQuestion = 0;
  onMark: (mark: Mark) => void = () => {};
  onFailed: (reason: string) => void = () => {};

  constructor(count: number, hosts: readonly SimulatedHost[]) {
    this.children = Array.from({ length: count }, () => fork(process.argv[1] ?? '', ['simulate-process']));
    this.hostsOf = this.children.map((_, place) => hosts.filter((_host, index) => index % count === place));
    for (const child of this.children) {
      child.on('message', (message: FromWorker) => this.heard(message));
      child.on('exit', (status, signal) => {
        for (const answer of this.questions.values()) answer(NOTHING);
        if (status !== 0) this.onFailed(`a process of the simulation ended with ${signal ?? `status ${status}`}`);
      });
    }
  }

  start(common: Omit<Start, 'kind' | 'hosts'>): void {
    const { length } = this.children;
    const { perSecond, atOnce } = common.pace;
    const pace = { perSecond: perSecond / length, atOnce: Math.max(1, Math.round(atOnce / length)) };
    this.children.forEach((child, place) => {
      const folder = `${common.folder}/process-${place + 1}`;
      this.tell(child, { kind: 'start', ...common, pace, folder, hosts: this.hostsOf[place] ?? [] });
    });
  }

  plug(ports: readonly SimulatedPort[]): void {
    for (const child of this.children) this.tell(child, { kind: 'plug', ports });
  }

  /** Of all processes together, as they are now. A process that is gone counts nothing, and is told of by `onFailed`. */
  async figures(): Promise<Figures> {
    const each = await Promise.all(
      this.children.map((child) => {
        const question = ++this.lastQuestion;
        const answered = new Promise<Figures>((resolve) => this.questions.set(question, resolve));
        this.tell(child, { kind: 'look', question });
        return answered;
      }),
    );
    return each.reduce(sumOf, NOTHING);
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

  private heard(message: FromWorker): void {
    if (message.kind === 'failed') this.onFailed(message.reason);
    else if (message.kind === 'marks') for (const mark of message.marks) this.onMark(mark);
    else {
      this.questions.get(message.question)?.(message.figures);
      this.questions.delete(message.question);
    }
  }

  private tell(child: ChildProcess, message: ToWorker): void {
    if (child.connected) child.send(message);
  }
}

function sumOf(one: Figures, other: Figures): Figures {
  const names = Object.keys(NOTHING) as (keyof Figures)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as Figures;
}
