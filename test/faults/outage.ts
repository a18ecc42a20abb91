import { conditionsOf, untilStatus } from '../support/bed-agent';
import { run } from '../support/bed-command';
import { underRule } from './rules';
import type { AgentKind, Measurement, Stage } from './stage';

/** Starts a daemon of the control plane unless it runs, and waits until it answers. */
export const service = (name: 'broker' | 'neutron'): Promise<string> => run(['test/bed/service', name]);

/**
 * Measures a fault of the control plane. In sync is an agent after it that both asks and hears: a port that is plugged becomes ACTIVE, and a
 * rule that the server tells of comes to the switch and goes again.
 */
export const underOutage = (stage: Stage, outage: () => Promise<void>): Promise<Measurement> =>
  stage.under(async () => {
    await outage();
    await stage.probe();
    await underRule(stage, async () => undefined);
  });

/** Waits until Patchbay's health names what is wrong. The reference agent has none to ask. */
export async function untilItSaysWhy(stage: Stage, kind: AgentKind, plugin: string, why: RegExp): Promise<void> {
  if (kind === 'reference') return;
  await untilStatus(
    stage.host,
    `its health says ${why} of ${plugin}`,
    (status) => status.health !== 'ok' && conditionsOf(status, plugin).some((condition) => why.test(condition)),
    { timeoutMs: stage.patienceMs },
  );
}
