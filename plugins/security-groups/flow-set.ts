import type { Action, Flow } from '@patchbay/sdk';

/** Flows of one key, each place once: clauses of conjunctions for one match are joined, equal flows are one. */
export class FlowSet {
  private readonly flows = new Map<string, Flow>();

  add(flow: Flow): void {
    const place = `${flow.table} ${flow.priority} ${JSON.stringify(Object.entries(flow.match).sort(byField))}`;
    const present = this.flows.get(place);
    this.flows.set(place, present === undefined ? flow : { ...present, actions: join(present.actions, flow.actions) });
  }

  addAll(flows: Iterable<Flow>): void {
    for (const flow of flows) this.add(flow);
  }

  list(): readonly Flow[] {
    return [...this.flows.values()];
  }
}

/** Flows of one place are either all clauses, or all the same. */
function join(present: readonly Action[], added: readonly Action[]): readonly Action[] {
  const isClauses = (actions: readonly Action[]) => actions.every((action) => action.type === 'conjunction');
  if (!isClauses(present) || !isClauses(added)) return present;
  const clauses = new Map([...present, ...added].map((action) => [JSON.stringify(action), action]));
  return [...clauses.values()];
}

function byField([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
