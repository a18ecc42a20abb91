import { type FlowTableMessage, type GroupMod, InstalledFlow, type MeterMod } from '../openflow';
import type { Step } from '../planner/board';

/** The steps of one bridge in the order in which they are sent. */
export interface OrderedSteps {
  /** Before the bundle, one by one: meters cannot travel in one. */
  readonly metersFirst: readonly Step[];
  /** Groups before the flows that use them, additions before removals, groups that go last of all. */
  readonly bundle: readonly Step[];
  /** After the bundle: removing a meter removes the flows that use it. */
  readonly metersLast: readonly Step[];
}

export function orderSteps(steps: readonly Step[]): OrderedSteps {
  const of = (kind: 'flow' | 'group' | 'meter', removing: boolean): Step[] =>
    steps.filter((step) => kindOf(step) === kind && (step.act === 'remove') === removing);
  return {
    metersFirst: of('meter', false),
    bundle: [...of('group', false), ...of('flow', false), ...of('flow', true), ...of('group', true)],
    metersLast: of('meter', true),
  };
}

function kindOf(step: Step): 'flow' | 'group' | 'meter' {
  return step.act === 'remove' ? step.before.kind : step.item.kind;
}

/** The OpenFlow message of a step. An addition replaces the flow of the same match: cookie, actions and timeouts together. */
export function messageOf(step: Step): FlowTableMessage {
  if (step.act === 'remove') return removalOf(step);
  const { item } = step;
  switch (item.kind) {
    case 'flow':
      return { kind: 'flow', command: 'add', flow: item.flow, cookie: item.cookie };
    case 'group':
      return { kind: 'group', command: step.act === 'add' ? 'add' : 'modify', group: item.group };
    case 'meter':
      return { kind: 'meter', command: step.act === 'add' ? 'add' : 'modify', meter: item.meter };
  }
}

function removalOf(step: Step & { act: 'remove' }): FlowTableMessage {
  const { before } = step;
  switch (before.kind) {
    case 'flow':
      if (before instanceof InstalledFlow) return { kind: 'flow', command: 'delete_installed', installed: before };
      return { kind: 'flow', command: 'delete_strict', flow: before.decode(), cookie: before.cookie };
    case 'group':
      return { kind: 'group', command: 'delete', group: before.group.group } satisfies GroupMod;
    case 'meter':
      return { kind: 'meter', command: 'delete', meter: before.meter.meter } satisfies MeterMod;
  }
}
