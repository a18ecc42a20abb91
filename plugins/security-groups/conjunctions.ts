import type { Direction, Ethertype } from '@patchbay/sdk';
import type { AddressSetName } from './address-sets';
import { priorityOf, specificity } from './priorities';
import type { Rule } from './rules';

/**
 * A rule towards an address set becomes a conjunction of two dimensions: 1/2 is the address, shared by all ports of a local VLAN;
 * 2/2 is the port with the rest of the rule. Each combination of group, set, direction and ethertype has a block of ids.
 */
export interface ConjunctionUse {
  readonly set: AddressSetName;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  readonly priority: number;
  readonly ids: readonly StateId[];
}

/** The id that a conjunction has for packets in one conntrack state. */
export interface StateId {
  readonly state: ConnectionState;
  readonly id: number;
}

/** `any`: the state is not asked for (stateless groups). */
export type ConnectionState = 'established' | 'new' | 'any';

export const CT_STATE: Readonly<Record<'established' | 'new', string>> = {
  established: '+est-rel-rpl',
  new: '+new-est',
};

export const DIMENSIONS = 2;
export const ADDRESS_CLAUSE = 1;
export const PORT_CLAUSE = 2;
/** Ids of one block, as in Neutron's agent: a pair for each of four priorities. */
export const BLOCK = 8;

/** States that flows are made for, one by one. */
export function statesOf({ stateful }: Pick<Rule, 'stateful'>): readonly ConnectionState[] {
  return stateful ? ['established', 'new'] : ['any'];
}

/** What a block of ids is for. */
export function blockName({ securityGroupId, direction, ethertype }: Rule, set: AddressSetName): string {
  return `${securityGroupId} ${set} ${direction} ${ethertype}`;
}

/** Undefined for a rule that is not about an address set. */
export function conjunctionOf(rule: Rule, blockOf: (name: string) => number): ConjunctionUse | undefined {
  if (rule.remote.kind !== 'set') return undefined;
  const { set } = rule.remote;
  const first = blockOf(blockName(rule, set)) + 2 * specificity(rule.traffic);
  const ids = statesOf(rule).map((state) => ({ state, id: state === 'new' ? first + 1 : first }));
  return { set, direction: rule.direction, ethertype: rule.ethertype, priority: priorityOf(rule), ids };
}
