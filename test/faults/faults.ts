import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository, run } from '../support/bed-command';
import { FAULTS } from './catalogue';
import type { Fault } from './fault';
import { noteOf } from './note';
import { Results } from './results';
import { type AgentKind, type Measurement, Stage } from './stage';
import { markdown } from './table';

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: 'boolean', default: false },
    agents: { type: 'string', default: 'patchbay,reference' },
    results: { type: 'string' },
    for: { type: 'string' },
  },
});
const results = new Results(options.results);
const kinds = options.agents.split(',').filter(Boolean) as readonly AgentKind[];
const deadline = performance.now() + 1000 * Number(options.for ?? Number.POSITIVE_INFINITY);
const [control] = FAULTS as readonly [Fault];

/** Without words: all but the long ones. */
const isWanted = ({ name, long }: Fault) =>
  words.length === 0 ? long !== true : words.some((part) => name.includes(part));

async function measure(stage: Stage, fault: Fault, kind: AgentKind): Promise<Measurement | string> {
  const began = performance.now();
  const result = await fault.run(stage, kind).catch(noteOf);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${kind} · ${fault.name} (${seconds} s): ${JSON.stringify(result)}`);
  return result;
}

const lostIn = (result: Measurement | string): number =>
  typeof result === 'string' ? Number.POSITIVE_INFINITY : result.outcome.ping.lost + result.outcome.udp.lost;

const isHurt = (result: Measurement | string): boolean =>
  typeof result === 'string' || !result.recovered || result.outcome.tcp.broken !== '';

/** A row that is not yet measured as often as it is to be. */
interface Due {
  readonly fault: Fault;
  readonly kind: AgentKind;
}

/** The reference agent takes minutes for some rows, and is there for comparison. */
const MOST_RUNS = { patchbay: Number.POSITIVE_INFINITY, reference: 3 } as const;

/** Rows of several runs come in turns, so that a mood of the machine is in all of them. */
function dueOf(kind: AgentKind): readonly Due[] {
  const its = FAULTS.filter((fault) => fault !== control && isWanted(fault) && (fault.only ?? kind) === kind);
  const turns = its.flatMap((fault) => {
    const done = results.countOf(fault.name, kind);
    const times = Math.min(fault.times ?? 1, MOST_RUNS[kind]);
    return Array.from({ length: times - done }, (_, turn) => ({ turn: done + turn, fault, kind }));
  });
  return turns.sort((one, other) => one.turn - other.turn);
}

/** What is due on hosts of one agent, after a control run of its own: what follows one that lost anything is void. */
async function chunk(begins: AgentKind, due: readonly Due[], stageOf: () => Promise<Stage>): Promise<void> {
  if (due.length === 0 || performance.now() > deadline) return;
  const stage = await stageOf();
  await stage.set(begins);
  const date = new Date().toISOString().slice(0, 10);
  const base = await measure(stage, control, begins);
  const controlLost = lostIn(base);
  results.add({ name: control.name, kind: begins, result: base, controlLost, date });
  if (controlLost > 0) throw new Error(`the control lost ${controlLost}: nothing that follows would say anything`);
  for (const { fault, kind } of due) {
    if (performance.now() > deadline) return;
    const result = await measure(stage, fault, kind);
    results.add({ name: fault.name, kind, result, controlLost, date });
    if (isHurt(result)) await stage.set(begins);
  }
}

async function main(): Promise<void> {
  let started: Stage | undefined;
  const stageOf = async (): Promise<Stage> => {
    started ??= await Stage.start();
    return started;
  };
  if (words.length > 0)
    for (const { name } of FAULTS.filter(isWanted)) for (const kind of kinds) results.forget(name, kind);
  const due = kinds.flatMap(dueOf);
  for (const begins of ['patchbay', 'reference'] as const) {
    const its = due.filter(({ fault, kind }) => (fault.begins ?? kind) === begins);
    await chunk(begins, its, stageOf);
  }
  await started?.stop();
  const names = FAULTS.map(({ name }) => name);
  const text = [await versions(), '', markdown(names, results)].join('\n');
  console.log(`\n${text}`);
  if (options.write) write(text);
}

async function versions(): Promise<string> {
  const [patchbay, ovs, neutron] = await Promise.all([
    run(['node', 'core/bin/patchbay', '--version']),
    run(['ovs-vswitchd', '--version']),
    run(['neutron-openvswitch-agent', '--version']),
  ]);
  const programs = `Patchbay ${patchbay.trim()}, ${ovs.split('\n')[0]}, ${neutron.trim()}, Node ${process.version}`;
  return `${results.dates.join(', ')}: ${programs}.`;
}

/** Between the two marks of the page. */
function write(text: string): void {
  const page = join(repository, 'docs/reliability.md');
  const marks = /(<!-- faults: written by test\/faults\/run --write -->\n)[\s\S]*(<!-- \/faults -->)/;
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(marks, (_all, start, end) => `${start}\n${text}\n\n${end}`),
  );
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
