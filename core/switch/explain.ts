import type { KeyProgress } from '@patchbay/sdk';
import type { DesiredEntry, DesiredKeys } from './desired-store';
import type { Blueprint } from './planner/blueprint';
import type { Board } from './planner/board';
import { printInstalled } from './planner/print';
import { keyOfSubject } from './planner/slot';

/** One flow or row of a subject, with who wanted it. */
export interface ExplainedPart {
  readonly kind: 'flow' | 'group' | 'meter' | 'row' | 'gate';
  /** In the notation of ovs-ofctl or ovs-vsctl. */
  readonly text: string;
  readonly state: 'installed' | 'missing' | 'open' | 'shut' | 'held' | 'stated';
}

/** One key that has to do with a subject. */
export interface ExplainedKey {
  readonly plugin: string;
  readonly key: string;
  readonly since: number;
  readonly cause: string;
  readonly progress: KeyProgress;
  readonly parts: readonly ExplainedPart[];
}

/** Everything that is stated for a subject: keys `port/<subject>`, keys that name it, and gates of it. */
export function explain(subject: string, store: DesiredKeys, blueprint: Blueprint): readonly ExplainedKey[] {
  const concerning = [...store.all()].filter((entry) => concerns(entry, subject));
  return concerning.map(({ plugin, key, since, cause, progress }) => ({
    plugin,
    key,
    since,
    cause,
    progress,
    parts: partsOf(plugin, key, blueprint),
  }));
}

function concerns({ key, records }: DesiredEntry, subject: string): boolean {
  if (key === keyOfSubject(subject) || key.split('/').includes(subject)) return true;
  return (records?.gates ?? []).some((gate) => gate.subject === subject || gate.port === subject);
}

function partsOf(plugin: string, key: string, blueprint: Blueprint): readonly ExplainedPart[] {
  const slot = blueprint.inspect(plugin, key);
  if (slot === undefined) return [];
  const admission = slot.gates.flatMap(({ gate }) => gate.admission);
  const items = [...slot.compiled.items, ...admission].map((item): ExplainedPart => {
    const board: Board = blueprint.board(item.bridge);
    const installed = board.installed?.get(item.identity);
    const wanted = board.decidedItem(item.identity);
    const there = installed !== undefined && installed.body === wanted?.body;
    const text = printInstalled(there ? installed : item);
    return { kind: item.kind, text: `${item.bridge} ${text}`, state: there ? 'installed' : 'missing' };
  });
  const rows = slot.compiled.rows.map(
    ({ row, cells }): ExplainedPart => ({
      kind: 'row',
      text: `${row.table} ${row.name} ${Object.entries(cells)
        .map(([cell, value]) => `${cell}=${String(value)}`)
        .join(' ')}`.trim(),
      state: 'stated',
    }),
  );
  const gates = slot.gates.map(
    ({ gate, position, reasons }): ExplainedPart => ({
      kind: 'gate',
      text: `Port ${gate.record.port} tag=${gate.record.tag ?? 'as it is'}${reasons.length === 0 ? '' : ` waits for ${reasons.join('; ')}`}`,
      state: position,
    }),
  );
  return [...gates, ...rows, ...items];
}
