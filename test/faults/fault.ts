import type { Host } from '../support/bed';
import type { AgentKind, Measurement, Stage } from './stage';

/** Something that goes wrong under traffic. */
export interface Fault {
  readonly name: string;
  /** The agent whose row it is; both have one if not given. */
  readonly only?: AgentKind;
  /** The agent that hosts have before it, where that is not the one whose row it is. */
  readonly begins?: AgentKind;
  /** Packets that may be lost with Patchbay; any number if not given. */
  readonly bar?: number;
  /** How often a chunk of the long form measures it, where one run says little; once if not given. */
  readonly times?: number;
  /** Takes minutes: it is made only where it is asked for by name. */
  readonly long?: true;
  run(stage: Stage, kind: AgentKind): Promise<Measurement>;
}

export async function stopAgent(stage: Stage, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (how === 'SIGTERM') await stage.agent?.stop('SIGTERM');
  else await stage.agent?.crash();
}

/** Measures the switch without an agent, which starts again afterwards. */
export async function withoutAgent(
  stage: Stage,
  kind: AgentKind,
  measure: () => Promise<Measurement>,
): Promise<Measurement> {
  await stopAgent(stage, 'SIGTERM');
  const measured = await measure();
  stage.startAgent(kind);
  await stage.agentSynced(kind);
  return measured;
}

/** Measures with an agent started with other settings; afterwards it is started as it was. */
export async function withSettings(
  stage: Stage,
  kind: AgentKind,
  ini: Parameters<Host['startReferenceAgent']>[0],
  measure: () => Promise<Measurement>,
): Promise<Measurement> {
  await stopAgent(stage, 'SIGTERM');
  stage.startAgent(kind, stage.host, ini);
  await stage.agentSynced(kind);
  const measured = await measure();
  await stopAgent(stage, 'SIGTERM');
  stage.startAgent(kind);
  await stage.agentSynced(kind);
  return measured;
}
