import type { VERDICT_DIFFERENCES } from '../differences';
import { arrives, isFiltered } from './model';
import { isIcmp, type Packet, type State } from './packets';
import { GROUPS, isRemote, LOCALS, type World } from './world';

type Name = keyof typeof VERDICT_DIFFERENCES;

interface Asked {
  readonly world: World;
  readonly what: Packet;
  readonly state: State;
}

/** Of which packets the reference agent may think otherwise: those that a difference of the list is about. */
const APPLIES: Readonly<Record<Name, (asked: Asked) => boolean>> = {
  'stateless groups': ({ world, what: { from, to } }) =>
    LOCALS.some(
      (local) =>
        (local === from || local === to) && isFiltered(world, local) && world.ports[local].groups.includes('stateless'),
    ),
  'ports that the switch cannot match': ({ what }) => what.protocol === 136,
  RARP: ({ world, what: { ethertype, from } }) => ethertype === 'RARP' && !isRemote(from) && isFiltered(world, from),
  'neighbour advertisements': ({ what }) => what.ethertype === 'IPv6' && isIcmp(what) && what.icmp[0] === 136,
  'a member that may use any address': ({ world, what: { to } }) =>
    !isRemote(to) && world.ports[to].pairs.some(({ address }) => address.endsWith('/0')),
  'addresses lost': (asked) => {
    const { world, what, state } = asked;
    return arrives(world, what, state) && !arrives(withoutSets(world), what, state);
  },
};

/** The name of the difference that explains a packet's other verdict. */
export function differenceFor(asked: Asked): Name | undefined {
  const names = Object.keys(APPLIES) as Name[];
  return names.find((name) => APPLIES[name](asked));
}

/** Those that every seed meets: the others need a rule and a packet that seldom come together, or depend on the reference agent's order. */
export const CERTAIN_DIFFERENCES: readonly Name[] = ['stateless groups', 'RARP'];

function withoutSets(world: World): World {
  const rules = GROUPS.map((group) => [
    group,
    world.rules[group].filter(
      ({ remoteGroupId, remoteAddressGroupId }) => remoteGroupId === undefined && remoteAddressGroupId === undefined,
    ),
  ]);
  return { ...world, rules: Object.fromEntries(rules) as World['rules'] };
}
