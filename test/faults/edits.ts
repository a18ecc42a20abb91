import type { StatusReport } from '../../core/host/reports';
import { until } from '../support/bed';
import { adminText } from '../support/bed-agent';
import type { AgentKind, Measurement, Stage } from './stage';

/** What somebody else did to what the agent installed, by Patchbay's names of it. */
export type Edit = keyof StatusReport['switch']['drift'];

const SENTENCES: Readonly<Record<Edit, string>> = {
  removed: 'somebody else removed what we installed',
  changed: 'somebody else changed what we installed',
  added: 'somebody else added to tables of ours',
  row: 'somebody else edited a row of ours',
};

export interface Edited {
  readonly what: Edit;
  /** Who is to be named in the log. */
  readonly owner: RegExp;
}

/**
 * Measures an edit of the switch and looks that Patchbay noticed it: counted in its status and its metrics, logged with whose it was. An
 * edit that nobody noticed was none, or is a defect: neither is a row of the table, so it rejects.
 */
export async function underEdit(
  stage: Stage,
  kind: AgentKind,
  edited: Edited,
  measure: () => Promise<Measurement>,
): Promise<Measurement> {
  if (kind === 'reference') return measure();
  const before = await signsOf(stage, edited);
  const measured = await measure();
  await until(
    async () => {
      const after = await signsOf(stage, edited);
      const silent = Object.entries(after).filter(([sign, count]) => count <= (before[sign] ?? 0));
      if (silent.length > 0) throw new Error(`the edit does not show in ${silent.map(([sign]) => sign).join(', ')}`);
      return true;
    },
    { timeoutMs: stage.patienceMs, what: 'Patchbay has noticed the edit' },
  );
  return measured;
}

/** Waits until Patchbay has noticed an edit that it leaves as it is. */
export async function untilNoticed(stage: Stage, what: Edit, edit: () => Promise<unknown>): Promise<void> {
  const count = async () => (await stage.status()).switch.drift[what];
  const before = await count();
  await edit();
  await until(async () => (await count()) > before, { timeoutMs: stage.patienceMs, what: `it is counted as ${what}` });
}

async function signsOf(stage: Stage, { what, owner }: Edited): Promise<Readonly<Record<string, number>>> {
  const { drift } = (await stage.status()).switch;
  const metrics = await adminText(stage.host, 'metrics');
  const counted = new RegExp(`^patchbay_drift_total\\{[^}]*kind="${what}"[^}]*\\} (\\d+)`, 'm').exec(metrics)?.[1];
  const lines = stage.agent?.log().split('\n') ?? [];
  return {
    'the status': drift[what],
    'the metrics': Number(counted ?? 0),
    'the log': lines.filter((line) => line.includes(SENTENCES[what]) && owner.test(line)).length,
  };
}
