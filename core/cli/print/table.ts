import Table from 'cli-table3';
import { createColors, isColorSupported } from 'picocolors';

/** picocolors takes a CI machine for a terminal; what a script reads there must not have colours. */
const colors = createColors(isColorSupported && process.stdout.isTTY === true);

/** Columns without lines, as `docker ps` and `kubectl get` print them. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  };
  const table = new Table({
    head: head.map((word) => colors.bold(word)),
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const LEVELS: Readonly<Record<string, (text: string) => string>> = {
  ok: colors.green,
  yes: colors.green,
  up: colors.green,
  applied: colors.green,
  degraded: colors.yellow,
  pending: colors.yellow,
  unknown: colors.yellow,
  failing: colors.red,
  failed: colors.red,
  quarantined: colors.red,
};

/** A word of state in its colour, where the terminal has colours. */
export function level(word: string): string {
  return (LEVELS[word] ?? ((text: string) => text))(word);
}

export const dim = (text: string): string => colors.dim(text);
