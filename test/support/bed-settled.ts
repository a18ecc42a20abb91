import type { PlanReport } from '../../core/host/reports';
import type { Host } from './bed';
import { report } from './bed-agent';
import { type UntilOptions, until } from './bed-command';
import type { Running } from './bed-process';

/** Waits until the host's Patchbay has nothing left to write: a switch that is compared later must not be on its way to something. */
export async function untilNothingIsToWrite(host: Host, options: UntilOptions = {}): Promise<void> {
  await until(
    async () => {
      const { rows, added, changed, removed, lines } = await report<PlanReport>(host, 'plan');
      if (rows + added + changed + removed === 0) return true;
      throw new Error(lines.join('\n'));
    },
    { what: `${host.name}: nothing is left to write`, ...options },
  );
}

/** Turns of its loop that the reference agent must have found nothing to do in. */
const IDLE_TURNS = 2;

/** Waits until the reference agent, from now on, goes round its polling loop with nothing to do: its switch stays as it is, however slow it is. */
export async function untilReferenceIsIdle(agent: Running): Promise<void> {
  const read = agent.log().length;
  await until(() => idleTurnsAtEnd(agent.log().slice(read)) >= IDLE_TURNS, {
    what: 'the reference agent has nothing to do',
    timeoutMs: 90_000,
  });
}

/** Turns that were begun and ended, after the last that looked at ports. */
function idleTurnsAtEnd(log: string): number {
  let [isWhole, isIdle, turns] = [false, false, 0];
  for (const [, event] of log.matchAll(/rpc_loop - iteration:\d+ (?:- )?(started|starting polling|completed)/g)) {
    if (event === 'started') [isWhole, isIdle] = [true, true];
    else if (event === 'starting polling') [isIdle, turns] = [false, 0];
    else if (isWhole && isIdle) turns += 1;
  }
  return turns;
}
