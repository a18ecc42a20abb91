import { type Command, Option } from 'commander';
import type { CommandLineOptions } from '../../config';
import type { ConfigSource } from '../../config/oslo';
import type { ConfigurationRequest } from '../../host/configuration';
import { CliErrors } from '../errors';

interface ConfigurationOptions {
  readonly config?: string;
  readonly logDir?: string;
  readonly logFile?: string;
  readonly debug?: true;
  readonly acceptMissing: readonly string[];
}

const SOURCES = Symbol('sources');

/** The reference agent's options for finding its configuration, and our own file. */
export function configured(command: Command): Command {
  const sources: ConfigSource[] = [];
  const collect = (kind: ConfigSource['kind']) => (path: string) => {
    sources.push({ kind, path });
    return path;
  };
  Object.assign(command, { [SOURCES]: sources });
  return command
    .option('--config <file>', 'patchbay.yaml')
    .addOption(
      new Option('--config-file <file>', 'an ini file of the reference agent; may be repeated').argParser(
        collect('file'),
      ),
    )
    .addOption(
      new Option('--config-dir <folder>', 'a folder of ini files; may be repeated').argParser(collect('directory')),
    )
    .option('--log-dir <folder>', 'the folder that the log file is in')
    .option('--log-file <file>', 'the log file')
    .option('-d, --debug', 'log debug lines')
    .addOption(
      new Option('--accept-missing <name>', 'go without an option or extension that Patchbay lacks; may be repeated')
        .default([], 'none')
        .argParser((name: string, before: readonly string[]) => [...before, name]),
    );
}

/** What the command was told of its configuration. */
export function requestOf(command: Command): ConfigurationRequest {
  const { config, logDir, logFile, debug, acceptMissing } = command.opts<ConfigurationOptions>();
  const commandLine: CommandLineOptions = {
    ...(logDir === undefined ? {} : { log_dir: logDir }),
    ...(logFile === undefined ? {} : { log_file: logFile }),
    ...(debug === undefined ? {} : { debug }),
  };
  const sources = (command as Command & { readonly [SOURCES]?: readonly ConfigSource[] })[SOURCES] ?? [];
  if (config !== undefined && sources.length > 0) throw CliErrors.twoConfigurations();
  return { ...(config === undefined ? {} : { config }), sources, commandLine, acceptMissing };
}

/** Whether the command line names files of a configuration. */
export function isGiven({ config, sources }: ConfigurationRequest): boolean {
  return config !== undefined || sources.length > 0;
}
