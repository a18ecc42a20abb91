import { Bed } from '../support/bed';
import type { SettledChange } from './flow-changes';
import { median } from './samples';
import { type GroupFigures, type GroupScale, measureGroups } from './security-groups';
import type { Row } from './table';

const SCALE: GroupScale = { ports: 100, members: 2000, rules: 50, changedRules: 100, rounds: 5, joins: 20 };
/** The reference agent takes a minute for a member that joins. */
const REFERENCE_WHOLE: GroupScale = { ...SCALE, joins: 2, rounds: 0 };
/** Its rule changes, with a tenth of all: at full size it is still at work when the rules are taken away again. */
const REFERENCE_TENTH: GroupScale = { ...SCALE, ports: 10, members: 200, changedRules: 10, joins: 0, rounds: 1 };

/** A rule of one TCP port: established and new connections. Both agents make the same. */
const FLOWS_OF_A_RULE = 2;

/** Security groups at size, both agents in turn. */
export async function measuredGroups(): Promise<readonly Row[]> {
  const bed = await Bed.start({ hosts: 1 });
  const measure = async (name: 'patchbay' | 'reference', scale: GroupScale) => {
    const figures = await measureGroups(name, bed, scale);
    console.log(`${name}, ${JSON.stringify(scale)}: ${JSON.stringify(figures)}`);
    return figures;
  };
  try {
    const patchbay = await measure('patchbay', SCALE);
    const whole = await measure('reference', REFERENCE_WHOLE);
    const tenth = await measure('reference', REFERENCE_TENTH);
    return [...atSize(patchbay, whole), ...changesOfRules(patchbay, tenth)];
  } finally {
    await bed.stop();
  }
}

const slowest = (changes: readonly SettledChange[]): number => Math.max(...changes.map(({ ms }) => ms));
const usual = (changes: readonly SettledChange[]): number => median(changes.map(({ ms }) => ms));
const flowsOf = (changes: readonly SettledChange[]): number => median(changes.map(({ flows }) => flows));

/** Both agents were asked for the same. */
function atSize(patchbay: GroupFigures, reference: GroupFigures): readonly Row[] {
  const both = (of: (figures: GroupFigures) => number) => ({ patchbay: of(patchbay), reference: of(reference) });
  const flows = both(({ joins }) => flowsOf(joins));
  return [
    {
      what: `${SCALE.ports} ports × ${SCALE.rules} rules × ${grouped(SCALE.members)} members: plugged → all filtered`,
      unit: 'ms',
      ...both(({ wiredMs }) => wiredMs),
    },
    { what: '… flows on br-int', unit: 'count', ...both(({ flows }) => flows) },
    { what: '… resident memory of the agent', unit: 'MiB', ...both(({ rssMiB }) => rssMiB), note: 'all processes' },
    {
      what: `a member joins the group of ${grouped(SCALE.members)}: message → switch, p50`,
      unit: 'ms',
      ...both(({ joins }) => usual(joins)),
      target: 50,
      note: `of ${SCALE.joins} and ${REFERENCE_WHOLE.joins}`,
    },
    { what: '… the slowest', unit: 'ms', ...both(({ joins }) => slowest(joins)), target: 50 },
    { what: '… flows changed', unit: 'count', ...flows },
  ];
}

function changesOfRules(patchbay: GroupFigures, tenth: GroupFigures): readonly Row[] {
  const { ports, members, changedRules } = REFERENCE_TENTH;
  const fewer = `the reference with ${ports} ports, ${members} members and ${changedRules} rules`;
  const invalid = doubts(tenth);
  const reference = (ms: number) => (invalid === undefined ? { reference: ms } : {});
  const note = (more: string) => [more, fewer, ...(invalid === undefined ? [] : [invalid])].join('; ');
  const flows = grouped(patchbay.flowsWithRules);
  const rows: Row[] = [
    {
      what: `a group of ${SCALE.ports} ports gets ${SCALE.changedRules} rules, at once: ${flows} flows`,
      unit: 'ms',
      patchbay: usual(patchbay.added),
      ...reference(usual(tenth.added)),
      target: 1000,
      note: note(`p50 of ${SCALE.rounds}`),
    },
    { what: '… the slowest', unit: 'ms', patchbay: slowest(patchbay.added), target: 1000 },
    {
      what: '… and loses them',
      unit: 'ms',
      patchbay: usual(patchbay.removed),
      ...reference(usual(tenth.removed)),
      target: 1000,
      note: note(`p50 of ${SCALE.rounds}`),
    },
    { what: '… the slowest', unit: 'ms', patchbay: slowest(patchbay.removed), target: 1000 },
  ];
  if (patchbay.spread !== undefined && tenth.spread !== undefined) {
    rows.push({
      what: `${SCALE.ports} ports get a rule each, at once: ${patchbay.spread.flows} flows`,
      unit: 'ms',
      patchbay: patchbay.spread.ms,
      ...reference(tenth.spread.ms),
      target: 1000,
      note: note('once'),
    });
  }
  if (patchbay.longestStretchMs !== undefined) {
    rows.push({
      what: 'the longest that the event loop was busy at a stretch, in all changes of rules',
      unit: 'ms',
      patchbay: patchbay.longestStretchMs,
      target: 50,
      note: `of ${2 * SCALE.rounds}`,
    });
  }
  return rows;
}

/** Why the reference agent's figures for rules are none: it was still at work, or did not do all of it. */
function doubts({ added, removed, flowsWithRules, flowsAfter }: GroupFigures): string | undefined {
  const wanted = REFERENCE_TENTH.ports * REFERENCE_TENTH.changedRules * FLOWS_OF_A_RULE;
  if ([...added, ...removed].some(({ unsettled }) => unsettled)) return 'not valid: it had not settled';
  if (flowsWithRules !== wanted) return `not valid: it made ${flowsWithRules} of ${wanted} flows`;
  return flowsAfter === 0 ? undefined : `not valid: ${flowsAfter} flows were left`;
}

const grouped = (count: number): string => count.toLocaleString('en');
