import type { Logger } from '@patchbay/sdk';
import type { FoundPlugin } from './loader/modules';
import { isPlainObject } from './plain';
import { FileStore } from './store';

/** A module of a plugin in a worker, as it was when it was loaded last. */
export interface FormerModule {
  /** As the plugin list names it. */
  readonly name: string;
  /** The plugins in it. */
  readonly ids: readonly string[];
  /** The host cannot do without one of them, or one took another's place. */
  readonly vital: boolean;
}

/** What plugins an earlier run had. */
export interface FormerPlugins {
  readonly ids: readonly string[];
  readonly modules: readonly FormerModule[];
}

const KEY = 'plugins';

/** The record, over restarts, of what plugins the agent had. */
export class Roster {
  private readonly store: FileStore;

  constructor(stateDir: string, logger: Logger) {
    this.store = new FileStore(stateDir, '_kernel', logger);
  }

  async former(): Promise<FormerPlugins> {
    const content = parsed(await this.store.get(KEY));
    if (!isPlainObject(content)) return { ids: [], modules: [] };
    return { ids: textsIn(content.ids), modules: listIn(content.modules).flatMap(moduleIn) };
  }

  async keep(plugins: FormerPlugins): Promise<void> {
    await this.store.set(KEY, JSON.stringify(plugins));
  }
}

/** What is to be known of modules in workers when they cannot be loaded. */
export function modulesOf(found: readonly FoundPlugin[]): readonly FormerModule[] {
  const byName = new Map<string, FormerModule>();
  for (const { manifest, entry } of found) {
    if (entry.isolation !== 'worker') continue;
    const known = byName.get(entry.name) ?? { name: entry.name, ids: [], vital: false };
    const isVital = manifest.onFailure === 'abort' || manifest.required === true || manifest.replaces !== undefined;
    byName.set(entry.name, { ...known, ids: [...known.ids, manifest.id], vital: known.vital || isVital });
  }
  return [...byName.values()];
}

/** A record that makes no sense says nothing. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function moduleIn(content: unknown): readonly FormerModule[] {
  if (!isPlainObject(content) || typeof content.name !== 'string') return [];
  return [{ name: content.name, ids: textsIn(content.ids), vital: content.vital === true }];
}

function listIn(content: unknown): readonly unknown[] {
  return Array.isArray(content) ? content : [];
}

function textsIn(content: unknown): readonly string[] {
  return listIn(content).filter((one): one is string => typeof one === 'string');
}
