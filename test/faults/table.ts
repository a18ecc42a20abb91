import { type Entry, isVoid, type Results } from './results';
import type { Measurement } from './stage';

const HEAD = [
  'fault',
  'agent',
  'lost ping / udp',
  'tcp: longest gap',
  'flows changed',
  'in sync after',
  'recovered by itself',
];

/** The table as Markdown: one line for each fault and agent. Of several runs, the median and from where to where they went. */
export function markdown(names: readonly string[], results: Results): string {
  const lines = names.flatMap((name) =>
    (['patchbay', 'reference'] as const).flatMap((kind) => {
      const entries = results.of(name, kind);
      return entries.length === 0 ? [] : [[name, kind, ...cells(entries)]];
    }),
  );
  return [HEAD, HEAD.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cells(entries: readonly Entry[]): readonly string[] {
  const valid = entries.filter((entry) => !isVoid(entry));
  const measured = valid.flatMap(({ result }) => (typeof result === 'string' ? [] : [result]));
  if (measured.length === 0) return ['void', '', '', '', whyVoid(entries)];
  const many = measured.length > 1 ? `, ${measured.length} runs` : '';
  const broken = measured.find(({ outcome }) => outcome.tcp.broken !== '');
  return [
    `${spread(measured.map(({ outcome }) => outcome.ping.lost))} / ${spread(measured.map(({ outcome }) => outcome.udp.lost))}${many}`,
    broken === undefined
      ? `${spread(measured.map(({ outcome }) => outcome.tcp.longestGapMs))} ms`
      : `broken: ${broken.outcome.tcp.broken}`,
    flowsChanged(measured),
    inSync(measured),
    recovered(measured),
  ];
}

function whyVoid(entries: readonly Entry[]): string {
  const [first] = entries;
  if (first === undefined) return '';
  if (isVoid(first)) return `not measured: the control of its run lost ${first.controlLost}`;
  return `not measured: ${String(first.result)}`;
}

function spread(numbers: readonly number[], print: (number: number) => string = String): string {
  const sorted = [...numbers].sort((one, other) => one - other);
  const [least, middle, most] = [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  if (least === undefined || middle === undefined || most === undefined) return '';
  return least === most ? print(middle) : `${print(middle)} (${print(least)} to ${print(most)})`;
}

function flowsChanged(measured: readonly Measurement[]): string {
  const counts = measured.flatMap((one) => one.flowsChanged ?? []);
  return counts.length < measured.length ? 'all' : spread(counts);
}

function inSync(measured: readonly Measurement[]): string {
  const times = measured.flatMap((one) => one.inSyncMs ?? []);
  return times.length === 0 ? 'never' : `${spread(times, (ms) => (ms / 1000).toFixed(1))} s`;
}

function recovered(measured: readonly Measurement[]): string {
  const count = measured.filter((one) => one.recovered).length;
  const all = count === measured.length ? 'yes' : count === 0 ? 'no' : `${count} of ${measured.length} times`;
  const details = [...new Set(measured.map(({ detail }) => detail.replaceAll('|', '¦').slice(0, 200)))].filter(Boolean);
  return [all, ...details.slice(0, 1)].join(': ');
}
