/** The benchmark's script, run inside a bed with Open vSwitch and RabbitMQ (test/bench/run). Prints one table; `--write` puts it into docs/performance.md. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Bed } from '../support/bed';
import { repository } from '../support/bed-command';
import { type AgentFigures, FIREWALL, measureAgent } from './agents';
import { measureRestart } from './big-restart';
import { measureCodecs } from './codecs';
import { measuredEntries, measuredMesh } from './forwarding-rows';
import { measureAtServer } from './real-server';
import { median, percentile } from './samples';
import { measuredGroups } from './security-groups-rows';
import { markdown, misses, type Row } from './table';

const SECTIONS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  agents: besideStandIn,
  codecs,
  entries: measuredEntries,
  mesh: measuredMesh,
  restart: bigRestart,
  groups: measuredGroups,
  server: atServer,
};

/** Security groups, and tunnels at size, have pages of their own. */
const OWN_PAGES: Readonly<Record<string, readonly string[]>> = {
  'docs/performance-security-groups.md': ['groups'],
  'docs/scale.md': ['entries', 'mesh'],
};
const PAGES: readonly { readonly path: string; readonly has: (section: string) => boolean }[] = [
  {
    path: join(repository, 'docs/performance.md'),
    has: (section) => !Object.values(OWN_PAGES).flat().includes(section),
  },
  ...Object.entries(OWN_PAGES).map(([path, sections]) => ({
    path: join(repository, path),
    has: (section: string) => sections.includes(section),
  })),
];
const TABLE = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/;

async function besideStandIn(): Promise<readonly Row[]> {
  const bed = await Bed.start({ hosts: 1 });
  try {
    const patchbay = await measureAgent('patchbay', bed, {
      singles: 100,
      together: 200,
      idleSeconds: 30,
      pauseMs: 100,
    });
    say('the reference agent, the same');
    const reference = await measureAgent('reference', bed, {
      singles: 8,
      together: 200,
      idleSeconds: 30,
      pauseMs: 2000,
    });
    return compared(patchbay, reference);
  } finally {
    await bed.stop();
  }
}

function compared(patchbay: AgentFigures, reference: AgentFigures): readonly Row[] {
  const both = (of: (figures: AgentFigures) => number) => ({ patchbay: of(patchbay), reference: of(reference) });
  const wired = (share: number) => (figures: AgentFigures) =>
    percentile(
      figures.singles.map(({ wiredMs }) => wiredMs),
      share,
    );
  const counts = `of ${patchbay.singles.length} and ${reference.singles.length} ports`;
  const ofport = median(patchbay.singles.map(({ ofportMs }) => ofportMs));
  const { flows } = patchbay.restart;
  const processes = `${reference.idle.processes} processes of the reference's, ${patchbay.idle.processes} of Patchbay's`;
  return [
    {
      what: 'one port, plugged → wired, p50',
      unit: 'ms',
      ...both(wired(0.5)),
      target: 20,
      note: `${counts}; the switch gives an ofport after ${ofport.toFixed(1)} ms`,
    },
    { what: 'one port, plugged → wired, p99', unit: 'ms', ...both(wired(0.99)), target: 80, note: counts },
    {
      what: '200 ports at once, plugged → all wired',
      unit: 'ms',
      ...both(({ together }) => together.wiredMs),
      target: 1000,
    },
    { what: '… processor time of the agent', unit: 'ms', ...both(({ together }) => together.cpuMs) },
    {
      what: 'restart with 200 ports, started → all reported up',
      unit: 'ms',
      ...both(({ restart }) => restart.syncedMs),
      note: `${flows} flows on br-int (the reference's: ${reference.restart.flows})`,
    },
    {
      what: '… flow modifications seen on br-int',
      unit: 'count',
      ...both(({ restart }) => restart.flowChanges),
      target: 0,
    },
    { what: '… processor time of the agent', unit: 'ms', ...both(({ restart }) => restart.cpuMs) },
    { what: 'resident memory, idle', unit: 'MiB', ...both(({ idle }) => idle.rssMiB), target: 110, note: processes },
    { what: '… of the largest process', unit: 'MiB', ...both(({ idle }) => idle.largestMiB) },
    { what: 'resident memory, after 200 ports', unit: 'MiB', ...both(({ loaded }) => loaded.rssMiB) },
    {
      what: 'processor, idle',
      unit: '%',
      ...both(({ idleCpu }) => idleCpu),
      target: reference.idleCpu,
      note: 'of one, over 30 s',
    },
    { what: 'AMQP queues', unit: 'count', ...both(({ broker }) => broker.queues), target: 3 },
    { what: 'AMQP connections', unit: 'count', ...both(({ broker }) => broker.connections), target: 2 },
  ];
}

async function atServer(): Promise<readonly Row[]> {
  const samples = await measureAtServer(20);
  const own = samples.map(({ totalMs, waitedMs }) => totalMs - waitedMs);
  const note = `p50 of ${samples.length} ports; plugged → ACTIVE took ${median(samples.map(({ totalMs }) => totalMs)).toFixed(0)} ms`;
  return [
    {
      what: "plugged → ACTIVE at neutron-server, the agent's own share",
      unit: 'ms',
      patchbay: median(own),
      target: 50,
      note,
    },
  ];
}

async function codecs(): Promise<readonly Row[]> {
  const { flows, bundleMs, dumpMs, planMs, ports, monitorMs } = await measureCodecs(100_000, 1_000);
  const of = `${flows.toLocaleString('en')} flows`;
  return [
    {
      what: `${of} in one bundle, encoded and committed`,
      unit: 'ms',
      patchbay: bundleMs,
      note: `${Math.round((flows / bundleMs) * 1000).toLocaleString('en')} a second`,
    },
    { what: `${of} read back, in canonical form`, unit: 'ms', patchbay: dumpMs },
    { what: `plan with ${of} unchanged`, unit: 'ms', patchbay: planMs },
    {
      what: `database client connected, ${ports.toLocaleString('en')} ports replicated`,
      unit: 'ms',
      patchbay: monitorMs,
    },
  ];
}

/** As many flows on many ports with few rules, and on fewer ports with many. */
const BIG_RESTARTS = [
  { ports: 900, rules: 33 },
  { ports: 250, rules: 177 },
];

async function bigRestart(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const scale of BIG_RESTARTS) {
    const { ports, flows, syncedMs, flowChanges, rssMiB, wiredMs } = await measureRestart(scale);
    const note = `${flows.toLocaleString('en')} flows, ${scale.rules} rules a port, standalone control plane; ${rssMiB.toFixed(0)} MiB resident; the first start wired all in ${(wiredMs / 1000).toFixed(1)} s`;
    rows.push(
      {
        what: `restart with 100,000 flows of ${ports} ports, process started → onAgentSynced`,
        unit: 'ms',
        patchbay: syncedMs,
        target: 3000,
        note,
      },
      { what: '… flow modifications', unit: 'count', patchbay: flowChanges, target: 0 },
    );
  }
  return rows;
}

function conditions(): string {
  const version = (name: string) =>
    execFileSync('dpkg-query', ['--show', name], { encoding: 'utf8' }).trim().split('\t')[1] ?? 'unknown';
  const { version: patchbay } = JSON.parse(readFileSync(join(repository, 'core/package.json'), 'utf8')) as {
    version: string;
  };
  const processors = cpus();
  return [
    `Measured ${new Date().toISOString().slice(0, 10)}, ${processors.length} × ${processors[0]?.model.trim() ?? 'processor'}.`,
    `Patchbay ${patchbay} on Node ${process.versions.node}; the reference agent of Neutron ${version('python3-neutron')};`,
    `Open vSwitch ${version('openvswitch-switch')} (userspace datapath), RabbitMQ ${version('rabbitmq-server')}; firewall_driver = ${FIREWALL} for both.`,
  ].join('\n');
}

function say(what: string): void {
  console.log(`== ${what}`);
}

async function main(words: readonly string[]): Promise<void> {
  const named = words.filter((word) => word !== '--write');
  const unknown = named.find((word) => !Object.hasOwn(SECTIONS, word));
  if (unknown !== undefined) throw new Error(`there is no section ${unknown}: ${Object.keys(SECTIONS).join(', ')}`);
  const started = performance.now();
  const measured = new Map<string, readonly Row[]>();
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (named.length > 0 && !named.includes(name)) continue;
    say(name);
    measured.set(name, await measure());
  }
  const rows = [...measured.values()].flat();
  console.log(`\n${page(rows)}`);
  for (const { what } of misses(rows)) console.log(`misses its target: ${what}`);
  console.log(`in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  if (words.includes('--write')) write(measured);
}

const page = (rows: readonly Row[]): string => `${conditions()}\n\n${markdown(rows)}\n`;

/** Into the pages of which every section was measured. */
function write(measured: ReadonlyMap<string, readonly Row[]>): void {
  const whole = PAGES.filter(({ has }) => Object.keys(SECTIONS).every((name) => !has(name) || measured.has(name)));
  if (whole.length === 0)
    throw new Error('--write takes a whole page: name no section, or groups, or entries and mesh');
  for (const { path, has } of whole) {
    const text = page([...measured].flatMap(([name, rows]) => (has(name) ? rows : [])));
    const before = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      before.replace(TABLE, (_all, start: string, end: string) => `${start}${text}${end}`),
    );
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
