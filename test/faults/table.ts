import type { AgentKind, Measurement } from './stage';

export interface Row {
  readonly name: string;
  readonly bar: number | undefined;
  /** What was measured, or why nothing was. */
  readonly results: Readonly<Partial<Record<AgentKind, Measurement | string>>>;
}

const HEAD = [
  'fault',
  'agent',
  'lost ping / udp',
  'tcp: longest gap',
  'flows changed',
  'in sync after',
  'recovered by itself',
];

/** The table as Markdown: one line for each fault and agent. */
export function markdown(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ name, results }) =>
    (['patchbay', 'reference'] as const).flatMap((kind) => {
      const result = results[kind];
      return result === undefined ? [] : [[name, kind, ...cells(result)]];
    }),
  );
  return [HEAD, HEAD.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cells(result: Measurement | string): readonly string[] {
  if (typeof result === 'string') return ['void', '', '', '', `not measured: ${result}`];
  const { outcome, flowsChanged, inSyncMs, recovered, detail } = result;
  const { ping, udp, tcp } = outcome;
  return [
    `${ping.lost} / ${udp.lost}`,
    tcp.broken === '' ? `${tcp.longestGapMs} ms` : `broken: ${tcp.broken}`,
    flowsChanged === undefined ? 'all' : String(flowsChanged),
    inSyncMs === undefined ? 'never' : `${(inSyncMs / 1000).toFixed(1)} s`,
    [recovered ? 'yes' : 'no', detail.slice(0, 200)].filter(Boolean).join(': '),
  ];
}
