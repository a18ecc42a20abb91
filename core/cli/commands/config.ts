import type { Command } from 'commander';
import { loadConfiguration } from '../../host/configuration';
import type { ConfigReport } from '../../host/reports';
import { checkConfiguration, showConfigured } from '../configuration-report';
import { ExitStatus } from '../exit-status';
import type { ProgramParts } from '../parts';
import { printConfig } from '../print/reports';
import { type AskingOptions, askAgent, asking, formatted } from './asking';
import { configured, isGiven, requestOf } from './configured';

/** `patchbay config show` and `config check`. */
export function addConfigCommands(program: Command, parts: ProgramParts, ended: (status: number) => void): void {
  const config = program.command('config').description('Show or check the configuration');
  configured(
    asking(config.command('show').description('Effective values and where each comes from; no passwords')),
  ).action(async (options: AskingOptions, command: Command) => {
    const request = requestOf(command);
    const report = isGiven(request)
      ? showConfigured(loadConfiguration(request, parts.stock), parts.stock)
      : await askAgent<ConfigReport>(options, '/config');
    parts.print(formatted(options, report, printConfig));
  });
  configured(config.command('check').description('Read everything, start nothing, say all that is wrong')).action(
    async (_options, command: Command) => {
      const loaded = loadConfiguration(requestOf(command), parts.stock);
      const { lines, isGood } = await checkConfiguration(loaded, parts.stock);
      parts.print(lines.join('\n'));
      if (!isGood) ended(ExitStatus.configuration);
    },
  );
}
