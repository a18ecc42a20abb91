import { reasonOf } from './errors';
import type { KernelOptions } from './kernel';
import { isPlainObject } from './plain';
import { FileStore } from './store';

const KEY = 'plugins';

/**
 * Withdraws what plugins wanted that an earlier run had and this one's list does not.
 * A list that cannot be kept withdraws nothing: flows stay until it can.
 */
export async function retireTheUnlisted(options: KernelOptions, listed: readonly string[]): Promise<void> {
  const logger = options.loggerOf('kernel');
  const store = new FileStore(options.settings.state_dir, '_kernel', logger);
  try {
    const earlier = idsIn(await store.get(KEY));
    for (const plugin of earlier.filter((id) => !listed.includes(id))) {
      logger.info('A plugin was taken off the list: what it wanted is withdrawn', { retired: plugin });
      options.agentServices.desiredStore.retire(plugin);
    }
    await store.set(KEY, JSON.stringify({ ids: listed }));
  } catch (thrown) {
    logger.warn('The list of plugins could not be kept', { reason: reasonOf(thrown) });
  }
}

function idsIn(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const content: unknown = JSON.parse(text);
  const ids = isPlainObject(content) ? content.ids : undefined;
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : [];
}
