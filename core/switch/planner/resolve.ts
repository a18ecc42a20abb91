import type { Action, Flow, Group, Match, MatchValue, PortRef } from '@patchbay/sdk';
import { sortClauses, sortPorts, type Union, unionActions } from './items';

/** Answers a port's number on the bridge in question, or undefined, having noted what is waited for. */
export type Resolve = (port: string) => number | undefined;

/** Thrown inside this file only: a flow names a port that has no number. */
class Absent extends Error {}

export interface ResolvedFlow {
  readonly flow: Flow;
  readonly union?: Union;
}

/** The flow with numbers for names; undefined while a port it cannot do without has none. Every name is asked for, so that all absent ones are noted. */
export function resolveFlow(flow: Flow, resolve: Resolve): ResolvedFlow | undefined {
  let absent = false;
  const number = (port: string): number => {
    const found = resolve(port);
    if (found === undefined) absent = true;
    return found ?? 0;
  };
  const match = resolveMatch(flow.match, number);
  const union = unionIn(flow.actions, number, resolve);
  const actions = union === undefined ? resolveActions(flow.actions, number, resolve) : unionActions(union);
  if (absent) return undefined;
  const unchanged = match === flow.match && actions === flow.actions;
  const resolved = unchanged ? flow : { ...flow, match, actions };
  return union === undefined ? { flow: resolved } : { flow: resolved, union };
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

function resolveMatch(match: Match, number: (port: string) => number): Match {
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
