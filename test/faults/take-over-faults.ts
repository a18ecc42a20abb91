import { until } from '../support/bed';
import { patchbay } from '../support/bed-agent';
import { type Fault, stopAgent } from './fault';
import type { Stage } from './stage';

export const takeOverFaults: readonly Fault[] = [
  {
    name: 'taken over from the reference agent',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => takeOver(stage), { flows: 'any' }),
  },
  {
    name: 'given back to the reference agent',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => giveBack(stage), { flows: 'any' }),
  },
  {
    name: 'taken over from the reference agent, tunnelled network',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => takeOver(stage), { flows: 'any', network: 'vxlan' }),
  },
  {
    name: 'given back to the reference agent, tunnelled network',
    only: 'reference',
    bar: 0,
    run: (stage) => stage.under(() => giveBack(stage), { flows: 'any', network: 'vxlan' }),
  },
];

/** The reference agent stops, Patchbay starts with the same files, and everything of the reference agent's is gone. */
export async function takeOver(stage: Stage): Promise<void> {
  await stopAgent(stage, 'SIGTERM');
  stage.startAgent('patchbay');
  await stage.agentSynced('patchbay');
  await until(async () => (await stage.status()).switch.takingOver.length === 0, {
    what: 'the take-over is complete',
    timeoutMs: 10_000,
  });
}

/** The upper half of every cookie of Patchbay's. */
const OURS = /cookie=0x50617463/;

export async function giveBack(stage: Stage): Promise<void> {
  await patchbay(stage.host, 'release');
  await until(() => stage.agent?.isRunning === false, { what: 'Patchbay has stopped', timeoutMs: 10_000 });
  stage.startAgent('reference');
  await stage.agentSynced('reference');
  const isSwept = async (): Promise<true> => {
    const left = (await stage.host.ofctl('--no-stats', 'dump-flows', 'br-int'))
      .split('\n')
      .filter((flow) => OURS.test(flow));
    if (left.length > 0) throw new Error(left.slice(0, 3).join('; '));
    return true;
  };
  await until(isSwept, { what: 'the reference agent has swept', timeoutMs: 15_000 });
}
