import { Bed } from '../support/bed';
import { median, percentile } from './samples';
import { type GroupFigures, type GroupScale, measureGroups } from './security-groups';
import type { Row } from './table';

const SCALE: GroupScale = { ports: 100, members: 2000, rules: 50, changedRules: 100, joins: 20 };
/** The reference agent takes minutes for what Patchbay does in seconds: a tenth of the ports for it, and every note says so. */
const REFERENCE_SCALE: GroupScale = { ...SCALE, ports: 10, joins: 3 };

/** A rule of one TCP port: established and new connections. Both agents make the same. */
const FLOWS_OF_A_RULE = 2;

/** Security groups at size, both agents in turn. */
export async function measuredGroups(): Promise<readonly Row[]> {
  const bed = await Bed.start({ hosts: 1 });
  try {
    const patchbay = await measureGroups('patchbay', bed, SCALE);
    console.log(`Patchbay: ${JSON.stringify(patchbay)}`);
    const reference = await measureGroups('reference', bed, REFERENCE_SCALE);
    console.log(`the reference agent: ${JSON.stringify(reference)}`);
    return rows(patchbay, reference);
  } finally {
    await bed.stop();
  }
}

function rows(patchbay: GroupFigures, reference: GroupFigures): readonly Row[] {
  const both = (of: (figures: GroupFigures) => number) => ({ patchbay: of(patchbay), reference: of(reference) });
  const joined = (share: number) => (figures: GroupFigures) =>
    percentile(
      figures.joins.map(({ ms }) => ms),
      share,
    );
  const fewer = `the reference agent with ${REFERENCE_SCALE.ports} ports`;
  const flowsOf = (of: (figures: GroupFigures) => number) =>
    `${of(patchbay)} flows of Patchbay's, ${of(reference)} of the reference's; ${fewer}`;
  const group = `${SCALE.ports} ports × ${SCALE.rules} rules × ${SCALE.members.toLocaleString('en')} members`;
  return [
    {
      what: 'a member joins a remote group of 2,000 used by 100 ports: message → switch, p50',
      unit: 'ms',
      ...both(joined(0.5)),
      target: 50,
      note: flowsOf(({ joins }) => median(joins.map(({ flows }) => flows))),
    },
    { what: '… the slowest', unit: 'ms', ...both(joined(1)), note: `of ${SCALE.joins} and ${REFERENCE_SCALE.joins}` },
    {
      what: '100 ports get a rule each, at once',
      unit: 'ms',
      ...both(({ spread }) => spread.ms),
      target: 1000,
      note: flowsOf(({ spread }) => spread.flows),
    },
    {
      what: 'a group of 100 ports gets 100 rules, at once',
      unit: 'ms',
      ...both(({ added }) => added.ms),
      target: 1000,
      note: `${flowsOf(({ flowsWithRules }) => flowsWithRules)}${doubts(reference)}`,
    },
    {
      what: '… and loses them',
      unit: 'ms',
      ...both(({ removed }) => removed.ms),
      target: 1000,
      note: `flows left of them: ${patchbay.flowsAfter} and ${reference.flowsAfter}`,
    },
    { what: `${group}: plugged → all filtered`, unit: 'ms', ...both(({ wiredMs }) => wiredMs), note: fewer },
    { what: '… flows on br-int', unit: 'count', ...both(({ flows }) => flows), note: fewer },
    { what: '… resident memory of the agent', unit: 'MiB', ...both(({ rssMiB }) => rssMiB), note: fewer },
  ];
}

/** Why the reference agent's figures for rules are none: it was still at work, or did not do all of it. */
function doubts({ added, removed, flowsWithRules }: GroupFigures): string {
  const wanted = REFERENCE_SCALE.ports * REFERENCE_SCALE.changedRules * FLOWS_OF_A_RULE;
  if (added.unsettled || removed.unsettled) return '; not valid for the reference: it had not settled';
  return flowsWithRules === wanted ? '' : `; not valid for the reference: it made ${flowsWithRules} of ${wanted} flows`;
}
