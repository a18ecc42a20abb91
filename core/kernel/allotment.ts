import { LEARNED_COOKIE } from '@patchbay/sdk';
import type { KernelOptions } from './kernel';
import type { Resolution } from './loader/plan';
import { NumberBook } from './numbers';
import { FileStore } from './store';

/** Plugin → the numbers of the tables of its own, by name. */
export type AllottedTables = ReadonlyMap<string, Readonly<Record<string, number>>>;

type AllotmentOptions = Pick<KernelOptions, 'settings' | 'loggerOf' | 'agentServices'>;

/** The numbers that are given out, kept over restarts; none is of a table that somebody else writes to. */
export function numberBook({ settings, loggerOf, agentServices }: AllotmentOptions): NumberBook {
  const store = new FileStore(settings.state_dir, '_numbers', loggerOf('kernel'));
  return new NumberBook(store, async (bridge) => {
    const flows = await agentServices.switchView.flows(bridge);
    return new Set(flows.filter(({ cookie }) => !isOurs(cookie)).map(({ table }) => table));
  });
}

/** Gives each plugin the tables that its manifest asks for, and tells the switch side of them. */
export async function allotTables(
  { ordered }: Resolution,
  numbers: NumberBook,
  { agentServices, loggerOf }: AllotmentOptions,
): Promise<AllottedTables> {
  const { integrationBridge: integration, tunnelBridge: tunnel } = agentServices.identity;
  const allotted = new Map<string, Readonly<Record<string, number>>>();
  for (const { manifest } of ordered) {
    if (manifest.tables === undefined || manifest.tables.length === 0) continue;
    const tables = await numbers.tables(manifest.id, manifest.tables, { integration, tunnel });
    allotted.set(manifest.id, tables);
    const claims = manifest.tables.map(({ bridge, name }) => ({ bridge, tables: [tables[name] ?? []].flat() }));
    agentServices.claimTables(manifest.id, claims);
    loggerOf('kernel').info('Tables were allotted', { plugin: manifest.id, tables });
  }
  return allotted;
}

/** Flows of Patchbay's own: their cookies begin as that of learned flows does. */
function isOurs(cookie: bigint): boolean {
  return cookie >> 32n === LEARNED_COOKIE >> 32n;
}
