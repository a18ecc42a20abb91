import type { Action } from '@patchbay/sdk';

/** The tunnel key that the actions of an installed flow give a frame, whoever wrote the flow. */
export function tunnelKeySet(actions: readonly Action[]): number | undefined {
  for (const action of actions) {
    if (action.type === 'set_field' && action.field === 'tun_id' && typeof action.value !== 'object') {
      return Number(action.value);
    }
    if (action.type === 'load' && action.target.field === 'tun_id') return Number(action.value);
  }
  return undefined;
}
