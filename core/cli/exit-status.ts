import { PatchbayError } from '@patchbay/sdk';
import { CliErrors } from './errors';

/** What the `patchbay` command ends with. docs/operators-guide.md explains them. */
export const ExitStatus = {
  done: 0,
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No agent answers: as systemctl(1) and the Linux Standard Base say of a service that does not run. */
  notRunning: 3,
  /** EX_CONFIG of sysexits(3). The unit does not start an agent again that ended so. */
  configuration: 78,
} as const;

const { notRunning, agentRefused, noConfiguration, twoConfigurations } = CliErrors.definitions;

const OF_COMMANDS: Readonly<Record<string, number>> = {
  [notRunning.code]: ExitStatus.notRunning,
  [agentRefused.code]: ExitStatus.failed,
  [noConfiguration.code]: ExitStatus.usage,
  [twoConfigurations.code]: ExitStatus.usage,
};

/** Bad input stays bad however often it is tried; anything else may go well the next time. A failed plugin is looked into. */
export function exitStatusOf(error: unknown): number {
  if (!(error instanceof PatchbayError)) return ExitStatus.failed;
  const ofCommand = OF_COMMANDS[error.code];
  if (ofCommand !== undefined) return ofCommand;
  return error.class === 'refused' ? ExitStatus.configuration : exitStatusOf(error.cause);
}
