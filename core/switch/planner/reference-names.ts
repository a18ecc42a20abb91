import type { Action } from '@patchbay/sdk';

/** A group or meter that somebody states: whether it comes to the switch with the plan, or what it waits for, for people. */
export type Standing = 'comes' | { readonly waitingFor: string };

/** A group or meter of a bridge, as one text: `br-int group=7`. */
export function referenceTo(bridge: string, identity: string): string {
  return `${bridge} ${identity}`;
}

/** For people: `group 7 on br-int`. */
export function printReference(reference: string): string {
  const [bridge = '', identity = ''] = reference.split(' ');
  return `${identity.replace('=', ' ')} on ${bridge}`;
}

/** Identities of the groups and meters that the actions name. The switch refuses a flow that names one which it does not have. */
export function referencesIn(actions: readonly Action[]): readonly string[] {
  let found: string[] | undefined;
  for (const action of actions) {
    if (action.type === 'group') found = [...(found ?? []), `group=${action.group}`];
    else if (action.type === 'meter') found = [...(found ?? []), `meter=${action.meter}`];
    else if (action.type === 'write_actions') found = [...(found ?? []), ...referencesIn(action.actions)];
  }
  return found ?? NONE;
}

const NONE: readonly string[] = [];
