import { readdirSync, readFileSync } from 'node:fs';
import { run } from '../support/bed-command';
import type { Stage } from './stage';

/** What may not grow as ports come and go, by what it is. */
export type Sizes = Readonly<Record<string, number>>;

/** Of the first host's agent, and of the broker for all hosts. */
export async function sizesOf(stage: Stage): Promise<Sizes> {
  const pid = stage.agentPid();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const queues = (await run(['rabbitmqctl', '--quiet', '--no-table-headers', 'list_queues', 'name']))
    .trim()
    .split('\n');
  const common = {
    'resident MiB': Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
    'open files': readdirSync(`/proc/${pid}/fd`).length,
    'queues at the broker': queues.length,
  };
  if (stage.running === 'reference') return common;
  const { switch: side } = await stage.status();
  return { ...common, 'keys wanted': side.keys, 'flows known': side.flows };
}

export function growthOf(before: Sizes, after: Sizes): string {
  return Object.entries(before)
    .map(([what, size]) => `${what} ${size} → ${after[what]}`)
    .join(', ');
}
