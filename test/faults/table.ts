import { type Entry, isVoid, type Results } from './results';
import type { AgentKind, Measurement } from './stage';

const AGENTS: readonly (readonly [AgentKind, string])[] = [
  ['patchbay', 'Patchbay'],
  ['reference', 'reference'],
];

/** What a row says of one agent. The tcp gap stands with what was lost, so that both agents fit side by side. */
const COLUMNS = ['lost', 'flows changed', 'in sync', 'by itself'] as const;

/** The table as Markdown: one line a fault, both agents side by side, and below it what does not fit a cell. */
export function markdown(names: readonly string[], results: Results): string {
  const notes: string[] = [];
  const lines = names.flatMap((name) => {
    const each = AGENTS.map(([kind]) => results.of(name, kind));
    return each.every((entries) => entries.length === 0) ? [] : [[name, ...each.flatMap((one) => cells(one, notes))]];
  });
  const head = ['fault', ...AGENTS.flatMap(([, agent]) => COLUMNS.map((column) => `${agent}: ${column}`))];
  const table = [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`);
  return [...table, '', ...notes.map((note, index) => `${index + 1}. ${note}`)].join('\n').trimEnd();
}

function cells(entries: readonly Entry[], notes: string[]): readonly string[] {
  if (entries.length === 0) return COLUMNS.map(() => '–');
  const valid = entries.filter((entry) => !isVoid(entry));
  const measured = valid.flatMap(({ result }) => (typeof result === 'string' ? [] : [result]));
  const note = (text: string): string => (text === '' ? '' : ` [${notes.push(text)}]`);
  if (measured.length === 0) return [`void${note(whyVoid(entries))}`, '', '', ''];
  return [lost(measured), flowsChanged(measured), inSync(measured), `${recovered(measured)}${note(detail(measured))}`];
}

function whyVoid([first]: readonly Entry[]): string {
  if (first === undefined) return '';
  if (isVoid(first)) return `The control of its run lost ${first.controlLost}.`;
  return `Not measured: ${String(first.result)}`;
}

/** The middle one and from where to where they go. */
function spread(numbers: readonly number[], print: (number: number) => string = String): string {
  const sorted = [...numbers].sort((one, other) => one - other);
  const [least, middle, most] = [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  if (least === undefined || middle === undefined || most === undefined) return '';
  return print(least) === print(most) ? print(middle) : `${print(middle)} (${print(least)} to ${print(most)})`;
}

function lost(measured: readonly Measurement[]): string {
  const [ping, udp] = (['ping', 'udp'] as const).map((stream) =>
    spread(measured.map(({ outcome }) => outcome[stream].lost)),
  );
  const broken = measured.find(({ outcome }) => outcome.tcp.broken !== '');
  const gap = spread(measured.map(({ outcome }) => outcome.tcp.longestGapMs));
  const runs = measured.length > 1 ? `; ${measured.length} runs` : '';
  return `${ping} / ${udp}; ${broken === undefined ? `${gap} ms` : `tcp broken: ${broken.outcome.tcp.broken}`}${runs}`;
}

function flowsChanged(measured: readonly Measurement[]): string {
  const counts = measured.flatMap((one) => one.flowsChanged ?? []);
  return counts.length < measured.length ? 'all' : spread(counts);
}

const inSeconds = (ms: number): string => (ms / 1000).toFixed(1);

function inSync(measured: readonly Measurement[]): string {
  const times = measured.flatMap((one) => one.inSyncMs ?? []);
  if (times.length === 0)
    return `not in ${spread(
      measured.map(({ waitedMs }) => waitedMs),
      inSeconds,
    )} s`;
  return `${spread(times, inSeconds)} s`;
}

function recovered(measured: readonly Measurement[]): string {
  const count = measured.filter((one) => one.recovered).length;
  return count === measured.length ? 'yes' : count === 0 ? 'no' : `${count} of ${measured.length} times`;
}

function detail(measured: readonly Measurement[]): string {
  return measured.find((one) => one.detail !== '')?.detail ?? '';
}
