import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PatchbayError } from '@patchbay/sdk';
import { type CommandLineOptions, examineIni } from '../config';
import type { ConfigSource } from '../config/oslo';
import type { Configuration } from '../kernel/config/model';
import { readYaml } from '../kernel/config/yaml';
import { KernelError } from '../kernel/errors';
import type { Stock } from './host';

/** Where the command line says the configuration is: one YAML file, or the reference agent's ini files. */
export interface ConfigurationRequest {
  /** `--config`: patchbay.yaml. */
  readonly config?: string;
  /** `--config-file` and `--config-dir`, in their order. */
  readonly sources: readonly ConfigSource[];
  readonly commandLine: CommandLineOptions;
  readonly acceptMissing: readonly string[];
}

export interface LoadedConfiguration {
  /** Undefined where files could not be read. */
  readonly configuration: Configuration | undefined;
  /** Each stops the start. */
  readonly problems: readonly Error[];
  /** Options that nobody knows here, with the likely mistake. */
  readonly unknown: readonly string[];
  /** Relative paths on the plugin list start here. */
  readonly directory: string;
}

/** Reads the operator's configuration: one YAML file, or the reference agent's ini files. */
export function loadConfiguration(request: ConfigurationRequest, stock: Stock): LoadedConfiguration {
  if (request.config !== undefined) return loadYaml(resolve(request.config), request, stock);
  const [first] = request.sources;
  const examined = examineIni({
    ...(request.sources.length > 0 ? { sources: request.sources } : {}),
    commandLine: request.commandLine,
    acceptMissing: request.acceptMissing,
    available: Object.keys(stock.plugins),
  });
  return { ...examined, directory: first === undefined ? process.cwd() : dirname(resolve(first.path)) };
}

function loadYaml(file: string, request: ConfigurationRequest, stock: Stock): LoadedConfiguration {
  try {
    const read = readYaml(textOf(file), file, stock.lists);
    const logging = { ...read.settings.logging, ...overrides(request.commandLine) };
    const configuration = { ...read, settings: { ...read.settings, logging } };
    return { configuration, problems: [], unknown: [], directory: dirname(file) };
  } catch (error) {
    return { configuration: undefined, problems: [error as PatchbayError], unknown: [], directory: dirname(file) };
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const problem = `cannot be read (${(error as NodeJS.ErrnoException).code}): check the path, and that this user may read it`;
    throw KernelError.configurationInvalid({ place: file, problem }, error);
  }
}

function overrides(options: CommandLineOptions): Partial<Configuration['settings']['logging']> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
