import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { repository, type UntilOptions, until } from './bed-command';

export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program of a test that runs until it is stopped; all it writes goes to a file in the bed's folder. */
export class Running {
  readonly ended: Promise<Ending>;
  private ending: Ending | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly program: string,
    readonly logFile: string,
  ) {
    this.ended = new Promise((done) => {
      child.on('error', () => this.end({ status: 127, signal: null }, done));
      child.on('exit', (status, signal) => this.end({ status, signal }, done));
    });
  }

  /** Starts the program as leader of a process group of its own, in the repository's folder, without input. */
  static start(argv: readonly [program: string, ...argv: string[]], program: string, logFile: string): Running {
    const log = openSync(logFile, 'a');
    try {
      const [first, ...rest] = argv;
      const child = spawn(first, rest, { cwd: repository, detached: true, stdio: ['ignore', log, log] });
      // A test that forgets to stop it does not keep the test runner from ending; the host's end ends the program. Who stops it, waits.
      child.unref();
      return new Running(child, program, logFile);
    } finally {
      closeSync(log);
    }
  }

  get isRunning(): boolean {
    return this.ending === undefined;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.program} did not start`);
    return this.child.pid;
  }

  /** Whether it sleeps: a program that does one thing after the other has then taken all that had come to it. */
  get isAtRest(): boolean {
    try {
      // proc_pid_stat(5): the name is in parentheses, and may have any character.
      return /\) S [^)]*$/.test(readFileSync(`/proc/${this.pid}/stat`, 'utf8'));
    } catch {
      return true;
    }
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Waits for a line of the log; a program that ends before is reported at once, with the end of its log. */
  async untilLogged(pattern: RegExp, options: UntilOptions = {}): Promise<void> {
    const what = `${this.program} logs ${pattern}`;
    const outcome = await until(() => (pattern.test(this.log()) ? 'logged' : this.isRunning ? undefined : 'ended'), {
      what,
      ...options,
    });
    if (outcome === 'ended') throw new Error(`${this.program} ended first; its log ends:\n${this.log().slice(-2000)}`);
  }

  /** Asks the program to end (SIGTERM unless another signal is named) and waits; after `patienceMs` its whole group is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = 60_000): Promise<Ending> {
    if (this.isRunning) {
      this.child.ref();
      process.kill(this.pid, signal);
      const impatience = setTimeout(() => this.killGroup(), patienceMs);
      await this.ended;
      clearTimeout(impatience);
    }
    return this.ended;
  }

  /** Kills the program and its children with SIGKILL, as a crash would. */
  async crash(): Promise<Ending> {
    if (this.isRunning) {
      this.child.ref();
      this.killGroup();
    }
    return this.ended;
  }

  private killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      // It has just ended by itself, and its 'exit' is on its way.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  private end(ending: Ending, done: (ending: Ending) => void): void {
    this.ending ??= ending;
    done(this.ending);
  }
}
