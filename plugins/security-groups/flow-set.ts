import type { Action, Flow, Match } from '@patchbay/sdk';

/** Flows of one key, each place once: clauses of conjunctions for one match are joined, equal flows are one. */
export class FlowSet {
  private readonly flows = new Map<string, Flow>();

  add(flow: Flow): void {
    const place = placeOf(flow.table, flow.priority, flow.match);
    const present = this.flows.get(place);
    this.flows.set(place, present === undefined ? flow : { ...present, actions: join(present.actions, flow.actions) });
  }

  list(): readonly Flow[] {
    return [...this.flows.values()];
  }
}

/** Equal for flows of one bridge that cannot both be on it. */
export function placeOf(table: number, priority: number, match: Match): string {
  return `${table} ${priority} ${JSON.stringify(Object.entries(match).sort(byField))}`;
}

/** Clauses of conjunctions, each once. */
export function joinClauses(present: readonly Action[], added: readonly Action[]): readonly Action[] {
  const clauses = new Map([...present, ...added].map((action) => [JSON.stringify(action), action]));
  return [...clauses.values()];
}

/** Flows of one place are either all clauses, or all the same. */
function join(present: readonly Action[], added: readonly Action[]): readonly Action[] {
  const isClauses = (actions: readonly Action[]) => actions.every((action) => action.type === 'conjunction');
  return isClauses(present) && isClauses(added) ? joinClauses(present, added) : present;
}

function byField([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
