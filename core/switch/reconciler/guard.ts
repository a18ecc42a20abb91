import type { BridgeRow } from '../planner/rows';

/** Whether the agent may write to the switch, or why not; and whether that is because another agent has it. */
export type Writing = 'yes' | { readonly held: string; readonly by?: 'another-agent' };

/** What decides whether anything may be written. */
export interface WritingConditions {
  readonly pluginsStarted: boolean;
  readonly databaseConnected: boolean;
  /** We hold the OVSDB lock. */
  readonly lockHeld: boolean;
  /** Open_vSwitch other_config:flow-restore-wait: `ovs-ctl restart` is putting flows back (ovs-vswitchd.conf.db(5)). */
  readonly restoringFlows: boolean;
  readonly integrationBridge: BridgeRow | undefined;
  /** The controller of an agent that comes: set on a bridge of ours, and not connected yet. */
  readonly arriving: string | undefined;
  /** The target of our own controller rows, which nobody serves. */
  readonly ownTarget: string;
}

/** At every start; no reason to tell anybody. */
export const NOT_STARTED = 'the plugins have not all started yet';

/** Two agents on one switch never both write: the first reason that holds is given, the weightiest first. */
export function mayWrite(conditions: WritingConditions): Writing {
  if (!conditions.databaseConnected) return { held: 'there is no connection to the switch database' };
  if (!conditions.lockHeld) {
    return { held: 'another Patchbay holds the switch (OVSDB lock "patchbay")', by: 'another-agent' };
  }
  const { integrationBridge, arriving, ownTarget } = conditions;
  const other = integrationBridge?.controllers.find(({ connected, target }) => connected && target !== ownTarget);
  if (other !== undefined) {
    const held = `another agent is connected to ${integrationBridge?.name} (controller ${other.target})`;
    return { held, by: 'another-agent' };
  }
  if (arriving !== undefined) {
    return { held: `another agent comes to ${integrationBridge?.name} (controller ${arriving})`, by: 'another-agent' };
  }
  if (conditions.restoringFlows) return { held: 'the switch is restoring flows (other_config:flow-restore-wait)' };
  return conditions.pluginsStarted ? 'yes' : { held: NOT_STARTED };
}
