import type { CommandReport } from '../../host/reports';
import { CliErrors } from '../errors';
import { columns } from './table';

/** The commands of one plugin. @throws PatchbayError `PB-CLI-6` where it has none. */
export function commandsOf(plugin: string, all: readonly CommandReport[]): readonly CommandReport[] {
  const own = all.filter((command) => command.plugin === plugin);
  if (own.length > 0) return own;
  const known = [...new Set(all.map((command) => command.plugin))].sort();
  throw CliErrors.noCommands({
    word: plugin,
    hint: known.length === 0 ? 'no plugin has any' : `plugins with commands are ${known.join(', ')}`,
  });
}

export function printCommands(reports: readonly CommandReport[]): string {
  return columns(
    ['COMMAND', 'WORDS', 'DOES'],
    reports.map(({ plugin, name, usage, summary }) => [`patchbay ${plugin} ${name}`, usage || '-', summary]),
  );
}

/** Text as it is, anything else as JSON. */
export function printAnswer(answer: unknown): string {
  return typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2);
}
