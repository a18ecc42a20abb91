import { join } from 'node:path';
import { PatchbayError } from '@patchbay/sdk';
import { Command, CommanderError } from 'commander';
import { type LoadedConfiguration, loadConfiguration } from '../host/configuration';
import type { Host, Stock } from '../host/host';
import type {
  CommandReport,
  ConfigReport,
  ExplainReport,
  PlanReport,
  PluginReport,
  StatusReport,
} from '../host/reports';
import type { Configuration } from '../kernel/config/model';
import { nearest } from '../kernel/nearest';
import { ask } from './admin/client';
import { checkConfiguration, showConfigured } from './config-commands';
import { configured, requestOf } from './configured';
import { createProject } from './create/project';
import { CliErrors } from './errors';
import { ExitStatus } from './exit-status';
import { commandsOf, printAnswer, printCommands } from './print/commands';
import { printConfig, printExplain, printPlan, printPlugins, printRelease, printStatus } from './print/reports';
import { runAgent } from './run';
import { addSimulation } from './simulate';

/** What the command is made of: the stock plugins and the makers of agents. */
export interface ProgramParts {
  readonly stock: Stock;
  readonly version: string;
  readonly createHost: (configuration: Configuration, directory: string, stock: Stock) => Host;
  /** A plan made beside whatever agent runs now, changing nothing. */
  readonly planAlone: (configuration: Configuration, directory: string, stock: Stock) => Promise<PlanReport>;
  readonly print: (text: string) => void;
  /** A sentence for the operator, on standard error. */
  readonly complain: (sentence: string) => void;
}

interface AdminOptions {
  readonly runDir: string;
  readonly json?: true;
}

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
  const program = new Command('patchbay')
    .description('An L2 agent for Open vSwitch that you can take apart')
    .version(parts.version)
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('patchbay --help lists commands; patchbay COMMAND --help its options.')
    .addHelpText('after', AFTER_HELP);

  configured(program.command('run').description('Run the agent in the foreground, until SIGTERM'))
    .addHelpText('after', WITHOUT_FILES)
    .action(async (_options, command: Command) => {
      status = await runAgent((): LoadedConfiguration => loadConfiguration(requestOf(command), parts.stock), parts);
    });

  admin(program.command('status').description('What the running agent says of itself')).action(
    (options: AdminOptions) => show<StatusReport>(options, '/status', printStatus),
  );
  admin(program.command('plugins').description('The plugins in their order, their state, hooks and services')).action(
    (options: AdminOptions) => show<readonly PluginReport[]>(options, '/plugins', printPlugins),
  );
  admin(
    program
      .command('explain')
      .description('Every flow and row of a port, which plugin wanted it, and the way from plugged to ACTIVE')
      .argument('<port>', 'the port: its id, the start of its id, or the name of its interface'),
  ).action((port: string, options: AdminOptions) =>
    show<ExplainReport>(options, `/explain/${encodeURIComponent(port)}`, printExplain),
  );
  configured(
    admin(
      program
        .command('plan')
        .description(
          'What would change on the switch, as a diff. Changes nothing. With files: what an agent of these would change, found beside the one that runs',
        )
        .option('--release', 'what `patchbay release` would change'),
    ),
  ).action(async (options: AdminOptions & { readonly release?: true }, command: Command) => {
    if (options.release === true) return show<PlanReport>(options, '/plan-release', printPlan);
    const request = requestOf(command);
    const isAlone = request.config !== undefined || request.sources.length > 0;
    if (!isAlone) return show<PlanReport>(options, '/plan', printPlan);
    const { configuration, problems, directory } = loadConfiguration(request, parts.stock);
    const [problem] = problems;
    if (configuration === undefined || problem !== undefined) throw problem;
    output(options, await parts.planAlone(configuration, directory, parts.stock), printPlan);
  });

  admin(
    program
      .command('release')
      .description(
        'Give the switch back to the reference agent: controllers are swapped, what it would never sweep is withdrawn, and the agent stops',
      ),
  ).action(async (options: AdminOptions) => {
    const socket = join(options.runDir, 'patchbay.sock');
    output(options, await ask<readonly string[]>(socket, '/release', []), printRelease);
  });

  const config = program.command('config').description('Show or check the configuration');
  configured(
    admin(config.command('show').description('Effective values and where each comes from; no passwords')),
  ).action(async (options: AdminOptions, command: Command) => {
    const request = requestOf(command);
    const isGiven = request.config !== undefined || request.sources.length > 0;
    if (!isGiven) return show<ConfigReport>(options, '/config', printConfig);
    output(options, showConfigured(loadConfiguration(request, parts.stock), parts.stock), printConfig);
  });
  configured(config.command('check').description('Read everything, start nothing, say all that is wrong')).action(
    async (_options, command: Command) => {
      const { lines, isGood } = await checkConfiguration(
        loadConfiguration(requestOf(command), parts.stock),
        parts.stock,
      );
      parts.print(lines.join('\n'));
      if (!isGood) status = ExitStatus.configuration;
    },
  );

  addSimulation(program, parts, (ended) => {
    status = ended;
  });

  program
    .command('create')
    .description('Make something new')
    .command('plugin <name>')
    .description('Make the project of a new plugin, with tests that pass at once')
    .option('--in <folder>', 'where the project’s folder is made', '.')
    .option(
      '--packages <folder>',
      'tarballs of Patchbay’s packages (npm run pack); without it they come from the registry',
    )
    .action((name: string, { in: parent, packages }: { readonly in: string; readonly packages?: string }) => {
      const stock = Object.keys(parts.stock.plugins);
      const { folder, files } = createProject({ name, parent, stock, ...(packages === undefined ? {} : { packages }) });
      const next = [`cd ${folder}`, 'npm install', 'npm test'].map((line) => `  ${line}`);
      parts.print([...files.map((file) => `made ${file}`), '', 'Now:', ...next].join('\n'));
    });

  program
    .command('do <plugin> [command] [words...]', { hidden: true })
    .description("Have a plugin's own command run by the running agent; without one, list what there is")
    .option('--run-dir <folder>', "the running agent's folder, where its admin socket is", '/run/patchbay')
    .option('--json', 'print the answer as JSON')
    .passThroughOptions()
    .action(async (plugin: string, name: string | undefined, words: readonly string[], options: AdminOptions) => {
      const socket = join(options.runDir, 'patchbay.sock');
      if (name === undefined) {
        const all = await ask<readonly CommandReport[]>(socket, '/commands').catch((error: unknown): never => {
          if (!(error instanceof PatchbayError) || error.code !== CliErrors.definitions.notRunning.code) throw error;
          return program.error(`error: unknown command '${plugin}', and no agent answers that may have such a plugin`);
        });
        return output(options, commandsOf(plugin, all), printCommands);
      }
      const path = ['', 'command', plugin, name].map(encodeURIComponent).join('/');
      output(options, await ask<unknown>(socket, path, words), printAnswer);
    });

  async function show<T>(options: AdminOptions, path: string, print: (report: T) => string): Promise<void> {
    output(options, await ask<T>(join(options.runDir, 'patchbay.sock'), path), print);
  }

  function output<T>(options: AdminOptions, report: T, print: (report: T) => string): void {
    parts.print(options.json === true ? JSON.stringify(report, null, 2) : print(report));
  }

  try {
    // `patchbay <plugin> <command>`: what is no command of ours is a plugin's id.
    const ours = new Set([...program.commands.map((command) => command.name()), 'help']);
    const [node = '', script = '', first, ...rest] = argv;
    const isOurs =
      first === undefined || first.startsWith('-') || ours.has(first) || nearest(first, ours) !== undefined;
    await program.parseAsync(isOurs ? [...argv] : [node, script, 'do', ...optionsFirst(first, rest)]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Asked for help or the version, or told what is wrong with the command line.
    return error.exitCode === 0 ? ExitStatus.done : ExitStatus.usage;
  }
  return status;
}

/** `--run-dir` and `--json` are ours wherever they stand before the command's own words. */
function optionsFirst(plugin: string, rest: readonly string[]): readonly string[] {
  const end = rest.findIndex((word, index) => !word.startsWith('-') && rest[index - 1] !== '--run-dir');
  const options = end === -1 ? rest : rest.slice(0, end);
  return [...options, plugin, ...(end === -1 ? [] : rest.slice(end))];
}

function admin(command: Command): Command {
  return command
    .option('--run-dir <folder>', "the running agent's folder, where its admin socket is", '/run/patchbay')
    .option('--json', 'print the report as JSON');
}
