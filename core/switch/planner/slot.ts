import type { DesiredRecords } from '@patchbay/sdk';
import type { Compiled, CompiledGate } from './compile';
import type { Owner } from './owner';
import { type GatePosition, gateWant, type RowWant } from './row-wants';
import { portNumber, type Rows } from './rows';

/** One key, as it was stated and as it came out. */
export interface Slot {
  readonly owner: Owner;
  records: DesiredRecords;
  compiled: Compiled;
  /** The compilation that the switch acknowledged last. */
  accepted: Compiled;
  /** Why the switch, or the encoder, refused the key. */
  quarantine: string | undefined;
  gates: readonly PositionedGate[];
}

export interface PositionedGate {
  readonly gate: CompiledGate;
  position: GatePosition;
  /** Why it is shut, where its own record does not say so. */
  reasons: readonly string[];
}

export const NOTHING: Compiled = {
  items: [],
  bridges: new Set(),
  rows: [],
  gates: [],
  waitingFor: [],
  names: new Set(),
  numbers: new Map(),
  aliases: new Map(),
  references: new Set(),
  heldGroups: new Map(),
};

export function newSlot(owner: Owner, records: DesiredRecords): Slot {
  return { owner, records, compiled: NOTHING, accepted: NOTHING, quarantine: undefined, gates: [] };
}

/** What the key wants of rows: its own, and those of its gates as they stand. */
export function rowWantsOf(slot: Slot): readonly RowWant[] {
  return [
    ...slot.compiled.rows,
    ...slot.gates.flatMap(({ gate, position }) => (gate.isOfPort ? [gateWant(slot.owner, gate.record, position)] : [])),
  ];
}

/**
 * What stays of a key that was refused: what the switch has acknowledged of it, unless one of its ports has another number
 * by now, which may be another port's. Its gates stay, to be shut.
 */
export function whatStays(slot: Slot, rows: Rows): Compiled {
  const kept = numbersHold(slot.accepted, rows) ? slot.accepted : NOTHING;
  const gates = (slot.records.gates ?? []).map(({ bridge, port, portRow, subject, tag }) => ({
    record: {
      bridge,
      port,
      ...(portRow === undefined ? {} : { portRow }),
      subject,
      ...(tag === undefined ? {} : { tag }),
    },
    isOfPort: portRow === undefined || rows.port(port)?.uuid === portRow,
    admission: [],
    waitingFor: [],
  }));
  // What the refused flows name counts on: when it comes, they are tried again.
  const references = new Set([...kept.references, ...slot.compiled.references]);
  return { ...kept, gates, references };
}

function numbersHold(compiled: Compiled, rows: Rows): boolean {
  for (const [name, number] of compiled.numbers) {
    const [bridge = '', port = ''] = name.split(' ');
    const now = portNumber(rows, bridge, compiled.aliases.get(name) ?? port);
    if (!('number' in now) || now.number !== number) return false;
  }
  return true;
}

const SUBJECT_PREFIX = 'port/';

/** The subject of a key `port/<subject>`. */
export function subjectOf(key: string): string | undefined {
  return key.startsWith(SUBJECT_PREFIX) ? key.slice(SUBJECT_PREFIX.length) : undefined;
}

export function keyOfSubject(subject: string): string {
  return `${SUBJECT_PREFIX}${subject}`;
}
