import { until } from '../support/bed';
import type { Stage } from './stage';

/** A port that nothing in the traffic uses. */
const PORT = 4242;

/** A rule of the security group of the stage's instances that admits something else than the traffic, and how to look for its flows on the first host. */
export interface Rule {
  isThere(): Promise<boolean>;
  remove(): Promise<void>;
}

export async function createdRule(stage: Stage, protocol: 'tcp' | 'udp' = 'tcp'): Promise<Rule> {
  const { rest } = stage.bed;
  const [group] = (await rest.port(stage.instance(0).portId)).security_groups;
  if (group === undefined) throw new Error('the instance has no security group');
  const { id } = await rest.create('security-group-rules', {
    security_group_id: group,
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol,
    port_range_min: PORT,
    port_range_max: PORT,
  });
  return {
    isThere: async () => new RegExp(`${protocol}.*tp_dst=${PORT}`).test(await stage.host.ofctl('dump-flows', 'br-int')),
    remove: () => rest.remove('security-group-rules', id),
  };
}

/** Does something while a rule is there that was not before and is not afterwards. */
export async function underRule(stage: Stage, act: () => Promise<void>): Promise<void> {
  const rule = await createdRule(stage);
  try {
    await until(() => rule.isThere(), { timeoutMs: stage.patienceMs, everyMs: 50, what: 'the rule is on the switch' });
    await act();
  } finally {
    await rule.remove();
  }
  await until(async () => !(await rule.isThere()), {
    timeoutMs: stage.patienceMs,
    everyMs: 50,
    what: 'the rule is gone',
  });
}
