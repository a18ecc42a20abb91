import { reasonOf } from '@patchbay/sdk';
import { CommandFailed, NotInTime } from '../support/bed-command';

/** What is still missing, in words for a reader of the table. */
export class NotYet extends Error {}

/** Why something did not come about, as a note below the table: a sentence, with nothing in it of the machine that measured. */
export function noteOf(error: unknown): string {
  if (error instanceof NotInTime) {
    const { what, timeoutMs, last } = error;
    const seconds = timeoutMs / 1000;
    return last instanceof NotYet ? `After ${seconds} s still: ${last.message}.` : `Not within ${seconds} s: ${what}.`;
  }
  if (error instanceof CommandFailed) return `A command failed: ${firstLine(error.stderr || error.stdout)}`;
  return firstLine(reasonOf(error));
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

/** Flows that are missing, and that are too many, as {@link differences} of installed.ts names them. */
export function flowsInWords(differences: readonly string[]): string {
  const flows = (sign: string): readonly string[] =>
    differences.filter((one) => one.startsWith(sign)).map((one) => one.slice(2));
  return [told(flows('-'), 'missing'), told(flows('+'), 'too many')].filter(Boolean).join('; ');
}

function told([first, ...others]: readonly string[], what: string): string {
  if (first === undefined) return '';
  if (others.length === 0) return `a flow ${what}, \`${first}\``;
  return `${others.length + 1} flows ${what}, the first \`${first}\``;
}
