import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** The repository's own folder. */
export const repository = resolve(__dirname, '../..');

/** A shell command line, or a program with its arguments as they are. */
export type Command = string | readonly [program: string, ...argv: string[]];

export const argvOf = (command: Command): readonly [program: string, ...argv: string[]] =>
  typeof command === 'string' ? ['bash', '-c', command] : command;

/** A program of the bed ended with a status that is not zero. The message ends with what it wrote. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';

  constructor(
    readonly command: string,
    readonly status: number | string,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(`"${command}" ended with ${status}\n${stderr || stdout}`);
  }
}

/** Runs a program to its end and gives what it wrote to standard output. Rejects with {@link CommandFailed}. */
export function run(argv: readonly [program: string, ...argv: string[]]): Promise<string> {
  const [program, ...rest] = argv;
  return new Promise((done, failed) => {
    const child = spawn(program, rest, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', failed);
    child.on('close', (status, signal) => {
      if (status === 0) done(stdout);
      else failed(new CommandFailed(argv.join(' '), status ?? signal ?? 'no status', stdout, stderr));
    });
  });
}

/** What was asked for did not come in time. */
export class NotInTime extends Error {
  override readonly name = 'NotInTime';

  constructor(
    /** In words. */
    readonly what: string,
    readonly timeoutMs: number,
    /** The last answer, or why there was none. */
    readonly last: unknown,
  ) {
    const seen = last instanceof Error ? last.message : JSON.stringify(last);
    super(`after ${timeoutMs} ms still not so: ${what}\nlast seen: ${seen}`);
  }
}

/**
 * Asks again every `everyMs` (100) until the answer is truthy, and gives that answer. A rejection counts as "not yet".
 * Rejects after `timeoutMs` (90 000) with {@link NotInTime}, the last answer or error in its message. That is much longer than anything takes
 * that comes at all: on a machine that is slow, or stands still for seconds, too.
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  { timeoutMs = 90_000, everyMs = 100, what = ask.toString() }: UntilOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw new NotInTime(what, timeoutMs, last);
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
}

export interface UntilOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  /** What is waited for, in words, for the message. */
  readonly what?: string;
}
