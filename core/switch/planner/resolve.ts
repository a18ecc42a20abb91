import type { Action, Flow, Group, Match, MatchByName, MatchValue, PortRef } from '@patchbay/sdk';
import { sortClauses, sortPorts, type Union, unionActions } from './union';

/** Answers a port's number on the bridge in question, or undefined, having noted what is waited for. */
type Resolve = (port: string) => number | undefined;

/** Thrown inside this file only: a flow names a port that has no number. */
class Absent extends Error {}

/** A flow whose ports have numbers. They are in the actions already, which many flows share, and not in its match, which is its own. */
export interface ResolvedFlow {
  readonly stated: Flow;
  readonly actions: readonly Action[];
  readonly union: Union | undefined;
  /** The names that were asked for, each once. */
  readonly ports: readonly string[];
}

/** Numbers of ports, by their bridge and their name there: `br-int tap1`. */
export type PortNumbers = ReadonlyMap<string, number>;

/** The flow with numbers for names. `numberOf` knows every port that the match names. */
export function withNumbers(
  { stated, actions }: Pick<ResolvedFlow, 'stated' | 'actions'>,
  numberOf: (port: string) => number | undefined,
): Flow {
  const match = resolveMatch(stated.match, (port) => numberOf(port) ?? 0);
  return match === stated.match && actions === stated.actions ? stated : { ...stated, match, actions };
}

/** Lists resolved last that are looked through for an equal one: a port's flows do the same few things, in turns. */
const RECENT = 4;

/** Puts numbers for names in flow after flow. Lists of actions that come out the same are one list, so that they are worked out once. */
export class FlowResolver {
  private readonly recent: {
    readonly bridge: string;
    readonly actions: readonly Action[];
    readonly out: ResolvedActions;
  }[] = [];

  /** `resolve` answers the number of a port on a bridge, and notes what is waited for where it has none. */
  constructor(private readonly resolve: (bridge: string, port: string) => number | undefined) {}

  /** The flow's ports; undefined while one that it cannot do without has no number. Every name is asked for, so that all absent ones are noted. */
  flow(stated: Flow): ResolvedFlow | undefined {
    const { bridge } = stated;
    const match: MatchByName = stated.match;
    let absent = false;
    let named: string | undefined;
    let others: string[] | undefined;
    for (const field in match) {
      const value = match[field];
      if (typeof value !== 'object' || !('port' in value)) continue;
      if (this.resolve(bridge, value.port) === undefined) absent = true;
      if (named === undefined) named = value.port;
      else if (named !== value.port) others = [...(others ?? []), value.port];
    }
    const resolved = this.actions(stated);
    if (absent || resolved === undefined) return undefined;
    const { actions, union } = resolved;
    const ports = others === undefined ? resolved.beside(named) : [...new Set([...others, ...resolved.beside(named)])];
    return { stated, actions, union, ports };
  }

  /** Undefined where a port is absent; that is not remembered. */
  private actions({ bridge, actions }: Flow): ResolvedActions | undefined {
    const known = this.recent.find((one) => one.bridge === bridge && sameActions(one.actions, actions));
    if (known !== undefined) return known.out;
    let absent = false;
    const ports = new Set<string>();
    const resolve = (port: string): number | undefined => {
      ports.add(port);
      return this.resolve(bridge, port);
    };
    const number = (port: string): number => {
      const found = resolve(port);
      if (found === undefined) absent = true;
      return found ?? 0;
    };
    const union = unionIn(actions, number, resolve);
    const resolved = union === undefined ? resolveActions(actions, number, resolve) : unionActions(union);
    if (absent) return undefined;
    const out = new ResolvedActions(resolved === actions ? actions : Object.freeze(resolved), union, [...ports]);
    if (this.recent.length === RECENT) this.recent.shift();
    this.recent.push({ bridge, actions, out });
    return out;
  }
}

class ResolvedActions {
  /** By the port of a match: flow after flow that does this is about the same one. */
  private readonly lists = new Map<string | undefined, readonly string[]>();

  constructor(
    readonly actions: readonly Action[],
    readonly union: Union | undefined,
    private readonly ports: readonly string[],
  ) {}

  /** The names of ports in the actions and that in the match beside them, each once. */
  beside(matched: string | undefined): readonly string[] {
    let list = this.lists.get(matched);
    if (list === undefined) {
      list = matched === undefined || this.ports.includes(matched) ? this.ports : [matched, ...this.ports];
      this.lists.set(matched, list);
    }
    return list;
  }
}

function sameActions(left: readonly Action[], right: readonly Action[]): boolean {
  if (left === right) return true;
  return left.length === right.length && left.every((action, index) => sameValue(action, right[index]));
}

/** Equal as plain data, down to its keys' order: what one function has made, again and again, is found equal. */
function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  const keys = Object.keys(left);
  const others = Object.keys(right);
  return (
    keys.length === others.length &&
    keys.every((key, index) => {
      return key === others[index] && sameValue(left[key as keyof typeof left], right[key as keyof typeof right]);
    })
  );
}

/** The group with numbers for names, or undefined while one is absent. */
export function resolveGroup(group: Group, resolve: Resolve): Group | undefined {
  const number = (port: string): number => {
    const found = resolve(port);
    if (found === undefined) throw new Absent();
    return found;
  };
  try {
    const buckets = group.buckets.map((bucket) => ({
      ...bucket,
      ...(bucket.watchPort === undefined ? {} : { watchPort: resolvePort(bucket.watchPort, number) }),
      actions: resolveActions(bucket.actions, number, resolve),
    }));
    return { ...group, buckets };
  } catch (error) {
    if (error instanceof Absent) return undefined;
    throw error;
  }
}

/** Names of ports that the group cannot do without. */
export function portsOf(group: Group): readonly string[] {
  const names = new Set<string>();
  const note = (port: string): number => {
    names.add(port);
    return 0;
  };
  resolveGroup(group, note);
  const sets = group.buckets.flatMap(({ actions }) =>
    actions.flatMap((it) => (it.type === 'output_set' ? it.ports : [])),
  );
  return [...names].filter((name) => !sets.includes(name));
}

/** A list that is conjunctions only, or that has one output set, can be joined with others. */
function unionIn(actions: readonly Action[], number: (port: string) => number, resolve: Resolve): Union | undefined {
  if (actions.length > 0 && actions.every((action) => action.type === 'conjunction')) {
    return { kind: 'conjunction', clauses: sortClauses(actions) };
  }
  const position = actions.findIndex((action) => action.type === 'output_set');
  const set = actions[position];
  if (set?.type !== 'output_set') return undefined;
  return {
    kind: 'output_set',
    before: resolveActions(actions.slice(0, position), number, resolve),
    ports: present(set.ports, resolve),
    after: resolveActions(actions.slice(position + 1), number, resolve),
  };
}

function present(ports: readonly string[], resolve: Resolve): readonly number[] {
  return sortPorts(ports.flatMap((port) => resolve(port) ?? []));
}

function resolveMatch(match: MatchByName, number: (port: string) => number): Match {
  let changed: Record<string, MatchValue> | undefined;
  for (const field in match) {
    const value = match[field];
    if (typeof value === 'object' && 'port' in value) {
      changed ??= { ...match };
      changed[field] = number(value.port);
    }
  }
  return changed ?? match;
}

/** The same list where it names no port, so that most flows are not copied. */
function resolveActions(
  actions: readonly Action[],
  number: (port: string) => number,
  resolve: Resolve,
): readonly Action[] {
  let changed: Action[] | undefined;
  actions.forEach((action, index) => {
    const resolved = resolveAction(action, number, resolve);
    if (resolved === action) {
      changed?.push(action);
    } else {
      changed ??= actions.slice(0, index);
      if (Array.isArray(resolved)) changed.push(...resolved);
      else changed.push(resolved as Action);
    }
  });
  return changed ?? actions;
}

function resolveAction(action: Action, number: (port: string) => number, resolve: Resolve): Action | readonly Action[] {
  switch (action.type) {
    case 'output':
      return isName(action.port) ? { ...action, port: resolvePort(action.port, number) } : action;
    case 'output_set':
      return present(action.ports, resolve).map((port): Action => ({ type: 'output', port }));
    case 'resubmit':
      return isName(action.port) ? { ...action, port: resolvePort(action.port, number) } : action;
    case 'set_field':
      return typeof action.value === 'object' ? { ...action, value: number(action.value.port) } : action;
    case 'ct': {
      if (action.exec === undefined) return action;
      const exec = resolveActions(action.exec, number, resolve);
      return exec === action.exec ? action : { ...action, exec };
    }
    case 'clone':
    case 'write_actions': {
      const inner = resolveActions(action.actions, number, resolve);
      return inner === action.actions ? action : { ...action, actions: inner };
    }
    default:
      return action;
  }
}

function isName(port: PortRef | undefined): port is { readonly port: string } {
  return typeof port === 'object';
}

function resolvePort(port: PortRef, number: (port: string) => number): PortRef {
  return isName(port) ? number(port.port) : port;
}
