import { PatchbayError } from '@patchbay/sdk';
import type { PluginEntry } from '../config/model';
import type { FormerModule } from '../roster';

/** An entry of the list whose module could not be loaded in its worker; the agent goes on without it. */
export interface LeftOut {
  readonly entry: PluginEntry;
  readonly error: PatchbayError;
  /** What it was when it was loaded last: what that stated stays on the switch. */
  readonly former: FormerModule | undefined;
}

/** The code of an error that says that a module could not be loaded in its worker. */
export const NOT_LOADED = 'PB-WORKER-NOT-LOADED';

/**
 * Whether, and as what, an entry is left out whose plugins cannot be found for this reason. Undefined where the host cannot do without it, by
 * the operator's word or by its manifest as it was last, or where something else is wrong with it.
 */
export function leftOut(entry: PluginEntry, thrown: unknown, modules: readonly FormerModule[]): LeftOut | undefined {
  if (!(thrown instanceof PatchbayError) || thrown.code !== NOT_LOADED || entry.required === true) return undefined;
  const former = modules.find(({ name }) => name === entry.name);
  return former?.vital === true ? undefined : { entry, error: thrown, former };
}

/** The names that health and log have for it: its plugins' ids, or else what the list says. */
export function namesOf({ entry, former }: LeftOut): readonly string[] {
  return former?.ids ?? [entry.name];
}
