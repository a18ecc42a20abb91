import { join } from 'node:path';
import type { Command } from 'commander';
import { ask } from '../admin/client';

/** The options of every command that asks the running agent. */
export interface AskingOptions {
  readonly runDir: string;
  readonly json?: true;
}

export function asking(command: Command): Command {
  return command
    .option('--run-dir <folder>', "the running agent's folder, where its admin socket is", '/run/patchbay')
    .option('--json', 'print the report as JSON');
}

/** What the running agent answers at the path; with words it is asked to do something. Rejects as `ask` does. */
export function askAgent<T>({ runDir }: AskingOptions, path: string, words?: readonly string[]): Promise<T> {
  return ask<T>(join(runDir, 'patchbay.sock'), path, words);
}

/** A report as the options want it: JSON, or text for people. */
export function formatted<T>({ json }: AskingOptions, report: T, print: (report: T) => string): string {
  return json === true ? JSON.stringify(report, null, 2) : print(report);
}
