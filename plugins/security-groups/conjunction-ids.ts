import type { Action, Flow, Store } from '@patchbay/sdk';
import { BLOCK } from './conjunctions';

const RECORD = 'conjunctions';
/** Ids have 32 bits; the last block must fit. */
const LAST_BLOCK = 2 ** 32 - BLOCK;

/**
 * Blocks of conjunction ids by name. They outlive a restart, so that a restart changes no flow; what the record does not know starts
 * above the highest id that is installed, so that no new flow joins an old conjunction.
 */
export class ConjunctionIds {
  private readonly blocks = new Map<string, number>();
  private next = BLOCK;
  private changed = false;

  constructor(private readonly store: Store) {}

  /** Reads the record, and goes above what is installed. */
  async load(installed: readonly Flow[]): Promise<void> {
    const record = readRecord(await this.store.get(RECORD));
    for (const [name, block] of record) this.blocks.set(name, block);
    this.next = Math.max(...record.values(), highestBlock(installed), this.next - BLOCK) + BLOCK;
  }

  /** The first id of the name's block; a new one is given where it has none. */
  blockOf(name: string): number {
    const known = this.blocks.get(name);
    if (known !== undefined) return known;
    const block = this.free();
    this.blocks.set(name, block);
    this.changed = true;
    return block;
  }

  /** Gives up the blocks of all other names. Not before their flows are gone. */
  retain(names: ReadonlySet<string>): void {
    for (const name of [...this.blocks.keys()]) {
      if (!names.has(name)) this.changed = this.blocks.delete(name) || this.changed;
    }
  }

  /** Writes the record if it has changed. */
  async save(): Promise<void> {
    if (!this.changed) return;
    this.changed = false;
    try {
      await this.store.set(RECORD, JSON.stringify(Object.fromEntries(this.blocks)));
    } catch (error) {
      this.changed = true;
      throw error;
    }
  }

  /** Counts upwards, and begins again at the end of the 32 bits; what is in use is never given twice. */
  private free(): number {
    const taken = new Set(this.blocks.values());
    do {
      if (this.next > LAST_BLOCK) this.next = BLOCK;
      this.next += BLOCK;
    } while (taken.has(this.next - BLOCK));
    return this.next - BLOCK;
  }
}

/** A record that cannot be read counts as lost. */
function readRecord(text: string | undefined): ReadonlyMap<string, number> {
  if (text === undefined) return new Map();
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => isBlock(entry[1])));
  } catch {
    return new Map();
  }
}

function isBlock(value: unknown): boolean {
  return (
    typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LAST_BLOCK && value % BLOCK === 0
  );
}

function highestBlock(flows: readonly Flow[]): number {
  let highest = 0;
  for (const { match, actions } of flows) {
    const matched = match.conj_id;
    if (typeof matched === 'number') highest = Math.max(highest, matched);
    for (const action of actions) highest = Math.max(highest, idIn(action));
  }
  return highest - (highest % BLOCK);
}

function idIn(action: Action): number {
  return action.type === 'conjunction' ? action.id : 0;
}
