import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, run } from '../support/bed-command';
import { FAULTS, type Fault } from './catalogue';
import { type AgentKind, type Measurement, Stage } from './stage';
import { markdown, type Row } from './table';

const words = process.argv.slice(2);
const isWriting = words.includes('--write');
const at = words.indexOf('--agents');
const kinds = (at < 0 ? 'patchbay,reference' : (words[at + 1] ?? '')).split(',') as readonly AgentKind[];
const wanted = words.filter((word, index) => !word.startsWith('--') && (at < 0 || index !== at + 1));

const isWanted = ({ name }: Fault) => wanted.length === 0 || wanted.some((part) => name.includes(part));

async function measure(stage: Stage, fault: Fault, kind: AgentKind): Promise<Measurement | string> {
  try {
    return await fault.run(stage, kind);
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  }
}

async function main(): Promise<void> {
  const rows = new Map<string, Row>();
  const stage = await Stage.start();
  for (const kind of kinds) {
    await stage.set(kind);
    for (const fault of FAULTS.filter((one) => isWanted(one) && (one.only ?? kind) === kind)) {
      const began = Date.now();
      const result = await measure(stage, fault, kind);
      const row = rows.get(fault.name) ?? { name: fault.name, bar: fault.bar, results: {} };
      rows.set(fault.name, { ...row, results: { ...row.results, [kind]: result } });
      console.log(`${kind} · ${fault.name} (${((Date.now() - began) / 1000).toFixed(0)} s): ${JSON.stringify(result)}`);
      const hurt = typeof result === 'string' || !result.recovered || result.outcome.tcp.broken !== '';
      if (hurt) await stage.set(kind);
    }
    const ordered = FAULTS.flatMap(({ name }) => rows.get(name) ?? []);
    const text = [await versions(), '', markdown(ordered)].join('\n');
    console.log(`\n${text}`);
    if (isWriting) write(text);
  }
  await stage.stop();
}

async function versions(): Promise<string> {
  const [patchbay, ovs, neutron] = await Promise.all([
    run(['node', 'core/bin/patchbay', '--version']),
    run(['ovs-vswitchd', '--version']),
    run(['neutron-openvswitch-agent', '--version']),
  ]);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}: Patchbay ${patchbay.trim()}, ${ovs.split('\n')[0]}, ${neutron.trim()}, Node ${process.version}.`;
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
