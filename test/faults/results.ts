import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { AgentKind, Measurement } from './stage';

/** One run of one fault: what was measured, or why nothing was. */
export interface Entry {
  readonly name: string;
  readonly kind: AgentKind;
  readonly result: Measurement | string;
  /** Packets that the control of the same chunk lost: where it lost any, the entry says nothing. */
  readonly controlLost: number;
  /** YYYY-MM-DD. */
  readonly date: string;
}

export const isVoid = (entry: Entry): boolean => entry.controlLost > 0;

/** What was measured so far, in a file where one is named: a line is added with each run, so that a chunk that is cut off loses nothing. */
export class Results {
  private entries: Entry[] = [];

  constructor(private readonly file: string | undefined) {
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    this.entries = lines.map((line) => JSON.parse(line) as Entry);
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }

  /** Of a fault that is measured anew. */
  forget(name: string, kind: AgentKind): void {
    this.entries = this.entries.filter((entry) => entry.name !== name || entry.kind !== kind);
    if (this.file === undefined) return;
    writeFileSync(this.file, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  of(name: string, kind: AgentKind): readonly Entry[] {
    return this.entries.filter((entry) => entry.name === name && entry.kind === kind);
  }

  /** Runs that say something. */
  countOf(name: string, kind: AgentKind): number {
    return this.of(name, kind).filter((entry) => !isVoid(entry)).length;
  }

  get dates(): readonly string[] {
    return [...new Set(this.entries.map(({ date }) => date))].sort();
  }
}
