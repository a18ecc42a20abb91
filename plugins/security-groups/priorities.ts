import type { Rule, Traffic } from './rules';

/** The lowest priority of rules of stateful groups; those of stateless groups come below them, above what states decide (50). */
const STATEFUL = 70;
const STATELESS = 62;
/** Rules without conjunctions come above those with, for no reason but Neutron's. */
const PLAIN = 4;
/** Where all flows of conjunctions are, and of all others only those of stateless groups' rules. */
export const OF_CONJUNCTIONS: readonly [lowest: number, highest: number] = [STATELESS, STATEFUL + PLAIN - 1];
/** What every bridge of ours has in the tables of rules: the flow that nothing else comes to. */
export const OF_EVERY_BRIDGE: readonly [lowest: number, highest: number] = [0, 0];

/**
 * How particular the traffic is, 0 to 3. It orders nothing, for all rules allow; it keeps rules that match different fields apart, so
 * that no two overlap at one priority.
 */
export function specificity(traffic: Traffic): number {
  switch (traffic.kind) {
    case 'any':
      return 0;
    case 'icmp':
      return traffic.code === null ? 2 : 3;
    case 'protocol':
      return traffic.protocol === 1 || traffic.protocol === 58 ? 1 : 3;
    case 'ports':
      return 3;
  }
}

export function priorityOf({ stateful, traffic, remote }: Pick<Rule, 'stateful' | 'traffic' | 'remote'>): number {
  return (stateful ? STATEFUL : STATELESS) + (remote.kind === 'set' ? 0 : PLAIN) + specificity(traffic);
}
