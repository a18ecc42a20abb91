import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository, run } from '../support/bed-command';
import { FAULTS } from './catalogue';
import type { Fault } from './fault';
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
  const result = await fault
    .run(stage, kind)
    .catch((error: unknown) => String(error instanceof Error ? error.message : error).split('\n')[0] ?? '');
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${kind} · ${fault.name} (${seconds} s): ${JSON.stringify(result)}`);
  return result;
}

const lostIn = (result: Measurement | string): number =>
  typeof result === 'string' ? Number.POSITIVE_INFINITY : result.outcome.ping.lost + result.outcome.udp.lost;

const isHurt = (result: Measurement | string): boolean =>
  typeof result === 'string' || !result.recovered || result.outcome.tcp.broken !== '';

/** What is missing of one agent's rows, after a control run of their own. */
async function chunk(kind: AgentKind, faults: readonly Fault[], stageOf: () => Promise<Stage>): Promise<void> {
  const due = faults.flatMap((fault) =>
    Array.from({ length: (fault.times ?? 1) - results.countOf(fault.name, kind) }, () => fault),
  );
  if (due.length === 0 || performance.now() > deadline) return;
  const stage = await stageOf();
  await stage.set(kind);
  const date = new Date().toISOString().slice(0, 10);
  const base = await measure(stage, control, kind);
  const controlLost = lostIn(base);
  results.forget(control.name, kind);
  results.add({ name: control.name, kind, result: base, controlLost, date });
  if (controlLost > 0) console.log(`${kind} · the control lost ${controlLost}: what follows is void`);
  for (const fault of due.filter((one) => one !== control)) {
    if (performance.now() > deadline) return;
    const result = await measure(stage, fault, kind);
    results.add({ name: fault.name, kind, result, controlLost, date });
    if (isHurt(result)) await stage.set(kind);
  }
}

async function main(): Promise<void> {
  let started: Stage | undefined;
  const stageOf = async (): Promise<Stage> => {
    started ??= await Stage.start();
    return started;
  };
  for (const kind of kinds) {
    const faults = FAULTS.filter((one) => isWanted(one) && (one.only ?? kind) === kind);
    if (words.length > 0) for (const { name } of faults) results.forget(name, kind);
    await chunk(kind, faults, stageOf);
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
