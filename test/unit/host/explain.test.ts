import type { AgentParts } from '../../../core/host/assembly';
import { RunningReports } from '../../../core/host/running-reports';
import type { ExplainedKey } from '../../../core/switch';

const port = { vif: { portId: 'p-1', portName: 'tap1' }, state: 'isolated', history: [] };

/** What is said of a port for which this one key was stated. */
async function explained(key: Pick<ExplainedKey, 'progress' | 'parts'>) {
  const stated: ExplainedKey = { plugin: 'probe', key: 'port/p-1', since: 0, cause: 'test', ...key };
  const parts = {
    kernel: { provided: () => ({ ports: async () => [port] }) },
    switch: { explain: () => [stated] },
  } as unknown as AgentParts;
  const reports = new RunningReports({
    mode: 'writing',
    configuration: () => {
      throw new Error('not asked for');
    },
    parts: () => parts,
    isSynced: () => true,
    metricsText: async () => '',
    released: () => undefined,
  });
  return (await reports.explain('tap1'))?.records;
}

it('a key of the port that is held back is named with its reason, though nothing of it is on the switch', async () => {
  const progress = { state: 'quarantined', reason: 'no such field' } as const;
  expect(await explained({ progress, parts: [] })).toMatchObject([{ plugin: 'probe', key: 'port/p-1', progress }]);
});

it('a key that wants nothing is no line', async () => {
  expect(await explained({ progress: { state: 'applied' }, parts: [] })).toEqual([]);
});
