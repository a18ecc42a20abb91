import { PatchbayError } from '@patchbay/sdk';
import type { Command } from 'commander';
import type { CommandReport } from '../../host/reports';
import { nearest } from '../../kernel/nearest';
import { CliErrors } from '../errors';
import type { ProgramParts } from '../parts';
import { commandsOf, printAnswer, printCommands } from '../print/commands';
import { type AskingOptions, askAgent, asking, formatted } from './asking';

/** What `patchbay PLUGIN [COMMAND]` comes to: people do not write it. */
const HIDDEN = 'do';

/** Commands that plugins of the running agent bring along. */
export function addPluginCommands(program: Command, parts: ProgramParts): void {
  asking(program.command(`${HIDDEN} <plugin> [command] [words...]`, { hidden: true }))
    .description("Have a plugin's own command run by the running agent; without one, list what there is")
    .passThroughOptions()
    .action(async (plugin: string, name: string | undefined, words: readonly string[], options: AskingOptions) => {
      if (name === undefined) {
        const all = await listed(program, plugin, options);
        parts.print(formatted(options, commandsOf(plugin, all), printCommands));
        return;
      }
      const path = ['', 'command', plugin, name].map(encodeURIComponent).join('/');
      parts.print(formatted(options, await askAgent<unknown>(options, path, words), printAnswer));
    });
}

/** Where no agent answers, a word that is no command of ours is most likely misspelt. */
async function listed(program: Command, word: string, options: AskingOptions): Promise<readonly CommandReport[]> {
  try {
    return await askAgent<readonly CommandReport[]>(options, '/commands');
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== CliErrors.definitions.notRunning.code) throw error;
    return program.error(`error: unknown command '${word}', and no agent answers that may have such a plugin`);
  }
}

/** The command line with `patchbay PLUGIN …` spelt out: what is no command of ours, nor nearly one, is a plugin's id. */
export function spelledOut(argv: readonly string[], program: Command): readonly string[] {
  const ours = new Set([...program.commands.map((command) => command.name()), 'help']);
  const [node = '', script = '', first, ...rest] = argv;
  const isOurs = first === undefined || first.startsWith('-') || ours.has(first) || nearest(first, ours) !== undefined;
  return isOurs ? argv : [node, script, HIDDEN, ...optionsFirst(first, rest)];
}

/** `--run-dir` and `--json` are ours wherever they stand before the command's own words. */
function optionsFirst(plugin: string, rest: readonly string[]): readonly string[] {
  const end = rest.findIndex((word, index) => !word.startsWith('-') && rest[index - 1] !== '--run-dir');
  const options = end === -1 ? rest : rest.slice(0, end);
  return [...options, plugin, ...(end === -1 ? [] : rest.slice(end))];
}
