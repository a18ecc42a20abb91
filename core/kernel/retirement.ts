import { reasonOf } from '@patchbay/sdk';
import type { KernelOptions } from './kernel';
import type { Resolution } from './loader/plan';
import { modulesOf, Roster } from './roster';

/**
 * Withdraws what plugins wanted that an earlier run had and this one's list does not. Those that could not be loaded are on it.
 * A list that cannot be kept withdraws nothing: flows stay until it can.
 */
export async function retireTheUnlisted(options: KernelOptions, resolution: Resolution): Promise<void> {
  const logger = options.loggerOf('kernel');
  const roster = new Roster(options.settings.state_dir, logger);
  const { ordered, leftOut } = resolution;
  const former = leftOut.flatMap((one) => one.former ?? []);
  const listed = [...ordered.map(({ manifest }) => manifest.id), ...former.flatMap(({ ids }) => ids)];
  try {
    const { ids } = await roster.former();
    for (const plugin of ids.filter((id) => !listed.includes(id))) {
      logger.info('A plugin was taken off the list: what it wanted is withdrawn', { retired: plugin });
      options.agentServices.desiredStore.retire(plugin);
    }
    await roster.keep({ ids: listed, modules: [...modulesOf(ordered), ...former] });
  } catch (thrown) {
    logger.warn('The list of plugins could not be kept', { reason: reasonOf(thrown) });
  }
}
