import type { Command } from 'commander';
import { loadConfiguration } from '../../host/configuration';
import type { ExplainReport, PlanReport, PluginReport, StatusReport } from '../../host/reports';
import type { ProgramParts } from '../parts';
import { printExplain, printPlan, printPlugins, printRelease, printStatus } from '../print/reports';
import { type AskingOptions, askAgent, asking, formatted } from './asking';
import { configured, isGiven, requestOf } from './configured';

/** Commands that ask the running agent, or that plan what an agent would do. */
export function addAgentCommands(program: Command, parts: ProgramParts): void {
  asking(program.command('status').description('What the running agent says of itself')).action(
    async (options: AskingOptions) =>
      parts.print(formatted(options, await askAgent<StatusReport>(options, '/status'), printStatus)),
  );
  asking(program.command('plugins').description('The plugins in their order, their state, hooks and services')).action(
    async (options: AskingOptions) =>
      parts.print(formatted(options, await askAgent<readonly PluginReport[]>(options, '/plugins'), printPlugins)),
  );
  asking(
    program
      .command('explain')
      .description('Every flow and row of a port, which plugin wanted it, and the way from plugged to ACTIVE')
      .argument('<port>', 'the port: its id, the start of its id, or the name of its interface'),
  ).action(async (port: string, options: AskingOptions) => {
    const report = await askAgent<ExplainReport>(options, `/explain/${encodeURIComponent(port)}`);
    parts.print(formatted(options, report, printExplain));
  });
  configured(
    asking(
      program
        .command('plan')
        .description(
          'What would change on the switch, as a diff. Changes nothing. With files: what an agent of these would change, found beside the one that runs',
        )
        .option('--release', 'what `patchbay release` would change'),
    ),
  ).action(async (options: PlanOptions, command: Command) =>
    parts.print(formatted(options, await planned(options, command, parts), printPlan)),
  );
  asking(
    program
      .command('release')
      .description(
        'Give the switch back to the reference agent: controllers are swapped, what it would never sweep is withdrawn, and the agent stops',
      ),
  ).action(async (options: AskingOptions) =>
    parts.print(formatted(options, await askAgent<readonly string[]>(options, '/release', []), printRelease)),
  );
}

interface PlanOptions extends AskingOptions {
  readonly release?: true;
}

async function planned(options: PlanOptions, command: Command, parts: ProgramParts): Promise<PlanReport> {
  if (options.release === true) return askAgent<PlanReport>(options, '/plan-release');
  const request = requestOf(command);
  if (!isGiven(request)) return askAgent<PlanReport>(options, '/plan');
  const { configuration, problems, directory } = loadConfiguration(request, parts.stock);
  const [problem] = problems;
  if (configuration === undefined || problem !== undefined) throw problem;
  return parts.planAlone(configuration, directory, parts.stock);
}
