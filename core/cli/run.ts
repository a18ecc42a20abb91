import { join } from 'node:path';
import { reasonOf } from '@patchbay/sdk';
import type { LoadedConfiguration } from '../host/configuration';
import type { Host } from '../host/host';
import { AdminServer } from './admin/server';
import { CliErrors } from './errors';
import { ExitStatus, exitStatusOf } from './exit-status';
import type { ProgramParts } from './parts';
import { watchStrayErrors } from './stray-errors';
import { ServiceManager } from './systemd';

type RunParts = Pick<ProgramParts, 'stock' | 'createHost' | 'complain'>;

/**
 * Runs the agent until SIGTERM or SIGINT; SIGHUP reads the configuration and reopens the log files. Resolves to the exit status.
 */
export async function runAgent(load: () => LoadedConfiguration, parts: RunParts): Promise<number> {
  const { configuration, problems, directory } = load();
  if (configuration === undefined || problems.length > 0) {
    const found = problems.length > 0 ? problems : [CliErrors.noConfiguration()];
    for (const problem of found) parts.complain(problem.message);
    return exitStatusOf(found[0]);
  }
  const manager = new ServiceManager();
  const host = parts.createHost(configuration, directory, parts.stock);
  const admin = new AdminServer(join(configuration.settings.run_dir, 'patchbay.sock'), host.reports);
  const stray = watchStrayErrors(process, host);
  const asked = Promise.race([stopAsked(), stray.fatal, host.released]);
  process.on('SIGHUP', () => reloadConfiguration(load, host, parts));
  try {
    await admin.start();
    await Promise.race([host.start(), asked]);
  } catch (error) {
    parts.complain(reasonOf(error));
    await admin.stop();
    await host.stop();
    return exitStatusOf(error);
  }
  void host.synced.then(() => manager.ready(() => host.isAlive()));
  const outcome = await asked;
  manager.stopping();
  await admin.stop();
  await host.stop();
  return outcome === 'failed' ? ExitStatus.failed : ExitStatus.done;
}

/** Whatever is wrong with the files now, the agent goes on. */
function reloadConfiguration(load: () => LoadedConfiguration, host: Host, { complain }: RunParts): void {
  try {
    const { configuration, problems } = load();
    for (const problem of problems) complain(`the configuration stays as it was: ${problem.message}`);
    if (configuration === undefined || problems.length > 0) return;
    for (const sentence of host.reload(configuration)) complain(sentence);
  } catch (error) {
    complain(`the configuration stays as it was: ${reasonOf(error)}`);
  }
}

function stopAsked(): Promise<'asked'> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('asked'));
    process.once('SIGINT', () => resolve('asked'));
  });
}
