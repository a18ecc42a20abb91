import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from '../kernel/config/model';
import { AgentHost } from './agent-host';
import type { Stock } from './host';
import type { PlanReport } from './reports';

/** How long a plan waits for the control plane's descriptions of all ports. */
const PLAN_PATIENCE_MS = 60_000;

/**
 * What an agent of this configuration would change, found beside whatever agent runs now: the switch is read, the server is asked with
 * methods that change nothing, on queues of its own.
 */
export async function planAlone(configuration: Configuration, directory: string, stock: Stock): Promise<PlanReport> {
  const state = copyOf(configuration.settings.state_dir);
  const settings = { ...configuration.settings, state_dir: state };
  const host = new AgentHost({ ...configuration, settings }, directory, stock, 'watching', {});
  try {
    await host.start();
    const patience = new Promise<'late'>((resolve) => setTimeout(resolve, PLAN_PATIENCE_MS, 'late').unref());
    const outcome = await Promise.race([host.synced, patience]);
    const plan = await host.reports.plan();
    const late = outcome === 'late' ? ['ports that the control plane did not describe in time'] : [];
    const unknown = [...plan.unknown, ...late, 'tunnel endpoints that the switch has no port for yet'];
    return { ...plan, unknown };
  } finally {
    await host.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

/** What plugins keep there is read as it is, and what a plan makes of it is thrown away. */
function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'patchbay-plan-'));
  if (existsSync(folder)) cpSync(folder, copy, { recursive: true });
  return copy;
}
