import { Command, CommanderError } from 'commander';
import { loadConfiguration } from '../host/configuration';
import { addAgentCommands } from './commands/agent';
import { addConfigCommands } from './commands/config';
import { configured, requestOf } from './commands/configured';
import { addCreateCommand } from './commands/create';
import { addPluginCommands, spelledOut } from './commands/of-plugins';
import { addSimulation } from './commands/simulate';
import { ExitStatus } from './exit-status';
import type { ProgramParts } from './parts';
import { runAgent } from './run';

const AFTER_HELP = `
Examples:
  patchbay run --config /etc/patchbay/patchbay.yaml
  patchbay run --config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/openvswitch_agent.ini
  patchbay config check --config /etc/patchbay/patchbay.yaml
  patchbay explain tap0a1b2c3d-4e

Plugins bring commands of their own: patchbay PLUGIN lists a running plugin's, patchbay PLUGIN COMMAND runs one.

Exit status: 0 done, 1 failed, 2 wrong command line, 3 no agent answers, 78 the configuration is refused.`;

const WITHOUT_FILES = `
Without files on the command line, the places are searched that the reference agent searches: ~/.neutron, ~, /etc/neutron, /etc.`;

/** The `patchbay` command. Resolves to the exit status; rejects where the command failed. */
export async function runProgram(argv: readonly string[], parts: ProgramParts): Promise<number> {
  let status: number = ExitStatus.done;
  const ended = (as: number): void => {
    status = as;
  };
  const program = new Command('patchbay')
    .description('An L2 agent for Open vSwitch that you can take apart')
    .version(parts.version)
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('patchbay --help lists commands; patchbay COMMAND --help its options.')
    .addHelpText('after', AFTER_HELP);
  configured(program.command('run').description('Run the agent in the foreground, until SIGTERM'))
    .addHelpText('after', WITHOUT_FILES)
    .action(async (_options, command: Command) =>
      ended(await runAgent(() => loadConfiguration(requestOf(command), parts.stock), parts)),
    );
  addAgentCommands(program, parts);
  addConfigCommands(program, parts, ended);
  addSimulation(program, parts, ended);
  addCreateCommand(program, parts);
  addPluginCommands(program, parts);
  try {
    await program.parseAsync([...spelledOut(argv, program)]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Asked for help or the version, or told what is wrong with the command line.
    return error.exitCode === 0 ? ExitStatus.done : ExitStatus.usage;
  }
  return status;
}
